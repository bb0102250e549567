"""The archive as the event loop sees it: acknowledged at once, or held and tried again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from spark_engine.errors import BacktestError, InvalidData, StoreUnavailable
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.lock import AnotherWriter
from spark_engine.feeds.archive.records import Acknowledgeable
from spark_engine.feeds.host_clock import local_ns
from spark_engine.feeds.run.freed_memory import return_freed_memory
from spark_engine.feeds.run.pace import Pace
from spark_engine.feeds.run.worker import Worker
from spark_engine.feeds.serve.health import ArchiveHealth
from spark_engine.feeds.serve.metrics import FeedMetrics, StorageCause
from spark_engine.feeds.settings import FeedSettings

T = TypeVar("T")
MOST_HELD_ROWS: Final = 500_000

# What an error says, in the words of the operating system and of object stores.
CAUSES: Final[tuple[tuple[str, StorageCause], ...]] = (
    ("No space left", "full"),
    ("quota", "full"),
    ("Read-only", "read_only"),
    ("Permission denied", "denied"),
    ("refuses", "denied"),
    ("credentials", "denied"),
    ("is being written by", "locked"),
)


class Keeper:
    """`error`: why nothing can be acknowledged at present; `archive.error`: why no file can be written."""

    def __init__(
        self,
        settings: FeedSettings,
        journal: Path,
        metrics: FeedMetrics,
        report: Callable[[str], None],
        pace: Pace | None = None,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._metrics = metrics
        self._report = report
        self._pace = pace or Pace()
        self._worker = Worker("archive")
        self._archive: Archive | None = None
        self._held: list[Acknowledgeable] = []
        self._retry_at = 0.0  # monotonic seconds
        self._room = asyncio.Event()
        self._room.set()
        self._stopping = False
        self._commit = 0
        self._flushed_ms: int | None = None
        self._flush_error: str | None = None
        self.error: str | None = None

    @property
    def health(self) -> ArchiveHealth:
        rows = 0 if self._archive is None else self._archive.journal_rows()
        return ArchiveHealth(self._commit, rows, self._flushed_ms, self._flush_error)

    async def open(self) -> None:
        """Tries until the archive is there, and whole. Raises `InvalidSpec` for an address that is none."""
        await self._insist(self._open)

    async def ask(self, question: Callable[[Archive], T]) -> T:
        """An answer of the open archive, from its own thread."""
        archive = self._opened_archive()
        return await self._worker(lambda: question(archive))

    async def insist(self, question: Callable[[Archive], T]) -> T:
        """As `ask`; tries until there is an answer."""
        archive = self._opened_archive()
        return await self._insist(lambda: question(archive))

    async def keep(self, batches: Sequence[Acknowledgeable]) -> bool:
        """Acknowledged, with whatever is held since earlier failures; else held, and False. Calls follow one
        another."""
        self._held += batches
        if not self._held:
            return True
        if time.monotonic() >= self._retry_at or self._stopping:
            await self._append()
        if self._stopping or self._waiting() < MOST_HELD_ROWS:
            self._room.set()
        else:
            self._room.clear()
        return not self._held

    async def room(self) -> None:
        """While the journal fails, memory is bounded: then the venue has to wait."""
        await self._room.wait()

    def stopping(self) -> None:
        """Nothing more comes: nobody waits for room, and what is held is tried at once."""
        self._stopping = True
        self._room.set()

    async def flush(self) -> None:
        """Segments and manifests. A store that is away is reported; the journal keeps everything."""
        archive = self._opened_archive()
        try:
            flushed = await self._worker(archive.flush)
        except AnotherWriter:
            raise
        except BacktestError as error:
            self._flush_error = error.message
            self._count(error)
        else:
            if self._flush_error is not None:
                self._report("the archive is written again")
            self._flush_error = None
            self._flushed_ms = _now_ms()
            self._commit = max(self._commit, flushed.highest_commit)

    async def maintain(self) -> None:
        """For ever: removes what is older than the retention, and compacts, for which room may lack."""
        settings = self._settings
        while True:
            await asyncio.sleep(self._pace.compact)
            await self._upkeep(lambda archive: _retired(archive, settings))
            await self._upkeep(_compacted)
            await self._worker(return_freed_memory)

    async def _upkeep(self, work: Callable[[Archive], None]) -> None:
        try:
            await self.ask(work)
        except AnotherWriter:
            raise
        except BacktestError as error:
            self._count(error)

    async def close(self) -> None:
        """What is held goes to the journal, everything there into files. Raises `BacktestError`, and for what
        the journal did not take `StoreUnavailable`."""
        self.stopping()
        try:
            if self._archive is not None and not await self.keep(()):
                await self.flush()  # makes room where the journal is on a full disk
                await self.keep(())
        finally:
            try:
                await self._worker(self._close)  # after an opening that was under way
            finally:
                await asyncio.to_thread(self._worker.close)

    async def _insist(self, call: Callable[[], T]) -> T:
        """What waits for a store, or for a person: a new process would find things as they are."""
        failed = False
        while True:
            try:
                result = await self._worker(call)
            except (StoreUnavailable, InvalidData) as error:
                self._failed(error)
                failed = True
                await asyncio.sleep(self._pace.storage)
            else:
                if failed:
                    self.error = None
                    self._report("the archive can be used again")
                return result

    async def _append(self) -> None:
        try:
            await self._append_all(tuple(self._held))
        except StoreUnavailable as error:
            self._failed(error)
            self._retry_at = time.monotonic() + self._pace.storage
            return
        if self.error is not None:
            self._report("the journal takes rows again")
        self.error = None

    async def _append_all(self, pieces: tuple[Acknowledgeable, ...]) -> None:
        """The first of what is held, in their order: what is covered is claimed of earlier pieces too."""
        archive = self._opened_archive()
        try:
            await asyncio.to_thread(archive.append_many, pieces)
        except InvalidData as error:
            if len(pieces) > 1:
                middle = len(pieces) // 2
                await self._append_all(pieces[:middle])
                await self._append_all(pieces[middle:])
                return
            self._count(error)  # no file could hold it, and no other try will change that
        del self._held[: len(pieces)]

    def _open(self) -> None:
        settings = self._settings
        self._archive = Archive.open(
            settings.archive_uri,
            venue=settings.provider,
            journal=self._journal,
            writer=settings.name,
            timeframes=settings.timeframes,
        )
        self._commit = self._archive.recovered_commit

    def _close(self) -> None:
        if self._archive is None:
            return
        rows = self._waiting()
        lost = f"{rows} rows that were received are lost: {self.error}" if rows else None
        try:
            self._archive.close()
        except BacktestError as error:
            kept = f"waits in {self._journal} for the next start"
            if lost is not None:
                raise StoreUnavailable(f"{lost}; what else was received {kept}") from None
            raise type(error)(f"{error.message}; what was received {kept}", field=error.field) from None
        if lost is not None:
            raise StoreUnavailable(lost)

    def _opened_archive(self) -> Archive:
        if self._archive is None:
            raise RuntimeError("the archive is not open")
        return self._archive

    def _waiting(self) -> int:
        return sum(len(batch.ticks) + len(batch.candles) for batch in self._held)

    def _failed(self, error: BacktestError) -> None:
        self.error = error.message
        self._count(error)

    def _count(self, error: BacktestError) -> None:
        self._metrics.on_storage_error(storage_cause(error))
        self._report(str(error))


def _compacted(archive: Archive) -> None:
    archive.compact(_now_ms())


def _retired(archive: Archive, settings: FeedSettings) -> None:
    archive.retire(_now_ms(), ticks_ms=settings.ticks_retention_ms, candles_ms=settings.candles_retention_ms)


def _now_ms() -> int:
    return local_ns() // 1_000_000


def storage_cause(error: BacktestError) -> StorageCause:
    """Which of the causes of the metric an error has."""
    for words, cause in CAUSES:
        if words.lower() in error.message.lower():
            return cause
    return "unreachable" if isinstance(error, StoreUnavailable) else "corrupt"
