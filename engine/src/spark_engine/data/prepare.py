"""From sorted rows to the bars that a run sees: windowed, mended, checked, resampled, in ticks. Pure."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING

from spark_engine.data import scan
from spark_engine.data.archive.coverage import (
    ALL_TIME,
    Missing,
    flag_uncovered,
    missing_bars,
    require_seen,
)
from spark_engine.data.candles import Candles, DataQuality
from spark_engine.data.check import BARS_ARE_WHOLE, Grid, require
from spark_engine.data.decode import SortedRows
from spark_engine.data.repair import Repaired, repaired
from spark_engine.data.request import RESOLVE_WITH, CandleRequest, timeframe_ms, timeframe_text
from spark_engine.data.resample import require_resamplable
from spark_engine.data.rows import Rows, zeros
from spark_engine.data.ticks import Ticks, in_ticks, snapped
from spark_engine.data.timeframe import session_step_ms, source_step_ms
from spark_engine.data.timetable import ALWAYS, Timetable, timetable_of
from spark_engine.data.window import Window
from spark_engine.errors import InvalidData

if TYPE_CHECKING:
    from spark_engine.data.adjust import Adjusted
    from spark_engine.data.series import Series

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class _Bars:
    """rows: after the policy for partial bars. partial: those flagged. dropped: those left out for it."""

    rows: Rows
    partial: int
    dropped: int


@dataclass(frozen=True, slots=True)
class _Source:
    """rows: of the window, mended, checked, adjusted. covered: begin and end of the whole source, ms UTC."""

    rows: Rows
    step_ms: int
    covered: tuple[int, int]
    window: Window
    mended: Repaired
    off_calendar: int
    adjusted: Adjusted | None


def prepared(
    table: SortedRows, request: CandleRequest, now_ms: int, actions: Series | None = None
) -> Candles:
    """The candles of `request`, adjusted by `actions`, without funding. Writes to the rows of `table`.

    Raises `InvalidData` as the checks say.
    """
    asked_ms = timeframe_ms(request.timeframe)
    step_ms = _step_ms(table, request, asked_ms)
    require_resamplable(step_ms, asked_ms)
    timetable = timetable_of(request, step_ms)
    if request.timestamps == "Close":
        timetable.to_opens(table.rows.ts)
    if table.known is not None:
        flag_uncovered(table.rows, timetable, table.known)
    source = _source(table, request, timetable, step_ms, now_ms, actions)
    whole = timetable.resampled(source.rows, request.timeframe, source.covered)
    bars = _with_warmup(_without_partial(whole, request), request, source.window)
    require((BARS_ARE_WHOLE,) if request.partial_bars == "Fail" else (), bars.rows, Grid(asked_ms, 0))
    missing = _missing(table, whole, bars, request, timetable)
    if missing is not None and request.partial_bars == "Fail":
        require_seen(missing)
    if request.gaps == "Fail":
        timetable.require_gapless(bars.rows)
    finer = _finer(source, bars.rows, request, timetable)
    ticks = in_ticks(bars.rows, request.price_scale)
    warmup = bisect_left(bars.rows.ts, source.window.first_bar_ms)
    report = _report(table, source, bars, ticks, timetable, asked_ms)
    if missing is not None:
        report = replace(report, missing_no_trades=missing.no_trades, missing_feed_down=missing.feed_down)
    return Candles(
        *bars.rows.columns(),
        ticks_close=ticks.close,
        timeframe_ms=asked_ms,
        warmup=warmup,
        quality_report=report,
        sessions=timetable.sessions(bars.rows.ts, warmup),
        finer=None if finer is None else _in_ticks_of(finer, ticks, request),
    )


def _step_ms(table: SortedRows, request: CandleRequest, asked_ms: int) -> int:
    """An archive says what its rows are; of other sources the times tell."""
    if table.known is not None:
        return table.known.step_ms
    step_ms = source_step_ms(table.rows.ts, asked_ms)
    return step_ms if request.calendar == ALWAYS else session_step_ms(step_ms)


def _missing(
    table: SortedRows, whole: Rows, bars: _Bars, request: CandleRequest, timetable: Timetable
) -> Missing | None:
    """Of the window and its warm-up; bars that the policy for partial ones left out are not missing."""
    known = table.known
    if known is None:
        return None
    first, _last = timetable.extent(bars.rows)
    asked = known.begin_ms if request.start_ms is None else max(request.start_ms, known.begin_ms)
    to_ms = known.to_ms if request.end_ms is None else min(request.end_ms, known.to_ms)
    used = whole.between(bisect_left(whole.ts, bars.rows.ts[0]), len(whole))
    step_ms = timeframe_ms(request.timeframe)
    return missing_bars(used, timetable, step_ms, known, (min(first, asked), to_ms))


def _source(
    table: SortedRows,
    request: CandleRequest,
    timetable: Timetable,
    step_ms: int,
    now_ms: int,
    actions: Series | None,
) -> _Source:
    window = timetable.window(table.rows, request, now_ms)
    mended = repaired(table.rows.between(window.begin, window.end), request.duplicates == "KeepLast")
    rows = timetable.within_sessions(mended.rows, request)
    if not len(rows):
        raise InvalidData("every bar of the window is outside the sessions", field="spec.market.calendar")
    timetable.check(rows)
    adjusted = _adjusted(rows, table.rows, request, timetable, step_ms, actions)
    covered = timetable.covered(table.rows.ts) if table.known is None else ALL_TIME
    return _Source(rows, step_ms, covered, window, mended, len(mended.rows) - len(rows), adjusted)


def _adjusted(
    rows: Rows,
    source: Rows,
    request: CandleRequest,
    timetable: Timetable,
    step_ms: int,
    actions: Series | None,
) -> Adjusted | None:
    if actions is None:
        return None
    from spark_engine.data.adjust import adjust, factors_of

    if step_ms > DAY_MS:
        raise InvalidData(
            f"needs a source of bars of at most 1d; this one has {timeframe_text(step_ms)}",
            field="spec.data.adjustment",
        )
    factors = factors_of(actions, source, timetable)
    return adjust(rows, factors, timetable, request.adjustment == "SplitsAndDividends")


def _finer(source: _Source, bars: Rows, request: CandleRequest, timetable: Timetable) -> Rows | None:
    """The bars of `execution.resolveWith` from the first bar of the window on, with prices of their own."""
    if request.resolve_with is None:
        return None
    finer_ms = timeframe_ms(request.resolve_with)
    if source.step_ms > finer_ms or finer_ms % source.step_ms:
        raise InvalidData(
            f"bars of {request.resolve_with} cannot be made of the source's {timeframe_text(source.step_ms)}",
            field=RESOLVE_WITH,
        )
    begin = bisect_left(source.rows.ts, bars.ts[bisect_left(bars.ts, source.window.first_bar_ms)])
    rows = source.rows.between(begin, len(source.rows))
    return timetable.resampled(rows, request.resolve_with, source.covered)


def _in_ticks_of(rows: Rows, ticks: Ticks, request: CandleRequest) -> Candles:
    """Prices by the scale of the run's bars, so that both agree."""
    return Candles(
        *rows.columns(),
        ticks_close=snapped(rows, ticks, request.price_scale is not None),
        timeframe_ms=timeframe_ms(request.resolve_with or request.timeframe),
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
    return replace(bars, rows=bars.rows.between(warmup - request.warmup_bars, len(bars.rows)))


def _report(
    table: SortedRows, source: _Source, bars: _Bars, ticks: Ticks, timetable: Timetable, asked_ms: int
) -> DataQuality:
    gaps = timetable.gaps(bars.rows)
    _null, zero_volume, _bad, _first = scan.volume_faults(bars.rows.volume)
    return DataQuality(
        rows_read=len(table.rows),
        rows=len(bars.rows),
        first_ts=bars.rows.ts[0],
        last_ts=bars.rows.ts[-1],
        gaps=gaps.count,
        missing_bars=gaps.missing,
        longest_gap_seconds=gaps.longest_ms // 1000,
        unsorted_rows=table.unsorted,
        duplicate_rows=source.mended.exact_duplicates,
        conflicting_duplicates=source.mended.conflicting_duplicates,
        clamped_rows=source.mended.clamped,
        snapped_rows=ticks.snapped,
        null_volumes=source.mended.null_volumes,
        zero_volume_rows=zero_volume,
        partial_rows=bars.partial,
        partial_rows_dropped=bars.dropped,
        forming_bar_dropped=source.window.forming_bar_dropped,
        resampled_from=None if source.step_ms == asked_ms else timeframe_text(source.step_ms),
        ticks_exact=ticks.exact,
        price_scale=ticks.scale,
        off_calendar_rows=source.off_calendar,
        adjusted_rows=source.adjusted.rows if source.adjusted else 0,
        splits=source.adjusted.splits if source.adjusted else 0,
        dividends=source.adjusted.dividends if source.adjusted else 0,
    )
