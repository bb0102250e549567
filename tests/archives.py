"""A small writer of archives, for tests of the reader: everything in memory, files written anew each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from spark_crds.canonical import sha256_hex
from spark_crds.formats.archive import Coverage, Day, SegmentFile, SeriesManifest
from spark_engine.data.archive.digest import rows_digest
from spark_engine.data.archive.segment import CandleRow, candle_columns
from spark_engine.data.archive.segment_file import encode_candles

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FIRST = 1_704_067_200_000  # 2024-01-01T00:00:00Z

Put = Callable[[str, bytes], object]


def into(folder: Path) -> Put:
    """Puts files into a folder of this machine."""

    def put(path: str, content: bytes) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    return put


def minute(ts: int, price: int = 10_000, **changed: int) -> CandleRow:
    """One minute around `price` hundredths; another price for every minute."""
    price += ts // MINUTE * 37 % 500
    values = {"open": price, "high": price + 30, "low": price - 20, "close": price + 10, "volume": 12_345}
    values |= changed
    return CandleRow(
        ts=ts,
        trades=None if ts % (3 * MINUTE) else 7,
        quality=values.pop("quality", 0),
        source="ticks",
        revision=values.pop("revision", 0),
        commit=0,
        price_scale=2,
        quantity_scale=4,
        **values,
    )


def minutes(begin: int, count: int) -> list[CandleRow]:
    """`count` whole minutes from `begin` on."""
    return [minute(begin + number * MINUTE) for number in range(count)]


def date_of(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).date().isoformat()


@dataclass
class Writer:
    """One series. Every call of `commit` is a commit; segments hold what it brought, a day each."""

    put: Put
    venue: str = "btcturk"
    symbol: str = "BTCTRY"
    timeframe: str = "1m"
    number: int = 0
    known_to: int = 0
    rows: list[CandleRow] = field(default_factory=list)
    segments: list[SegmentFile] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    removed: dict[str, Day] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"{self.venue}/{self.symbol}/{self.timeframe}"

    def commit(
        self, rows: Iterable[CandleRow] = (), covered: Iterable[tuple[int, int]] = (), known_to: int = 0
    ) -> None:
        """Appends rows and intervals; an interval that touches the known end makes the last one grow."""
        self.number += 1
        fresh = sorted(row._replace(commit=self.number) for row in rows)
        self.rows += fresh
        for date, group in groupby(fresh, lambda row: date_of(row.ts)):
            self._segment(date, list(group))
        for begin, end in covered:
            last = self.coverage[-1] if self.coverage else None
            if last is not None and begin == last.to_ms == self.known_to:
                self.coverage[-1] = Coverage(last.from_ms, end, last.commit)
            else:
                self.coverage.append(Coverage(begin, end, self.number))
            self.known_to = max(self.known_to, end)
        self.known_to = max(self.known_to, known_to)
        self.write()

    def compact(self) -> list[str]:
        """One segment a day. Returns the paths that are no longer named, for the test to remove."""
        old = [segment.path for segment in self.segments]
        self.segments = []
        for date, group in groupby(sorted(self.rows), lambda row: date_of(row.ts)):
            self._segment(date, sorted(group, key=lambda row: (row.ts, row.revision)))
        self.write()
        return [path for path in old if path not in {segment.path for segment in self.segments}]

    def retire(self, date: str) -> None:
        """Retention removes the files of a date."""
        self.removed[date] = next(day for day in self.manifest().days if day.date == date)
        self.rows = [row for row in self.rows if date_of(row.ts) != date]
        self.segments = [segment for segment in self.segments if segment.date != date]
        self.write()

    def manifest(self) -> SeriesManifest:
        days = dict(self.removed)
        for date, group in groupby(sorted(self.rows), lambda row: date_of(row.ts)):
            held = list(group)
            last = max(row.commit for row in held)
            days[date] = Day(date, len(held), last, rows_digest(candle_columns(held)))
        return SeriesManifest(
            venue=self.venue,
            symbol=self.symbol,
            venue_symbol=self.symbol,
            timeframe=self.timeframe,
            commit=self.number,
            known_to_ms=self.known_to,
            writer="a test",
            files=tuple(self.segments),
            days=tuple(days[date] for date in sorted(days)),
            coverage=tuple(self.coverage),
            price_scale=2,
            quantity_scale=4,
        )

    def write(self) -> None:
        self.put(f"{self.path}/manifest.json", self.manifest().content())

    def _segment(self, date: str, rows: list[CandleRow]) -> None:
        content = encode_candles(candle_columns(rows))
        sha256 = sha256_hex(content)
        numbers = [row.commit for row in rows]
        commits = min(numbers), max(numbers)
        path = f"{date}/{commits[0]}-{commits[1]}-{sha256[:8]}.parquet"
        self.put(f"{self.path}/{path}", content)
        self.segments.append(
            SegmentFile(path, date, len(rows), len(content), sha256, *commits, rows[0].ts, rows[-1].ts)
        )
