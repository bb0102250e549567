"""The archive as the event loop sees it: acknowledged at once, or held and tried again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from spark_engine.errors import BacktestError, StoreUnavailable
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.lock import AnotherWriter
from spark_engine.feeds.pipeline.batch import Batch
from spark_engine.feeds.run.worker import Worker
from spark_engine.feeds.serve.health import ArchiveHealth
from spark_engine.feeds.serve.metrics import FeedMetrics, StorageCause
from spark_engine.feeds.settings import FeedSettings

T = TypeVar("T")
MOST_HELD_ROWS: Final = 500_000
RETRY_SECONDS: Final = 2.0
COMPACT_SECONDS: Final = 3600.0

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
        self, settings: FeedSettings, journal: Path, metrics: FeedMetrics, report: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._metrics = metrics
        self._report = report
        self._worker = Worker("archive")
        self._archive: Archive | None = None
        self._held: list[Batch] = []
        self._room = asyncio.Event()
        self._room.set()
        self._commit = 0
        self._flushed_ms: int | None = None
        self._flush_error: str | None = None
        self.error: str | None = None

    @property
    def health(self) -> ArchiveHealth:
        rows = self._waiting() + (self._archive.journal_rows() if self._archive is not None else 0)
        return ArchiveHealth(self._commit, rows, self._flushed_ms, self._flush_error)

    async def open(self) -> None:
        """Tries until the archive is there. Raises `BacktestError` for what waiting will not mend."""
        while True:
            try:
                self._archive = await self._worker(self._opened)
            except StoreUnavailable as error:
                self._failed(error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.error = None
                return

    async def ask(self, question: Callable[[Archive], T]) -> T:
        """An answer of the open archive, from its own thread."""
        archive = self._opened_archive()
        return await self._worker(lambda: question(archive))

    async def keep(self, batches: Sequence[Batch]) -> bool:
        """Acknowledged, with whatever is held since earlier failures; else held, and False."""
        pieces = [*self._held, *batches]
        if not pieces:
            return True
        archive = self._opened_archive()
        try:
            await asyncio.to_thread(archive.append_many, pieces)
        except StoreUnavailable as error:
            self._failed(error)
            self._held = pieces
        else:
            self._held = []
            if self.error is not None:
                self._report("the journal takes rows again")
            self.error = None
        (self._room.set if self._waiting() < MOST_HELD_ROWS else self._room.clear)()
        return not self._held

    async def room(self) -> None:
        """While the journal fails, memory is bounded: then the venue has to wait."""
        await self._room.wait()

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
            self._flushed_ms = time.time_ns() // 1_000_000
            self._commit = max(self._commit, flushed.highest_commit)

    async def maintain(self) -> None:
        """For ever: compacts, and removes what is older than the retention."""
        settings = self._settings
        while True:
            await asyncio.sleep(COMPACT_SECONDS)
            archive, now_ms = self._opened_archive(), time.time_ns() // 1_000_000
            try:
                await self._worker(lambda: archive.compact(now_ms))  # noqa: B023 - awaited at once
                await self._worker(
                    lambda: archive.retire(  # noqa: B023
                        now_ms,  # noqa: B023
                        ticks_ms=settings.ticks_retention_ms,
                        candles_ms=settings.candles_retention_ms,
                    )
                )
            except AnotherWriter:
                raise
            except BacktestError as error:
                self._count(error)

    async def close(self) -> None:
        """What is held goes to the journal, everything there into files. Raises `BacktestError`."""
        if self._archive is not None:
            await self.keep(())
            await self._worker(self._archive.close)
        self._worker.close()

    def _opened(self) -> Archive:
        settings = self._settings
        return Archive.open(
            settings.archive_uri,
            venue=settings.provider,
            journal=self._journal,
            writer=settings.name,
            timeframes=settings.timeframes,
        )

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


def storage_cause(error: BacktestError) -> StorageCause:
    """Which of the causes of the metric an error has."""
    for words, cause in CAUSES:
        if words.lower() in error.message.lower():
            return cause
    return "unreachable" if isinstance(error, StoreUnavailable) else "corrupt"
