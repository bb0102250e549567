"""The archive of a feed: `<root>/<venue>/<symbol>/<timeframe>/manifest.json`, and parquet files beside it.

A series (`timeframe` is a candle timeframe, or `trades`) is append-only: every row carries the number of
the commit that wrote it, an amended bar is a new row of a higher revision. So what a reader saw at a commit
can be read again for ever, whatever was appended or compacted since; its digest is that of `Snapshot`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spark_crds.canonical import canonical, sha256_hex

ARCHIVE_SCHEMA = "spark.trading/archive/v1"
SNAPSHOT_SCHEMA = "spark.trading/archive-snapshot/v1"
MANIFEST_FILE = "manifest.json"
TICKS = "trades"  # the name of a series of ticks, in the place of a timeframe


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """An immutable parquet file. path: in the series, `<date>/<first>-<last>-<sha256[:8]>.parquet`."""

    path: str
    date: str
    rows: int
    bytes: int
    sha256: str
    first_commit: int
    last_commit: int


@dataclass(frozen=True, slots=True)
class Day:
    """All rows of a UTC date (a session's, for a calendar) in every revision.

    sha256: of their columns, as `spark_engine.data.archive.digest` says; kept when retention removes files.
    """

    date: str
    rows: int
    last_commit: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """[from_ms, to_ms) in which every trade is known. Recorded by `commit`; only `to_ms` may still grow."""

    from_ms: int
    to_ms: int
    commit: int


@dataclass(frozen=True, slots=True)
class SeriesManifest:
    """What a series holds now. known_to_ms: nothing is said about the time from here on."""

    venue: str
    symbol: str
    venue_symbol: str
    timeframe: str
    commit: int
    known_to_ms: int
    writer: str
    files: tuple[SegmentFile, ...]
    days: tuple[Day, ...]
    coverage: tuple[Coverage, ...]
    price_scale: int
    quantity_scale: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A series as it was at a commit: rows of later commits and coverage beyond `known_to_ms` left out."""

    venue: str
    symbol: str
    timeframe: str
    commit: int
    known_to_ms: int
    days: Sequence[tuple[str, int, str]]  # date, rows, sha256
    coverage: Sequence[tuple[int, int]]  # merged, ascending

    @property
    def sha256(self) -> str:
        """What `data.sha256` of a run pins, hex."""
        return sha256_hex(canonical(self.document()))

    def document(self) -> dict[str, Any]:
        return {
            "schema": SNAPSHOT_SCHEMA,
            "venue": self.venue,
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "commit": self.commit,
            "knownTo": self.known_to_ms,
            "days": [{"date": date, "rows": rows, "sha256": sha256} for date, rows, sha256 in self.days],
            "coverage": [[begin, end] for begin, end in self.coverage],
        }


def merged_coverage(
    coverage: Sequence[Coverage], commit: int, known_to_ms: int
) -> tuple[tuple[int, int], ...]:
    """Intervals recorded up to `commit`, clipped to `known_to_ms`, overlapping and touching ones as one."""
    clipped = sorted(
        (entry.from_ms, min(entry.to_ms, known_to_ms)) for entry in coverage if entry.commit <= commit
    )
    merged: list[tuple[int, int]] = []
    for begin, end in clipped:
        if end <= begin:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return tuple(merged)
