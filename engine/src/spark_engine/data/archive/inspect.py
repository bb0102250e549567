"""What is in an archive: the reading that `backtest data inspect` prints of one."""

from __future__ import annotations

from dataclasses import dataclass

from spark_crds.formats.archive import TICKS, latest_snapshot, pinned_uri

from spark_engine.data.archive.coverage import Known
from spark_engine.data.archive.days import Days
from spark_engine.data.archive.find import Pin, Series, archive_at


@dataclass(frozen=True, slots=True)
class ArchivedSeries:
    """One series as its manifest has it. Times: ms UTC. rows: in every revision, of days removed too.

    uncovered: what the feed did not see between the first and the last time that it did. amended: rows that
    replaced others, None where the rows were not read. pinned_uri and sha256: what a run of it records.
    """

    uri: str
    venue: str
    symbol: str
    venue_symbol: str
    timeframe: str
    commit: int
    known_to_ms: int
    files: int
    bytes: int
    rows: int
    first_date: str | None
    last_date: str | None
    days: int
    days_removed: int
    covered: tuple[tuple[int, int], ...]
    uncovered: tuple[tuple[int, int], ...]
    amended: int | None
    pinned_uri: str
    sha256: str


def inspect_archive(uri: str) -> tuple[ArchivedSeries, ...]:
    """Every series at `uri` and below, none where it is no archive. The rows of a single one are read.

    Raises `InvalidData` for damage, `StoreUnavailable` for a store that is silent.
    """
    found = archive_at(uri)
    single = len(found) == 1 and found[0].manifest.timeframe != TICKS
    return tuple(_inspected(series, read_rows=single) for series in found)


def _inspected(series: Series, *, read_rows: bool) -> ArchivedSeries:
    manifest = series.manifest
    snapshot = latest_snapshot(manifest)
    covered = tuple(snapshot.coverage)
    days = Days(series, Pin(manifest.commit, manifest.known_to_ms))
    dates = [day.date for day in manifest.days]
    return ArchivedSeries(
        uri=series.uri,
        venue=manifest.venue,
        symbol=manifest.symbol,
        venue_symbol=manifest.venue_symbol,
        timeframe=manifest.timeframe,
        commit=manifest.commit,
        known_to_ms=manifest.known_to_ms,
        files=len(manifest.files),
        bytes=sum(file.bytes for file in manifest.files),
        rows=sum(day.rows for day in manifest.days),
        first_date=dates[0] if dates else None,
        last_date=dates[-1] if dates else None,
        days=len(dates),
        days_removed=sum(map(days.removed, manifest.days)),
        covered=covered,
        uncovered=tuple(Known(1, covered, 0, 0).uncovered(covered[0][0], covered[-1][1])) if covered else (),
        amended=_amended(days) if read_rows else None,
        pinned_uri=pinned_uri(series.uri, manifest.commit, manifest.known_to_ms),
        sha256=snapshot.sha256,
    )


def _amended(days: Days) -> int:
    held = [day for day in days.dates() if not days.removed(day)]
    days.load(held)
    return sum(day.rows for day in held) - sum(map(len, days.rows(held)))
