"""A store on a volume that engine pods write to as well.

A pod may run its user's code and leave links there, say to our own secrets: none is followed, however deep.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from spark_operator.api.stored_file import StoredFile, StoreUnavailable

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class LocalStore:
    """`root` is trusted as it is configured; below it nothing is."""

    root: str

    @classmethod
    def at(cls, uri: str) -> LocalStore:
        """The store of a file:// URI."""
        return cls(unquote(urlsplit(uri).path))

    async def files(self, key: str) -> list[StoredFile]:
        return await asyncio.to_thread(self._files, key)

    async def open(self, key: str, name: str) -> tuple[StoredFile, BinaryIO] | None:
        """A regular file, opened; None for anything else."""
        return await asyncio.to_thread(self._open, key, name)

    async def chunks(self, file: BinaryIO, size: int) -> AsyncIterator[bytes]:
        """The content; closes the file."""
        with file:
            while chunk := await asyncio.to_thread(file.read, size):
                yield chunk

    def _files(self, key: str) -> list[StoredFile]:
        try:
            with self._folder(key) as folder:
                found = [_stored(each.name, each.stat(follow_symlinks=False)) for each in os.scandir(folder)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreUnavailable(error.strerror) from None
        return sorted(file for file in found if file is not None)

    def _open(self, key: str, name: str) -> tuple[StoredFile, BinaryIO] | None:
        try:
            with self._folder(key) as folder:
                file = os.open(name, FILE, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None
            raise StoreUnavailable(error.strerror) from None
        stored = _stored(name, os.fstat(file))
        if stored is None:
            os.close(file)
            return None
        return stored, os.fdopen(file, "rb")

    @contextmanager
    def _folder(self, key: str) -> Iterator[int]:
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in key.split("/"):
                inner = os.open(part, FOLDER, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)


def _stored(name: str, found: os.stat_result) -> StoredFile | None:
    if not stat.S_ISREG(found.st_mode):
        return None
    return StoredFile(name, found.st_size, f"{found.st_mtime_ns:x}-{found.st_size:x}")
