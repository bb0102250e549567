"""What chart.json tells of a run besides its curves: monthly returns, rolling Sharpe ratio, exposure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from math import fsum, sqrt
from operator import mul, truediv
from typing import Any

from spark_engine.data.stamps import EPOCH, MILLISECOND
from spark_engine.statistics.metrics import LEAST_VARIANCE

HOUR_MS = 3_600_000
# Customary spans, in hours: the longest that fits four times into the run
WINDOWS = (8_760, 4_320, 2_160, 720, 336, 168, 72, 24, 12, 6, 3, 1)
LEAST_BUCKETS = 16

Buckets = Sequence[tuple[int, int]]


def monthly_returns(
    ts: Sequence[int], equity: Sequence[float], benchmark: Sequence[float], initial_cash: float
) -> dict[str, Any]:
    """By UTC month: last equity of the month over that of the month before (at first: initial cash), - 1.

    Months without a bar are left out. None after equity of 0 or less.
    """
    months, ends = [], []
    for month, end in _month_ends(ts):
        months.append(month)
        ends.append(end)
    return {
        "months": months,
        "strategy": _growth([initial_cash, *(equity[end] for end in ends)]),
        "benchmark": _growth([initial_cash, *(benchmark[end] for end in ends)]),
    }


def exposure_series(
    buckets: Buckets, position: Sequence[float], close: Sequence[float], equity: Sequence[float]
) -> dict[str, Any]:
    """Mean over each bucket's bars of |q*C|/E, long and short apart; None where equity is 0 or less."""
    long: list[float | None] = []
    short: list[float | None] = []
    for start, stop in buckets:
        held, marked = position[start:stop], equity[start:stop]
        if min(marked) <= 0:
            long.append(None)
            short.append(None)
            continue
        weights = list(map(truediv, map(mul, held, close[start:stop]), marked)) if any(held) else []
        net, gross = fsum(weights), fsum(map(abs, weights))
        long.append((gross + net) / 2 / (stop - start))
        short.append((gross - net) / 2 / (stop - start))
    return {"long": long, "short": short}


def rolling_sharpe(
    ts: Sequence[int], buckets: Buckets, equity: Sequence[float], periods_per_year: float
) -> dict[str, Any] | None:
    """The Sharpe ratio of SEMANTICS section 8 over the bars of the last buckets, at each bucket's end.

    None for a run too short to slide a window over. `value` is None before the first whole window, where
    returns do not vary and where equity was 0 or less.
    """
    window = _window(ts, len(buckets))
    if window is None:
        return None
    hours, size = window
    sums = [_sums(equity, max(1, start), stop) for start, stop in buckets]
    # Sums up to each bucket: a window is a difference of two of them, however long it is.
    totals = list(zip(*(accumulate(column, initial=0) for column in zip(*sums, strict=True)), strict=True))
    values: list[float | None] = [None] * (size - 1)
    for before, after in zip(totals, totals[size:], strict=False):
        count, s1, s2, unsound = (b - a for a, b in zip(before, after, strict=True))
        values.append(None if unsound else _sharpe(count, s1, s2, periods_per_year))
    return {"seconds": hours * 3600, "buckets": size, "value": values}


def _month_ends(ts: Sequence[int]) -> Iterator[tuple[str, int]]:
    bar = 0
    while bar < len(ts):
        first = EPOCH + timedelta(milliseconds=ts[bar])
        following = datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=first.tzinfo)
        bar = bisect_left(ts, (following - EPOCH) // MILLISECOND, bar)
        yield f"{first.year:04}-{first.month:02}", bar - 1


def _growth(values: Sequence[float]) -> list[float | None]:
    sound = True
    returns: list[float | None] = []
    for before, now in pairwise(values):
        sound = sound and before > 0
        returns.append(now / before - 1 if sound else None)
    return returns


def _window(ts: Sequence[int], buckets: int) -> tuple[int, int] | None:
    """Hours and number of buckets of the window."""
    if buckets < 4 * LEAST_BUCKETS:
        return None
    bucket = (ts[-1] - ts[0]) / (buckets - 1)
    for hours in WINDOWS:
        size = round(hours * HOUR_MS / bucket)
        if LEAST_BUCKETS <= size <= buckets // 4:
            return hours, size
    return None


def _sums(equity: Sequence[float], start: int, stop: int) -> tuple[int, float, float, int]:
    """Count, sum and sum of squares of the returns into the bars [start, stop); 1 if one of them is none."""
    before = equity[start - 1 : stop - 1]
    if min(before, default=1.0) <= 0:
        return len(before), 0.0, 0.0, 1
    returns = [ratio - 1.0 for ratio in map(truediv, equity[start:stop], before)]
    return len(returns), fsum(returns), fsum(map(mul, returns, returns)), 0


def _sharpe(count: float, s1: float, s2: float, periods_per_year: float) -> float | None:
    if count < 2:
        return None
    squares = s2 - s1 * s1 / count
    if squares <= LEAST_VARIANCE * s2:
        return None
    return (s1 / count) / sqrt(squares / (count - 1)) * sqrt(periods_per_year)
