"""Rows of a series as they were at a commit, a day at a time, and the digests that prove it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, islice, pairwise

from spark_crds.canonical import sha256_hex
from spark_crds.formats.archive import Day, SegmentFile, Snapshot, merged_coverage

from spark_engine.data.archive.digest import rows_digest
from spark_engine.data.archive.find import Pin, Series
from spark_engine.data.archive.segment import CANDLE_NAMES, CandleColumns, in_order, joined, taken
from spark_engine.data.archive.segment_file import decode_candles
from spark_engine.data.files import FIELD, require_size
from spark_engine.data.isolated import isolated_columns
from spark_engine.data.request import UNITS_MS
from spark_engine.data.rows import Rows
from spark_engine.errors import InvalidData

DAY_MS = UNITS_MS["d"]
EPOCH = date(1970, 1, 1).toordinal()


class Vanished(Exception):
    """A file that the manifest names is not there: compaction or retention was here since it was read."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A day at the commit. count and sha256: of its rows in every revision. rows: of the highest ones."""

    count: int
    sha256: str
    rows: Rows


@dataclass(slots=True)
class Days:
    """The days of `series` at `pin`; rows are read when they are asked for, once. size: bytes read."""

    series: Series
    pin: Pin
    size: int = 0
    _files: dict[str, list[SegmentFile]] = field(default_factory=dict)
    _read: dict[str, _Read] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for file in self.series.manifest.files:
            self._files.setdefault(file.date, []).append(file)

    def dates(self) -> list[Day]:
        """The days that had rows at the commit, and those of which nobody can tell any more."""
        return [day for day in self.series.manifest.days if day.rows and not self._is_later(day)]

    def removed(self, day: Day) -> bool:
        """Whether retention removed its files."""
        return day.date not in self._files

    def load(self, days: Iterable[Day]) -> None:
        """Raises `InvalidData` for damage and for days removed by retention, `Vanished`."""
        wanted = [day for day in days if day.date not in self._read]
        gone = [day.date for day in wanted if self.removed(day)]
        if gone:
            raise InvalidData(
                f"{self.series.uri}: retention removed the days {_dates(gone)}, which the run needs; keep "
                "them longer, or begin later (spec.market.start, warmupBars)",
                field=FIELD,
            )
        files = [file for day in wanted for file in self._files[day.date]]
        parts = groupby(zip(files, self._decoded(files), strict=True), lambda pair: pair[0].date)
        columns = {name: joined([part for _file, part in pairs]) for name, pairs in parts}
        for day in wanted:
            self._read[day.date] = self._checked(day, columns[day.date])

    def rows(self, days: Iterable[Day]) -> list[Rows]:
        """The highest revisions of days that are loaded."""
        return [self._read[day.date].rows for day in days]

    def snapshot(self) -> Snapshot:
        """Loads the days that were written to after the commit. Raises as `load`."""
        self._load_amended()
        manifest = self.series.manifest
        listed = []
        for day in self.dates():
            read = self._read.get(day.date)
            count, sha256 = (day.rows, day.sha256) if read is None else (read.count, read.sha256)
            if count:
                listed.append((day.date, count, sha256))
        return Snapshot(
            venue=manifest.venue,
            symbol=manifest.symbol,
            timeframe=manifest.timeframe,
            commit=self.pin.commit,
            known_to_ms=self.pin.known_to_ms,
            days=listed,
            coverage=merged_coverage(manifest.coverage, self.pin.commit, self.pin.known_to_ms),
        )

    def _load_amended(self) -> None:
        amended = [day for day in self.dates() if day.last_commit > self.pin.commit]
        gone = [day.date for day in amended if self.removed(day)]
        if gone:
            raise InvalidData(
                f"{self.series.uri} at commit {self.pin.commit} cannot be told any more: the days "
                f"{_dates(gone)} were amended later, and then retention removed them",
                field="spec.data.sha256",
            )
        self.load(amended)

    def _is_later(self, day: Day) -> bool:
        """Whether all of a day was written after the commit."""
        files = self._files.get(day.date, ())
        return bool(files) and all(file.first_commit > self.pin.commit for file in files)

    def _checked(self, day: Day, columns: CandleColumns) -> _Read:
        ordered = in_order(columns)
        if day.last_commit > self.pin.commit:
            seen = _until(ordered, self.pin.commit)
            return _Read(len(seen), rows_digest(seen), _highest(seen))
        found = rows_digest(ordered)
        if len(ordered) != day.rows or found != day.sha256:
            raise InvalidData(
                f"{self.series.uri}: {day.date} has {len(ordered)} rows with the digest {found}, but its "
                f"manifest says {day.rows} with {day.sha256}",
                field=FIELD,
            )
        return _Read(day.rows, day.sha256, _highest(ordered))

    def _decoded(self, files: Sequence[SegmentFile]) -> list[CandleColumns]:
        if not files:
            return []
        require_size(sum(file.bytes for file in files) + self.size, self.series.uri)
        contents = self._contents(files)
        self.size += sum(map(len, contents))
        whole = isolated_columns(
            lambda: _columns(joined(list(map(_segment, files, contents)))),
            f"{self.series.uri}, {files[0].path}{' and others' if len(files) > 1 else ''}",
        )
        parts, begin = [], 0
        for file in files:
            parts.append(CandleColumns(*(column[begin : begin + file.rows] for column in whole)))
            begin += file.rows
        return parts

    def _contents(self, files: Sequence[SegmentFile]) -> list[bytes]:
        folder = f"{self.series.path}/" if self.series.path else ""
        contents = []
        found = self.series.place.read([folder + file.path for file in files])
        for file, content in zip(files, found, strict=True):
            if content is None:
                raise Vanished(file.path)
            sha256 = sha256_hex(content)
            if sha256 != file.sha256:
                raise InvalidData(
                    f"{self.series.uri}/{file.path} is damaged: {len(content)} bytes with the SHA-256 "
                    f"{sha256}, but its manifest says {file.bytes} with {file.sha256}",
                    field=FIELD,
                )
            contents.append(content)
        return contents


def date_ms(text: str) -> int:
    """Midnight UTC of a date."""
    return (date.fromisoformat(text).toordinal() - EPOCH) * DAY_MS


def _segment(file: SegmentFile, content: bytes) -> CandleColumns:
    columns = decode_candles(content, file.path)
    if len(columns) != file.rows:
        raise InvalidData(
            f"{file.path} has {len(columns)} rows, but its manifest says {file.rows}", field=FIELD
        )
    return columns


def _columns(columns: CandleColumns) -> list[memoryview]:
    return [getattr(columns, name) for name in CANDLE_NAMES]


def _until(columns: CandleColumns, commit: int) -> CandleColumns:
    """The rows of commits up to `commit`."""
    return taken(columns, [row for row, number in enumerate(columns.commit) if number <= commit])


def _highest(columns: CandleColumns) -> Rows:
    """The last revision of every bar; `columns` are in order."""
    ts = columns.ts
    rows = Rows(ts, columns.open, columns.high, columns.low, columns.close, columns.volume, columns.quality)
    last = [row for row, (stamp, after) in enumerate(pairwise(ts)) if stamp != after]
    if len(last) >= len(ts) - 1:
        return rows
    return rows.take([*last, len(ts) - 1])


def _dates(dates: Sequence[str]) -> str:
    shown = list(islice(dates, 5))
    return ", ".join(shown) + (f", ... {dates[-1]} ({len(dates)} days)" if len(dates) > len(shown) else "")
