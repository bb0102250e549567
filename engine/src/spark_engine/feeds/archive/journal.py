"""The journal: what was acknowledged and is not yet in a segment, in files of framed records.

A file is named by its first sequence number, and begins with a `Header`. A frame is its length and its
CRC-32 (uint32 each, little-endian), and MessagePack. A frame that is cut short at the end of the last file
was never acknowledged, and is cut off when the journal is opened.
"""

from __future__ import annotations

import os
import struct
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, TypeVar
from zlib import crc32

import msgspec

from spark_engine.errors import StoreUnavailable, first_line
from spark_engine.feeds.archive.directory_store import (
    UNFINISHED,
    make_folder,
    sync_folder,
    write_all,
    write_durably,
)
from spark_engine.feeds.archive.records import Acknowledgeable, Entry, entry

SUFFIX: Final = ".journal"
FRAME: Final = struct.Struct("<II")
SEAL_BYTES: Final = 4 << 20  # a flush holds one file in memory
T = TypeVar("T")


class Header(msgspec.Struct, frozen=True, array_like=True):
    """journal: an id of its own, for sequence numbers count within a journal. archive: whose it is."""

    schema: str
    journal: str
    archive: str
    first: int


SCHEMA: Final = "spark.trading/journal/v1"
_encode: Final = msgspec.msgpack.Encoder().encode
_entries: Final = msgspec.msgpack.Decoder(Entry)
_headers: Final = msgspec.msgpack.Decoder(Header)


class Journal:
    """Threads may append while another flushes: sealed files are read, the last one is written."""

    def __init__(self, folder: Path, archive: str, *, seal_bytes: int = SEAL_BYTES) -> None:
        """Opens or makes it. Raises `StoreUnavailable`, also where it is another archive's and not empty."""
        self.folder = folder
        self._archive = archive
        self._seal_bytes = seal_bytes
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._rows: dict[str, int] = {}
        with self._failing():
            self._open()

    def append(self, pieces: Iterable[Acknowledgeable], timeframes: Sequence[str]) -> int:
        """Returns the last sequence number. On return everything survives a loss of power.

        Raises `InvalidData`, or `StoreUnavailable`; then nothing of `pieces` is acknowledged.
        """
        with self._lock, self._failing():
            entries = [entry(self._next + n, piece, timeframes) for n, piece in enumerate(pieces)]
            if not entries:
                return self._next - 1
            file = self._restored()
            frames = b"".join(map(_framed, entries))
            self._whole = False
            write_all(file.fileno(), frames)
            os.fsync(file.fileno())
            self._whole = True
            self._size += len(frames)
            name = os.fspath(file.name)
            self._rows[name] = self._rows.get(name, 0) + sum(map(_rows, entries))
            self._next += len(entries)
            return self._next - 1

    def sealed(self) -> list[Path]:
        """All before the one that is written, oldest first."""
        with self._lock, self._failing():
            return self._sealed()

    def seal(self) -> list[Path]:
        """Likewise, after beginning a new file where the last one has records."""
        with self._lock, self._failing():
            if self._next > self._first:
                self._restored()
                self._begin()
            return self._sealed()

    def read(self, path: Path) -> Iterator[Entry]:
        """The records of a sealed file. Raises `StoreUnavailable` for one that is damaged."""
        with self._failing():
            content = path.read_bytes()
        whole = _whole_bytes(content)
        if whole != len(content):
            raise StoreUnavailable(
                f"the journal {path} is damaged after {whole} of {len(content)} bytes: what follows is lost "
                f"with it; move the file away to go on without"
            )
        yield from _read(content)

    def pending(self) -> Iterator[Entry]:
        """All records, also those of the file that is being written; none may be dropped meanwhile."""
        with self._lock, self._failing():
            *sealed, last = self._paths()
            written = self._size
        for path in sealed:
            with self._failing():
                content = path.read_bytes()
            yield from _read(content)
        with self._failing():
            content = last.read_bytes()
        yield from _read(content[:written])

    def drop(self, path: Path) -> None:
        """Removes a sealed file, all of whose records are in segments."""
        with self._failing():
            os.unlink(path)  # noqa: PTH108
            self._rows.pop(str(path), None)
            sync_folder(self.folder)

    def rows(self) -> int:
        """Appended to files that are still there, by this process."""
        return sum(self._rows.copy().values())

    def bytes(self) -> int:
        """Of all files: what a flush has before it."""
        with self._failing():
            return sum(path.stat().st_size for path in self._paths())

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _open(self) -> None:
        make_folder(self.folder)
        for left in self.folder.glob(f"{UNFINISHED}*"):
            os.unlink(left)  # noqa: PTH108
        paths = self._paths()
        if not paths:
            self._renew()
            return
        header = self._header(paths[-1])
        if header.archive != self._archive:
            self._require_empty(paths, header)
            for path in paths:
                os.unlink(path)  # noqa: PTH108
            self._renew()
            return
        self.id = header.journal
        self._resume(paths, header.first)

    def _renew(self) -> None:
        self.id = uuid.uuid4().hex
        self._next = 1
        self._begin()

    def _begin(self) -> None:
        """The next file, visible with its header or not at all."""
        path = self.folder / _name(self._next)
        head = _framed(Header(SCHEMA, self.id, self._archive, self._next))
        write_durably(path, head)
        self._use(path, self._next, len(head))

    def _resume(self, paths: Sequence[Path], first: int) -> None:
        """first: of the last file, which failed to be used if a record of the one before has that number."""
        self._next = first
        for path in reversed(paths):
            numbers = [found.sequence for found in _read(path.read_bytes())]
            if numbers:
                self._next = max(first, numbers[-1] + 1)
                break
        content = paths[-1].read_bytes()
        self._use(paths[-1], first, _whole_bytes(content))
        self._whole = self._size == len(content)
        self._restored()

    def _use(self, path: Path, first: int, size: int) -> None:
        file = path.open("ab", buffering=0)
        if self._file is not None:
            self._file.close()
        self._file = file
        self._first, self._size, self._whole = first, size, True

    def _restored(self) -> BinaryIO:
        """The file without the rest of an append that failed; a new one where it has grown large."""
        if self._file is None:
            raise StoreUnavailable(f"the journal {self.folder} is closed")
        if not self._whole:
            os.ftruncate(self._file.fileno(), self._size)
            os.fsync(self._file.fileno())
            self._whole = True
        if self._size >= self._seal_bytes and self._next > self._first:
            self._begin()
        return self._file

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob(f"[0-9]*{SUFFIX}"))

    def _sealed(self) -> list[Path]:
        return [path for path in self._paths() if path.name < _name(self._first)]

    def _header(self, path: Path) -> Header:
        with path.open("rb") as file:
            body = next(_bodies(file.read(1 << 16)), None)
        with suppress(msgspec.MsgspecError):
            header = _headers.decode(body or b"")
            if header.schema == SCHEMA:
                return header
        raise StoreUnavailable(f"{path} is no journal of a feed: move it away, or name another folder")

    def _require_empty(self, paths: Sequence[Path], header: Header) -> None:
        if any(True for path in paths for _ in _read(path.read_bytes())):
            raise StoreUnavailable(
                f"the journal {self.folder} holds records of {header.archive[:200]} that are not yet in it: "
                f"run that feed once more, or name another folder"
            )

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            cause = error.strerror or first_line(error)
            raise StoreUnavailable(f"the journal {self.folder} cannot be kept: {cause}") from None


def _name(first: int) -> str:
    return f"{first:016d}{SUFFIX}"


def _rows(entry: Entry) -> int:
    return len(entry.ticks) + len(entry.candles)


def _framed(record: msgspec.Struct) -> bytes:
    body = _encode(record)
    return FRAME.pack(len(body), crc32(body)) + body


def _bodies(content: bytes) -> Iterator[memoryview]:
    """The whole frames from the beginning on."""
    view = memoryview(content)
    at = 0
    while at + FRAME.size <= len(view):
        length, checksum = FRAME.unpack_from(view, at)
        body = view[at + FRAME.size : at + FRAME.size + length]
        if len(body) != length or crc32(body) != checksum:
            return
        yield body
        at += FRAME.size + length


def _read(content: bytes) -> Iterator[Entry]:
    bodies = _bodies(content)
    next(bodies, None)  # the header
    for body in bodies:
        yield _entries.decode(body)


def _whole_bytes(content: bytes) -> int:
    return sum(FRAME.size + len(body) for body in _bodies(content))
