"""One writer of a venue's archive: a locked file in a directory, a record with a lease in an object store."""

from __future__ import annotations

import fcntl
import os
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import msgspec

from spark_engine.errors import BacktestError, StoreUnavailable, first_line
from spark_engine.feeds.archive.directory_store import Directory, make_folder
from spark_engine.feeds.archive.store import FIELD, Store, unavailable

LOCK_FILE: Final = ".writer.lock"
LEASE_FILE: Final = ".writer.json"
LEASE_MS: Final = 300_000
RENEW_SECONDS: Final = 60.0


class AnotherWriter(StoreUnavailable):
    """Two writers of one archive: the one that sees it must stop."""


class Lock(Protocol):
    def check(self) -> None:
        """Still ours, and renewed. Raises `AnotherWriter`, `StoreUnavailable`."""

    def require(self) -> None:
        """Ours without a break since the last check. Raises likewise."""

    def release(self) -> None: ...


def lock(store: Store, venue: str, writer: str, wall_ms: Callable[[], int]) -> Lock:
    """Raises `AnotherWriter`, `StoreUnavailable`."""
    if isinstance(store, Directory):
        try:
            return FileLock(store.root / venue / LOCK_FILE, store.uri, writer)
        except OSError as error:
            cause = error.strerror or first_line(error)
            raise unavailable(store.uri, f"cannot be locked: {cause}") from None
    return Lease(store, venue, writer, wall_ms)


class FileLock:
    """Held until `release`, or until the process ends in any way."""

    def __init__(self, path: Path, what: str, writer: str) -> None:
        make_folder(path.parent)
        self._file: BinaryIO = path.open("a+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read(300).decode(errors="replace").strip() or "another process"
            self._file.close()
            raise AnotherWriter(
                f"{what} is being written by {holder}: stop one of the two, or give one another place",
                field=FIELD,
            ) from None
        self._file.truncate(0)
        self._file.write(f"{writer}, process {os.getpid()}\n".encode())

    def check(self) -> None:
        """A lock of a file cannot be taken away."""

    def require(self) -> None:
        """Nor can it here."""

    def release(self) -> None:
        self._file.close()


class _Record(msgspec.Struct, rename="camel"):
    writer: str
    token: str
    renewed_ms: int


class Lease:
    """A record that names the writer, renewed by a thread of its own: a flush may be long, or an hour away.
    The same writer's next process takes it over at once, another's only when it was not renewed for
    `LEASE_MS`; whoever lost it learns so before its next manifest."""

    def __init__(
        self,
        store: Store,
        venue: str,
        writer: str,
        wall_ms: Callable[[], int],
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self._store, self._name, self._writer = store, f"{venue}/{LEASE_FILE}", writer
        self._wall_ms = wall_ms
        self._token = uuid.uuid4().hex
        self._checking = threading.Lock()
        self._released = threading.Event()
        found = self._record()
        if found is not None and found.writer != writer and wall_ms() - found.renewed_ms < LEASE_MS:
            raise self._another(found)
        self._renew()
        self.check()
        threading.Thread(target=self._hold, args=(renew_seconds,), name="lease", daemon=True).start()

    def check(self) -> None:
        with self._checking:
            found = self._record()
            if found is not None and found.token != self._token:
                raise self._another(found)
            self._renew()

    def require(self) -> None:
        found = self._record()
        if found is None:
            raise unavailable(
                self._store.uri, "another writer came and went: what it wrote is to be read first"
            )
        if found.token != self._token:
            raise self._another(found)

    def release(self) -> None:
        self._released.set()
        with self._checking:
            found = self._record()
            if found is not None and found.token == self._token:
                self._store.delete(self._name)

    def _hold(self, renew_seconds: float) -> None:
        while not self._released.wait(renew_seconds):
            with self._checking, suppress(BacktestError):  # the next flush says so
                if not self._released.is_set():
                    self.require()
                    self._renew()

    def _renew(self) -> None:
        record = _Record(self._writer, self._token, self._wall_ms())
        self._store.replace(self._name, msgspec.json.encode(record))

    def _record(self) -> _Record | None:
        content = self._store.get(self._name)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=_Record)
        except msgspec.MsgspecError:
            raise unavailable(self._store.uri, f"{self._name} is no writer's record: delete it") from None

    def _another(self, found: _Record) -> AnotherWriter:
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(found.renewed_ms / 1000))
        return AnotherWriter(
            f"{self._store.uri} is being written by {found.writer}, which said so at {since}: stop one of "
            f"the two, or give one another place",
            field=FIELD,
        )
