"""A directory as a store: a write is a hidden file beside its place, synced, then renamed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from spark_engine.errors import first_line
from spark_engine.feeds.archive.store import AlreadyThere, unavailable

UNFINISHED: Final = ".tmp-"


class Directory:
    """The files below `root`, which is made with the first of them."""

    def __init__(self, root: Path, uri: str) -> None:
        self.root = root
        self.uri = uri

    def get(self, name: str) -> bytes | None:
        with self._failing("read", name):
            try:
                return (self.root / name).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def put_new(self, name: str, content: bytes) -> None:
        with self._failing("write", name):
            if (self.root / name).exists():
                raise AlreadyThere(name)
            write_durably(self.root / name, content)

    def replace(self, name: str, content: bytes) -> None:
        with self._failing("write", name):
            write_durably(self.root / name, content)

    def delete(self, name: str) -> None:
        path = self.root / name
        with self._failing("delete", name), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(path)  # noqa: PTH108
            with contextlib.suppress(OSError):  # other files are in it
                os.rmdir(path.parent)  # noqa: PTH106

    def list(self, folder: str) -> Iterable[str]:
        with self._failing("list", folder):
            return [
                path.relative_to(self.root).as_posix()
                for path in _files(self.root / folder)
                if not path.name.startswith(".")
            ]

    def remove_unfinished(self, folder: str) -> None:
        with self._failing("clear", folder):
            for path in _files(self.root / folder):
                if path.name.startswith(UNFINISHED):
                    os.unlink(path)  # noqa: PTH108

    @contextmanager
    def _failing(self, what: str, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            cause = error.strerror or first_line(error)
            raise unavailable(self.uri, f"cannot {what} {name}: {cause}") from None


def write_durably(path: Path, content: bytes) -> None:
    """The file is whole or not there, and survives a loss of power. Raises `OSError`."""
    make_folder(path.parent)
    unfinished = path.with_name(UNFINISHED + path.name)
    try:
        with unfinished.open("wb", buffering=0) as file:
            write_all(file.fileno(), content)
            os.fsync(file.fileno())
        os.replace(unfinished, path)  # noqa: PTH105
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)  # noqa: PTH108
        raise
    sync_folder(path.parent)


def write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while len(view):
        view = view[os.write(descriptor, view) :]


def make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder)  # noqa: PTH102
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files(folder: Path) -> Iterator[Path]:
    for inner, _, names in os.walk(folder, onerror=_raise):
        for name in names:
            yield Path(inner, name)


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
