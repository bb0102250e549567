"""The files of one series: its manifest, and the rows of its days."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from spark_crds.canonical import sha256_hex
from spark_crds.formats.archive import MANIFEST_FILE, TICKS, SegmentFile, SeriesManifest, read_series_manifest
from spark_crds.formats.error import FormatError

from spark_engine.data.archive.segment import CandleColumns, TickColumns, in_order, joined
from spark_engine.data.archive.segment_file import (
    decode_candles,
    encode_candles,
    encode_ticks,
    joined_ticks,
    tick_batches,
)
from spark_engine.errors import InvalidData
from spark_engine.feeds.archive.pending import SeriesKey
from spark_engine.feeds.archive.store import FIELD, Store, put_verified

DAY_MS: Final = 86_400_000
HELD_ROWS: Final = 300_000  # of days of candles, so that a flush need not read back what it wrote: 30 MB
DAY_ROWS: Final = 50  # a day that is held costs as much besides its own


class _Held(NamedTuple):
    """The rows of a day, and the files that they lie in."""

    paths: tuple[str, ...]
    columns: CandleColumns

    @property
    def cost(self) -> int:
        return len(self.columns) + DAY_ROWS


class SeriesFiles:
    """Reads and writes the series of one venue. Not for threads. require: raises where another writes it."""

    def __init__(self, store: Store, venue: str, require: Callable[[], None] = lambda: None) -> None:
        self.store = store
        self.venue = venue
        self._require = require
        self._held: OrderedDict[tuple[SeriesKey, str], _Held] = OrderedDict()
        self._held_rows = 0

    def folder(self, key: SeriesKey) -> str:
        return f"{self.venue}/{key.symbol}/{key.timeframe}"

    def name(self, key: SeriesKey, file: SegmentFile) -> str:
        return f"{self.folder(key)}/{file.path}"

    def manifest(self, key: SeriesKey) -> SeriesManifest | None:
        """Raises `InvalidData` for one that is damaged."""
        name = f"{self.folder(key)}/{MANIFEST_FILE}"
        content = self.store.get(name)
        if content is None:
            return None
        try:
            return read_series_manifest(content)
        except FormatError as error:
            raise InvalidData(f"{self.store.uri}: {name}: {error}", field=FIELD) from None

    def publish(self, key: SeriesKey, manifest: SeriesManifest) -> None:
        """From here on readers see it. What was read of it before must still be so."""
        self._require()
        self.store.replace(f"{self.folder(key)}/{MANIFEST_FILE}", manifest.content())

    def keys(self) -> tuple[set[SeriesKey], set[str]]:
        """The series that have a manifest, and the names of all segments, of any manifest or of none."""
        series, segments = set(), set()
        for name in self.store.list(self.venue):
            match name.split("/"):
                case [self.venue, symbol, timeframe, file] if file == MANIFEST_FILE:
                    series.add(SeriesKey(symbol, timeframe))
                case [self.venue, _, _, _, file] if file.endswith(".parquet"):
                    segments.add(name)
        return series, segments

    def write(self, key: SeriesKey, date: str, columns: CandleColumns | TickColumns) -> SegmentFile:
        """A new segment, named by its content, in order."""
        if isinstance(columns, TickColumns):
            content = encode_ticks(in_order(columns))
        else:
            content = encode_candles(in_order(columns))
        commits = min(columns.commit), max(columns.commit)
        return self._put(key, date, content, len(columns), commits, (min(columns.ts), max(columns.ts)))

    def join_ticks(self, key: SeriesKey, files: Sequence[SegmentFile]) -> SegmentFile:
        """A new segment of the rows of several of one date that follow each other. They are never rows of
        Python. Raises `InvalidData` for damage."""
        date, rows = files[0].date, sum(file.rows for file in files)
        content, found = joined_ticks((self._content(key, file) for file in files), date)
        if found != rows:
            raise InvalidData(
                f"{self.store.uri}: {self.folder(key)}/{date} has {found} rows, but its manifest says {rows}",
                field=FIELD,
            )
        commits = files[0].first_commit, files[-1].last_commit
        times = min(file.first_ts for file in files), max(file.last_ts for file in files)
        return self._put(key, date, content, rows, commits, times)

    def candles(self, key: SeriesKey, date: str, manifest: SeriesManifest) -> CandleColumns | None:
        """All rows of a date, None without any. Raises `InvalidData` for damage."""
        files = files_of(manifest, date)
        if not files:
            return None
        held = self._held.get((key, date))
        if held is not None and held.paths == _paths(files):
            found = held.columns
        else:
            found = joined([decode_candles(self._content(key, file), file.path) for file in files])
        self.hold(key, date, files, found)
        return found

    def ticks(self, key: SeriesKey, files: Iterable[SegmentFile]) -> Iterator[TickColumns]:
        """The rows of some files of ticks, a bounded number at a time. Raises `InvalidData` for damage."""
        for file in files:
            yield from tick_batches(self._content(key, file), file.path)

    def ticks_at(
        self, key: SeriesKey, date: str, manifest: SeriesManifest, times: Collection[int]
    ) -> Iterator[tuple[int, str]]:
        """Time and id of the ticks of a date at some times. Reads only files that may have one."""
        ascending = sorted(times)
        files = [file for file in files_of(manifest, date) if _any_within(ascending, file)]
        for columns in self.ticks(key, files):
            for ts, name in zip(columns.ts, columns.id, strict=True):
                if ts in times:
                    yield ts, name

    def hold(self, key: SeriesKey, date: str, files: Iterable[SegmentFile], columns: CandleColumns) -> None:
        """Keeps the rows that lie in `files` in memory, and of other files of that date none."""
        before = self._held.pop((key, date), None)
        if before is not None:
            self._held_rows -= before.cost
        self._held[key, date] = held = _Held(_paths(files), columns)
        self._held_rows += held.cost
        while len(self._held) > 1 and self._held_rows > HELD_ROWS:
            self._held_rows -= self._held.popitem(last=False)[1].cost

    def _put(
        self,
        key: SeriesKey,
        date: str,
        content: bytes,
        rows: int,
        commits: tuple[int, int],
        times: tuple[int, int],
    ) -> SegmentFile:
        sha256 = sha256_hex(content)
        path = f"{date}/{commits[0]}-{commits[1]}-{sha256[:8]}.parquet"
        put_verified(self.store, f"{self.folder(key)}/{path}", content)
        return SegmentFile(path, date, rows, len(content), sha256, *commits, *times)

    def _content(self, key: SeriesKey, file: SegmentFile) -> bytes:
        name = self.name(key, file)
        content = self.store.get(name)
        if content is None or sha256_hex(content) != file.sha256:
            state = "is not there" if content is None else "is damaged"
            raise InvalidData(f"{self.store.uri}: {name}, which its manifest names, {state}", field=FIELD)
        return content


def _paths(files: Iterable[SegmentFile]) -> tuple[str, ...]:
    return tuple(file.path for file in files)


def _any_within(ascending: Sequence[int], file: SegmentFile) -> bool:
    return bisect_left(ascending, file.first_ts) < bisect_right(ascending, file.last_ts)


def files_of(manifest: SeriesManifest, date: str) -> list[SegmentFile]:
    return [file for file in manifest.files if file.date == date]


def date_of(ts_ms: int) -> str:
    """The UTC date of a time."""
    return datetime.fromtimestamp(ts_ms // 1000, UTC).strftime("%Y-%m-%d")


def is_ticks(key: SeriesKey) -> bool:
    return key.timeframe == TICKS
