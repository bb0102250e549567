"""From sorted rows to the bars that a run sees: windowed, mended, checked, resampled, in ticks. Pure."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import compress

from spark_engine.data import scan
from spark_engine.data.candles import Candles, DataQuality
from spark_engine.data.check import BARS_ARE_WHOLE, ROW_CHECKS, Grid, bar_checks, require
from spark_engine.data.decode import SortedRows
from spark_engine.data.repair import Repaired, repaired
from spark_engine.data.request import CandleRequest, anchor_ms, timeframe_ms, timeframe_text
from spark_engine.data.resample import require_resamplable, resampled
from spark_engine.data.rows import Rows, shift, zeros
from spark_engine.data.ticks import Ticks, in_ticks
from spark_engine.data.timeframe import grid_anchor_ms, source_step_ms
from spark_engine.data.window import Window, window_of
from spark_engine.errors import InvalidData


@dataclass(frozen=True, slots=True)
class _Bars:
    """rows: after the policy for partial bars. partial: those flagged. dropped: those left out for it."""

    rows: Rows
    partial: int
    dropped: int


def prepared(table: SortedRows, request: CandleRequest, now_ms: int) -> Candles:
    """The candles of `request`. Writes to the rows of `table`. Raises `InvalidData` as the checks say."""
    asked_ms = timeframe_ms(request.timeframe)
    step_ms = source_step_ms(table.rows.ts, asked_ms)
    require_resamplable(step_ms, asked_ms)
    if request.timestamps == "Close":
        shift(table.rows.ts, -step_ms)
    grid = Grid(asked_ms, anchor_ms(request.timeframe))
    row_grid = grid if step_ms == asked_ms else Grid(step_ms, grid_anchor_ms(step_ms))

    window = window_of(table.rows, request, grid, now_ms)
    mended = repaired(table.rows.between(window.begin, window.end), request.duplicates == "KeepLast")
    require(ROW_CHECKS, mended.rows, row_grid)
    covered = table.rows.ts[0], table.rows.ts[-1] + step_ms
    whole = mended.rows if step_ms == asked_ms else resampled(mended.rows, grid, *covered)
    bars = _with_warmup(_without_partial(whole, request), request, window)
    require(bar_checks(request.gaps, request.partial_bars), bars.rows, grid)
    ticks = in_ticks(bars.rows, request.price_scale)
    resampled_from = None if step_ms == asked_ms else timeframe_text(step_ms)
    return Candles(
        *bars.rows.columns(),
        ticks_close=ticks.close,
        timeframe_ms=asked_ms,
        warmup=bisect_left(bars.rows.ts, window.first_bar_ms),
        quality_report=_report(table, window, mended, bars, ticks, asked_ms, resampled_from),
    )


def _without_partial(rows: Rows, request: CandleRequest) -> _Bars:
    keep = zeros("b", len(rows))
    partial, _first = scan.partial_rows(rows.quality, keep)
    if not partial or request.partial_bars != "Drop":
        return _Bars(rows, partial, 0)
    return _Bars(rows.take(list(compress(range(len(rows)), keep))), partial, partial)


def _with_warmup(bars: _Bars, request: CandleRequest, window: Window) -> _Bars:
    """No more warm-up than asked, and at least one bar after it."""
    warmup = bisect_left(bars.rows.ts, window.first_bar_ms)
    if warmup == len(bars.rows):
        raise InvalidData(
            f"every bar of the window is partial or feed-down, and Drop leaves none; {BARS_ARE_WHOLE.advice}",
            field=BARS_ARE_WHOLE.field,
        )
    if warmup <= request.warmup_bars:
        return bars
    return _Bars(bars.rows.between(warmup - request.warmup_bars, len(bars.rows)), bars.partial, bars.dropped)


def _report(
    table: SortedRows,
    window: Window,
    mended: Repaired,
    bars: _Bars,
    ticks: Ticks,
    asked_ms: int,
    resampled_from: str | None,
) -> DataQuality:
    gaps, missing, longest_ms, _first = scan.gaps(bars.rows.ts, asked_ms)
    _null, zero_volume, _bad, _first = scan.volume_faults(bars.rows.volume)
    return DataQuality(
        rows_read=len(table.rows),
        rows=len(bars.rows),
        first_ts=bars.rows.ts[0],
        last_ts=bars.rows.ts[-1],
        gaps=gaps,
        missing_bars=missing,
        longest_gap_seconds=longest_ms // 1000,
        unsorted_rows=table.unsorted,
        duplicate_rows=mended.exact_duplicates,
        conflicting_duplicates=mended.conflicting_duplicates,
        clamped_rows=mended.clamped,
        snapped_rows=ticks.snapped,
        null_volumes=mended.null_volumes,
        zero_volume_rows=zero_volume,
        partial_rows=bars.partial,
        partial_rows_dropped=bars.dropped,
        forming_bar_dropped=window.forming_bar_dropped,
        resampled_from=resampled_from,
        ticks_exact=ticks.exact,
        price_scale=ticks.scale,
    )
