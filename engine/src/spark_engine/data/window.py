"""Which rows of a source a run uses: the window [start, end), and the warm-up before it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from spark_engine.data import scan
from spark_engine.data.check import Grid
from spark_engine.data.request import CandleRequest
from spark_engine.data.rows import Rows
from spark_engine.data.stamps import iso
from spark_engine.errors import InvalidData


@dataclass(frozen=True, slots=True)
class Window:
    """Rows [begin, end) of the source; bars from first_bar_ms on are in the window, earlier ones warm up."""

    begin: int
    end: int
    first_bar_ms: int
    forming_bar_dropped: bool


def window_of(rows: Rows, request: CandleRequest, grid: Grid, now_ms: int) -> Window:
    """`grid` is that of the bars asked. Rows are in time order.

    A bar is in the window if start <= ts and its close time <= end. The last bar is dropped while it forms,
    that is while `now_ms` lies within it. Raises `InvalidData` for an empty window.
    """
    ts = rows.ts
    end = len(ts) if request.end_ms is None else bisect_left(ts, _floor(request.end_ms, grid))
    last_bar = _floor(ts[end - 1], grid) if end else 0
    forming = end > 0 and last_bar <= now_ms < last_bar + grid.step_ms
    if forming:
        end = bisect_left(ts, last_bar)
    first_bar = _floor(ts[0], grid) if request.start_ms is None else -_floor(-request.start_ms, grid, -1)
    first = bisect_left(ts, first_bar)
    if first >= end:
        raise empty_window(rows, request)
    begin = first
    if request.start_ms is not None and request.warmup_bars:
        whole_only = request.partial_bars == "Drop"
        begin = scan.warmup_begin(
            ts, rows.quality, first, request.warmup_bars, grid.step_ms, grid.anchor_ms, whole_only
        )
    return Window(begin, end, first_bar, forming)


def _floor(ms: int, grid: Grid, sign: int = 1) -> int:
    anchor = sign * grid.anchor_ms
    return (ms - anchor) // grid.step_ms * grid.step_ms + anchor


def empty_window(rows: Rows, request: CandleRequest) -> InvalidData:
    """What to say of a window without a bar."""
    start = "the beginning" if request.start_ms is None else iso(request.start_ms)
    end = "the end" if request.end_ms is None else iso(request.end_ms)
    field = "spec.market.end" if request.start_ms is None else "spec.market.start"
    if request.start_ms is None and request.end_ms is None:
        field = "spec.data.uri"
    return InvalidData(
        f"no whole bar of {request.timeframe} from {start} to {end}; the first bar of the data is at "
        f"{iso(rows.ts[0])}, the last at {iso(rows.ts[-1])}",
        field=field,
    )
