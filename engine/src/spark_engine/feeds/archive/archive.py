"""The archive of a venue, as its one writer has it: append is an fsync of a journal, flush makes files."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from spark_crds.formats.archive import NAME, TICKS, SeriesManifest

from spark_engine.errors import BacktestError, InvalidData, InvalidSpec, StoreUnavailable, first_line
from spark_engine.feeds.archive.compaction import MOST_TICKS, OPEN_SEGMENTS, compact_series
from spark_engine.feeds.archive.discard import GRACE_SECONDS, Discarded
from spark_engine.feeds.archive.flush import Flush, Flushed
from spark_engine.feeds.archive.journal import Journal
from spark_engine.feeds.archive.lock import LOCK_FILE, FileLock, Lock, lock
from spark_engine.feeds.archive.pending import SeriesKey
from spark_engine.feeds.archive.queries import Queries
from spark_engine.feeds.archive.records import Acknowledgeable
from spark_engine.feeds.archive.retention import retire_series
from spark_engine.feeds.archive.series_files import SeriesFiles, date_of, is_ticks
from spark_engine.feeds.archive.store import Store
from spark_engine.feeds.archive.stores import open_store
from spark_engine.feeds.market import Candle, Interval, MarketTick


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Archive:
    """Threads: `append_many` never waits for a flush; everything else waits for each other.

    All raise `StoreUnavailable`, naming the archive or the journal and the cause. What was acknowledged is
    then in the journal, and a later flush, of this process or the next, brings it into files.
    """

    def __init__(
        self,
        store: Store,
        *,
        venue: str,
        journal: Path,
        writer: str,
        timeframes: Sequence[str] = (),
        wall: Callable[[], int] = wall_ms,
        clock: Callable[[], float] = time.monotonic,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        """Locks, removes what a crash left, and flushes what it left in the journal."""
        if NAME.fullmatch(venue) is None or not writer.strip():
            raise InvalidSpec(f"an archive needs a venue and a writer; are {venue!r} and {writer!r}")
        self.venue = venue
        self._timeframes = tuple(timeframes)
        self._writing = threading.RLock()
        self._journal_lock = _journal_lock(journal, writer)
        try:
            self._journal = Journal(journal, f"{store.uri} {venue}")
            self._lock: Lock = lock(store, venue, writer, wall)
        except BaseException:
            self._journal_lock.release()
            raise
        self._files = SeriesFiles(store, venue, self._lock.require)
        self._flush = Flush(self._files, self._journal, "-".join(writer.split()))
        self._discarded = Discarded(self._files, clock, grace_seconds)
        self._queries = Queries(self._files, self._journal)
        try:
            self._recover()
        except BaseException:
            self._release()
            raise

    @classmethod
    def open(
        cls, uri: str, *, venue: str, journal: Path, writer: str, timeframes: Sequence[str] = ()
    ) -> Archive:
        """timeframes: of the candle series that `covered` is about, besides those of the candles that come
        with it. Raises `AnotherWriter`, `StoreUnavailable`, `InvalidSpec`, `InvalidData` for damage."""
        return cls(open_store(uri), venue=venue, journal=journal, writer=writer, timeframes=timeframes)

    def append(self, piece: Acknowledgeable) -> int:
        """As `append_many`, of one piece."""
        return self.append_many((piece,))

    def append_many(self, pieces: Iterable[Acknowledgeable]) -> int:
        """On return all of it is acknowledged: it survives a loss of power. One fsync, however many pieces.

        Returns the last sequence number. Raises `InvalidData` for what no file could hold. Whatever it
        raises, nothing of `pieces` is acknowledged.
        """
        return self._journal.append(pieces, self._timeframes)

    def flush(self) -> Flushed:
        """Segments and manifests of what the journal holds, then that part of the journal goes.

        Costs what was appended, not what the archive holds. What a damaged series cannot take stays in the
        journal, and the others go on.
        """
        flushed = Flushed()
        with self._writing:
            self._lock.check()
            try:
                self._flush.run(flushed)
            finally:
                self._known |= self._flush.committed
                self._discarded.sweep()  # may be the room that it lacked
        return flushed

    def compact(
        self, now_ms: int, *, open_segments: int = OPEN_SEGMENTS, most_ticks: int = MOST_TICKS
    ) -> int:
        """Few segments a day, as `compact_series`, of the days before that of `now_ms` and of others where
        it saves `open_segments`. Returns how many files were superseded; they go after a grace period."""
        return self._superseded(
            lambda key: compact_series(self._files, key, date_of(now_ms), open_segments, most_ticks)
        )

    def retire(self, now_ms: int, *, ticks_ms: int | None = None, candles_ms: int | None = None) -> int:
        """Removes the files of days that ended longer ago than that; None keeps. Returns how many files."""

        def retired(key: SeriesKey) -> Sequence[str]:
            limit = ticks_ms if is_ticks(key) else candles_ms
            return () if limit is None else retire_series(self._files, key, date_of(max(0, now_ms - limit)))

        return self._superseded(retired)

    def series(self) -> tuple[SeriesKey, ...]:
        """Those that have a manifest."""
        with self._writing:
            return tuple(sorted(self._known))

    def manifest(self, symbol: str, timeframe: str = TICKS) -> SeriesManifest | None:
        with self._writing:
            return self._files.manifest(SeriesKey(symbol, timeframe))

    def ticks_since(self, symbol: str, ts_ms: int, *, least: int = 0) -> list[MarketTick]:
        """Ticks from `ts_ms` on, by time, those of the journal as well, and earlier ones where they are fewer
        than the last `least`. Scales: the widest of all of them, as `scales` says."""
        with self._writing:
            return self._queries.ticks_since(symbol, ts_ms, least)

    def last_candles(self, symbol: str, timeframe: str, count: int) -> list[Candle]:
        """The last `count` bars in their highest revisions, oldest first, those of the journal as well."""
        with self._writing:
            return self._queries.last_candles(symbol, timeframe, count)

    def candles(self, symbol: str, timeframe: str, from_ms: int, to_ms: int) -> list[Candle]:
        """Bars that open in [from_ms, to_ms), likewise."""
        with self._writing:
            return self._queries.candles(symbol, timeframe, from_ms, to_ms)

    def coverage(self, symbol: str, timeframe: str = TICKS) -> tuple[Interval, ...]:
        """Merged, ascending, with what the journal says."""
        with self._writing:
            return self._queries.coverage(symbol, timeframe)

    def scales(self, symbol: str) -> tuple[int, int] | None:
        """The widest price and quantity scales of ticks so far; None before the first."""
        with self._writing:
            return self._queries.scales(symbol)

    def journal_bytes(self) -> int:
        """What is acknowledged and not yet dropped from the journal."""
        return self._journal.bytes()

    def journal_rows(self) -> int:
        """What was appended and is not yet dropped from the journal: at least what no segment has."""
        return self._journal.rows()

    def close(self) -> None:
        """Flushes everything, and releases the archive even where that fails."""
        with self._writing:
            try:
                self.flush()
            finally:
                self._release()

    def abandon(self) -> None:
        """Releases the archive without a flush: the journal keeps what is in it."""
        with self._writing:
            self._release()

    def _recover(self) -> None:
        self._files.store.remove_unfinished(self.venue)
        self._known, segments = self._files.keys()
        flushed = self.flush()
        self.recovered_rows = flushed.rows
        self.recovered_commit = 0  # the highest of any series
        for key in self._known:
            manifest = self._files.manifest(key)
            if manifest is not None:
                self.recovered_commit = max(self.recovered_commit, manifest.commit)
                segments -= {self._files.name(key, file) for file in manifest.files}
        self._discarded.add(sorted(segments))
        self._discarded.sweep()

    def _superseded(self, shrink: Callable[[SeriesKey], Iterable[str]]) -> int:
        """Of all series; a damaged one is told when the others are done."""
        count = 0
        failure: InvalidData | None = None
        with self._writing:
            self._lock.check()
            for key in self.series():
                try:
                    for name in shrink(key):
                        self._discarded.add((name,))
                        count += 1
                except InvalidData as damage:
                    failure = damage
            self._discarded.sweep()
        if failure is not None:
            raise failure
        return count

    def _release(self) -> None:
        self._journal.close()
        self._journal_lock.release()
        with suppress(BacktestError):  # a store that is away cannot be told
            self._lock.release()


def _journal_lock(folder: Path, writer: str) -> FileLock:
    try:
        return FileLock(folder / LOCK_FILE, f"the journal {folder}", writer)
    except OSError as error:
        cause = error.strerror or first_line(error)
        raise StoreUnavailable(f"the journal {folder} cannot be kept: {cause}") from None
