"""What is in a source, clean or not."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest
from itertools import pairwise
from typing import Final

from spark_engine.data import scan
from spark_engine.data.bad_prints import bad_prints
from spark_engine.data.candles import COMPLETE, FEED_DOWN, NO_TRADES, PARTIAL
from spark_engine.data.check import BARS_ARE_WHOLE, ROW_CHECKS, TIMES_ARE_ON_GRID, Grid, described
from spark_engine.data.decode import SortedRows, sorted_rows
from spark_engine.data.files import Source
from spark_engine.data.inspection import Duplicates, Gap, Inspection, OffSessions, Refusal, Times
from spark_engine.data.mend import Mended, Rules, disagreeing, mended
from spark_engine.data.origin import FORMS, UNREADABLE, Written, read_written
from spark_engine.data.prepare import prepared
from spark_engine.data.request import UNITS_MS, CandleRequest, timeframe_text
from spark_engine.data.rows import Rows, zeros
from spark_engine.data.sessions import SessionCheck, check_sessions, to_opens
from spark_engine.data.source import open_source
from spark_engine.data.spelling import direction
from spark_engine.data.ticks import tick_scale
from spark_engine.data.timeframe import grid_anchor_ms, session_step_ms, source_step_ms
from spark_engine.data.timetable import ALWAYS
from spark_engine.data.twice import Resolved
from spark_engine.errors import BacktestError

GAPS_SHOWN: Final = 10
BAD_PRINTS_SHOWN: Final = 10
SESSIONS_SHOWN: Final = 100
DAY_MS: Final = UNITS_MS["d"]
QUALITIES: Final = {
    "complete": COMPLETE,
    "partial": PARTIAL,
    "no_trades": NO_TRADES,
    "feed_down": FEED_DOWN,
}


@dataclass(frozen=True, slots=True)
class Inspected:
    """rows: in time order, with every duplicate, stamped at the open. mended: what a repair makes of them."""

    inspection: Inspection
    rows: Rows
    mended: Mended


def inspect_candles(
    uri: str,
    symbol: str | None = None,
    timestamps: str = "Open",
    now_ms: int | None = None,
    calendar: str = ALWAYS,
) -> Inspection:
    """Reads `uri` and reports on it. Dirty rows are counted, never an error.

    `symbol` is needed only where the source holds several. Raises `InvalidData` where there are no rows to be
    had (nothing there, no candle columns, a cell that is no number), `InvalidSpec` for an unknown calendar,
    `StoreUnavailable` as `read_candles`.
    """
    rules = Rules(timestamps=timestamps, calendar=calendar)
    return inspect_source(uri, open_source(uri), symbol, rules, now_ms).inspection


def inspect_source(
    uri: str, source: Source, symbol: str | None = None, rules: Rules | None = None, now_ms: int | None = None
) -> Inspected:
    """The same of files that were read; `uri` is only their name. `rules`: what `mended` is to follow."""
    rules = rules or Rules()
    written = read_written(source.files, symbol or "", rules.timestamps)
    table = sorted_rows(written.rows.copy(), rules.timestamps)
    best = mended(written, rules)
    rows = table.rows.copy()
    step_ms = source_step_ms(rows.ts)
    if rules.calendar != ALWAYS:
        step_ms = session_step_ms(step_ms)
    if rules.timestamps == "Close":
        to_opens(rows.ts, rules.calendar, step_ms)
    grid = Grid(step_ms or 1, grid_anchor_ms(step_ms or 1))
    null_volumes, zero_volumes, bad_volumes, _ = scan.volume_faults(rows.volume)
    within, broken, _ = scan.order_faults(*rows.prices())
    exact, conflicting, _ = scan.duplicates(*rows.columns(), zeros("b", len(rows)))
    nan, infinite, not_above_zero, _ = scan.price_faults(*rows.prices())
    partial, _ = scan.partial_rows(rows.quality, zeros("b", len(rows)))
    suspects = tuple(bad_prints(best.rows))
    places = (
        _by_clock(rows, grid) if rules.calendar == ALWAYS else _by_sessions(rows, rules.calendar, step_ms)
    )
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    inspection = Inspection(
        uri=uri,
        files=tuple(source.files),
        bytes=source.size,
        sha256=source.sha256,
        rows=len(rows),
        first_ms=rows.ts[0],
        last_ms=rows.ts[-1],
        timeframe=timeframe_text(step_ms) if step_ms else None,
        order=direction(written.rows.ts),
        unsorted_rows=table.unsorted,
        times=tuple(_times(written)),
        empty_cells=dict(written.empty),
        distinct_times=len(set(rows.ts)),
        duplicates=_duplicates(best.duplicates),
        gaps=places.gaps,
        missing_bars=places.missing_bars,
        longest_gaps=places.longest_gaps,
        exact_duplicates=exact,
        conflicting_duplicates=conflicting,
        nan_prices=nan,
        infinite_prices=infinite,
        prices_not_above_zero=not_above_zero,
        broken_ranges=broken,
        broken_ranges_within_1e9=within,
        off_grid_rows=places.off_grid_rows,
        null_volumes=null_volumes,
        zero_volumes=zero_volumes,
        bad_volumes=bad_volumes,
        flat_bars=sum(o == h == low == c for o, h, low, c in zip(*rows.prices(), strict=True)),
        partial_bars=partial,
        quality={name: bytes(rows.quality).count(flag) for name, flag in QUALITIES.items()},
        bad_prints=len(suspects),
        first_bad_prints=suspects[:BAD_PRINTS_SHOWN],
        sessions=places.sessions,
        price_scale=tick_scale(_with_prices(rows)),
        refusals=_refusals(uri, table, rows, grid, rules, now_ms),
    )
    return Inspected(inspection, rows, best)


@dataclass(frozen=True, slots=True)
class _Places:
    gaps: int
    missing_bars: int
    longest_gaps: tuple[Gap, ...]
    off_grid_rows: int
    sessions: OffSessions | None


def _by_clock(rows: Rows, grid: Grid) -> _Places:
    off_grid, _ = scan.off_grid(rows.ts, grid.step_ms, grid.anchor_ms)
    if rows.ts[0] == rows.ts[-1]:
        return _Places(0, 0, (), off_grid, None)
    gaps, missing, _, _ = scan.gaps(rows.ts, grid.step_ms)
    return _Places(gaps, missing, _longest_gaps(rows.ts, grid.step_ms), off_grid, None)


def _by_sessions(rows: Rows, calendar: str, step_ms: int) -> _Places:
    checked = check_sessions(rows, calendar, step_ms or DAY_MS)
    return _Places(
        checked.gaps, checked.missing_bars, (), len(checked.off_grid), _off_sessions(rows, calendar, checked)
    )


def _off_sessions(rows: Rows, calendar: str, checked: SessionCheck) -> OffSessions:
    return OffSessions(
        calendar,
        len(checked.placeholders),
        tuple(rows.ts[row] for row in checked.placeholders[:SESSIONS_SHOWN]),
        len(checked.strangers),
        tuple(rows.ts[row] for row in checked.strangers[:SESSIONS_SHOWN]),
        len(checked.missing_sessions),
        checked.missing_sessions[:SESSIONS_SHOWN],
    )


def _times(written: Written) -> Iterator[Times]:
    first = written.times[0]
    for column in written.times:
        counted = Counter(column.forms)
        forms = {FORMS[form]: counted[form] for form in sorted(counted) if form != UNREADABLE}
        rows = disagreeing(first.stamps, column.stamps)
        apart = Counter(first.stamps[row] - column.stamps[row] for row in rows)
        yield Times(column.name, forms, len(rows), apart.most_common(1)[0][0] if rows else 0)


def _duplicates(found: Resolved) -> Duplicates:
    return Duplicates(
        found.times,
        found.first_ms,
        found.last_ms,
        found.price_conflicts,
        found.price_tolerance,
        found.volume_conflicts,
        found.volume_tolerance,
        len(found.undecided),
    )


def _with_prices(rows: Rows) -> Rows:
    """The rows whose four prices are finite and above 0."""
    infinity = float("inf")
    bars = enumerate(zip(*rows.prices(), strict=True))
    good = [row for row, prices in bars if all(0 < price < infinity for price in prices)]
    return rows if len(good) == len(rows) else rows.take(good)


def _longest_gaps(ts: memoryview, step_ms: int) -> tuple[Gap, ...]:
    if not step_ms:
        return ()
    found = (
        Gap(before, after, (after - before) // step_ms - 1)
        for before, after in pairwise(ts)
        if after - before >= 2 * step_ms
    )
    return tuple(nlargest(GAPS_SHOWN, found, key=lambda gap: gap.missing_bars))


def _refusals(
    uri: str, table: SortedRows, rows: Rows, grid: Grid, rules: Rules, now_ms: int
) -> tuple[Refusal, ...]:
    """Every rule that the rows break; where they break none, what a run says that reads them all."""
    by_clock = rules.calendar == ALWAYS
    checks = [check for check in (*ROW_CHECKS, BARS_ARE_WHOLE) if by_clock or check is not TIMES_ARE_ON_GRID]
    found = [(check, check.find(rows, grid)) for check in checks]
    refusals = tuple(
        Refusal(check.field, described(check, finding, rows))
        for check, finding in found
        if finding is not None
    )
    return refusals or _refused_run(uri, table, timeframe_text(grid.step_ms), rules, now_ms)


def _refused_run(
    uri: str, table: SortedRows, timeframe: str, rules: Rules, now_ms: int
) -> tuple[Refusal, ...]:
    try:
        request = CandleRequest(uri, "", timeframe, timestamps=rules.timestamps, calendar=rules.calendar)
        prepared(table, request, now_ms)
    except BacktestError as refused:
        return (Refusal(refused.field, refused.message),)
    return ()
