"""One commit of a series: a segment a date, then the manifest that names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple, TypeVar

from spark_crds.formats.archive import Day, SegmentFile, SeriesManifest

from spark_engine.data.archive.digest import extended_digest, rows_digest
from spark_engine.data.archive.segment import CandleRow, TickRow, candle_columns, joined, tick_columns
from spark_engine.feeds.archive.covered import grown
from spark_engine.feeds.archive.fresh import fresh_candles, fresh_ticks
from spark_engine.feeds.archive.pending import Pending, SeriesKey
from spark_engine.feeds.archive.series_files import DAY_MS, SeriesFiles, date_of, files_of, is_ticks

Row = TypeVar("Row", CandleRow, TickRow)


class Written(NamedTuple):
    """rows: new ones. refused: of days that retention has removed, which nobody can add to."""

    manifest: SeriesManifest
    rows: int
    refused: int


def commit(files: SeriesFiles, key: SeriesKey, pending: Pending, writer: str) -> Written:
    """Writes what of `pending` the series lacks; nothing where it lacks nothing. Raises `StoreUnavailable`,
    and `InvalidData` for a damaged archive; whatever it raises, readers see all of the commit or nothing."""
    before = files.manifest(key) or _empty(files, key, pending)
    number = before.commit + 1
    days = {day.date: day for day in before.days}
    written: list[SegmentFile] = []
    refused = 0
    rows: Iterable[tuple[str, Sequence[TickRow | CandleRow]]]
    rows = _dated(pending.ticks) if is_ticks(key) else _dated(pending.candles)
    for date, dated in rows:
        if date in days and not files_of(before, date):
            refused += len(dated)
            continue
        found = _write_day(files, key, before, date, dated, number)
        if found is not None:
            segment, days[date] = found
            written.append(segment)
    coverage = grown(before.coverage, before.known_to_ms, pending.covered, number)
    if not written and coverage == before.coverage:
        return Written(before, 0, refused)
    manifest = replace(
        before,
        venue_symbol=pending.venue_symbol,
        commit=number,
        known_to_ms=max(before.known_to_ms, *(entry.to_ms for entry in coverage), 0),
        writer=writer,
        files=tuple(sorted((*before.files, *written), key=lambda file: (file.date, file.first_commit))),
        days=tuple(days[date] for date in sorted(days)),
        coverage=coverage,
        price_scale=max(before.price_scale, pending.price_scale),
        quantity_scale=max(before.quantity_scale, pending.quantity_scale),
    )
    files.publish(key, manifest)
    return Written(manifest, sum(file.rows for file in written), refused)


def _write_day(
    files: SeriesFiles,
    key: SeriesKey,
    before: SeriesManifest,
    date: str,
    rows: Sequence[TickRow | CandleRow],
    number: int,
) -> tuple[SegmentFile, Day] | None:
    if is_ticks(key):
        ticks = [row for row in rows if isinstance(row, TickRow)]
        return _write_ticks(files, key, before, date, ticks, number)
    held = files.candles(key, date, before)
    candles = fresh_candles([row for row in rows if isinstance(row, CandleRow)], held)
    if not candles:
        return None
    new = candle_columns(row._replace(commit=number) for row in candles)
    segment = files.write(key, date, new)
    whole = new if held is None else joined([held, new])
    files.hold(key, date, [*files_of(before, date), segment], whole)
    return segment, Day(date, len(whole), number, rows_digest(whole))


def _write_ticks(
    files: SeriesFiles,
    key: SeriesKey,
    before: SeriesManifest,
    date: str,
    rows: Sequence[TickRow],
    number: int,
) -> tuple[SegmentFile, Day] | None:
    """Costs what `rows` are, whatever the day holds: of it only what may have one of them is read."""
    fresh = fresh_ticks(rows, files.ticks_at(key, date, before, {row.ts for row in rows}))
    if not fresh:
        return None
    new = tick_columns(row._replace(commit=number) for row in fresh)
    held = next((day for day in before.days if day.date == date), Day(date, 0, 0, ""))
    segment = files.write(key, date, new)
    return segment, Day(date, held.rows + len(new), number, extended_digest(held.sha256, new))


def _dated(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """By date, ascending; within a date in the order of arrival."""
    found = groupby(sorted(rows, key=lambda row: row.ts // DAY_MS), lambda row: row.ts // DAY_MS)
    return [(date_of(day * DAY_MS), list(dated)) for day, dated in found]


def _empty(files: SeriesFiles, key: SeriesKey, pending: Pending) -> SeriesManifest:
    return SeriesManifest(
        venue=files.venue,
        symbol=key.symbol,
        venue_symbol=pending.venue_symbol,
        timeframe=key.timeframe,
        commit=0,
        known_to_ms=0,
        writer="",
        files=(),
        days=(),
        coverage=(),
        price_scale=0,
        quantity_scale=0,
    )
