"""Where an archive lies: a folder of this machine, or a prefix of an object store. Paths are relative."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

from spark_engine.data.files import FIELD, is_candle_file, require_size
from spark_engine.data.source import OBJECT_STORES, file_path
from spark_engine.errors import InvalidData

READERS: Final = 16  # objects are fetched this many at a time


@dataclass(frozen=True, slots=True)
class Entries:
    """Names in one folder, sorted."""

    folders: Sequence[str]
    files: Sequence[str]


class Place(Protocol):
    """Raises `InvalidData` for what may not be read, `StoreUnavailable` for a store that is silent."""

    def entries(self, path: str) -> Entries:
        """What is in the folder `path`, "" for the place itself; nothing where there is no such folder."""

    def read(self, paths: Sequence[str]) -> list[bytes | None]:
        """The content of each file, None where it is not there."""


def open_place(uri: str) -> Place | None:
    """The folder or prefix that `uri` names; None for a file, a sample, or what is not there."""
    scheme, found, _ = uri.partition("://")
    if scheme in OBJECT_STORES and found:
        name = uri.rpartition("/")[2]
        if "?" in uri or "#" in uri or is_candle_file(name) or not uri.partition("://")[2].strip("/"):
            return None
        return _Prefix(uri.rstrip("/"))
    if found and scheme != "file":
        return None
    folder = Path(file_path(uri) if found else uri)
    try:
        return _Folder(folder) if folder.is_dir() else None
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class _Folder:
    root: Path

    def entries(self, path: str) -> Entries:
        folder = self.root / path
        try:
            with os.scandir(folder) as found:
                kinds = sorted((entry.name, entry.is_dir()) for entry in found)
        except (FileNotFoundError, NotADirectoryError):
            return Entries((), ())
        except OSError as error:
            raise _unreadable(folder, error) from None
        return Entries(
            [name for name, is_folder in kinds if is_folder],
            [name for name, is_folder in kinds if not is_folder],
        )

    def read(self, paths: Sequence[str]) -> list[bytes | None]:
        return [self._one(self.root / path) for path in paths]

    def _one(self, path: Path) -> bytes | None:
        try:
            require_size(path.stat().st_size, str(path))
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(path, error) from None


@dataclass(frozen=True, slots=True)
class _Prefix:
    uri: str

    def entries(self, path: str) -> Entries:
        from spark_engine.data.store import list_folder

        folders, files = list_folder(self.uri, path)
        return Entries(sorted(folders), sorted(files))

    def read(self, paths: Sequence[str]) -> list[bytes | None]:
        from concurrent.futures import ThreadPoolExecutor

        from spark_engine.data.store import read_named

        if len(paths) == 1:
            return [read_named(self.uri, paths[0])]
        with ThreadPoolExecutor(READERS) as readers:
            return list(readers.map(lambda path: read_named(self.uri, path), paths))


def uri_below(uri: str, path: str) -> str:
    """The URI of the folder `path` below the folder `uri`."""
    if not path:
        return uri
    inner = quote(path) if uri.startswith("file://") else path
    return f"{uri.rstrip('/')}/{inner}"


def _unreadable(path: Path, error: OSError) -> InvalidData:
    return InvalidData(f"{str(path)[:200]!r} cannot be read: {error.strerror}", field=FIELD)
