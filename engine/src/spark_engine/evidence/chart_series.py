"""What chart.json tells of a run besides its curves: monthly returns, rolling Sharpe ratio, exposure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import sqrt
from typing import Any

from spark_engine.data.rows import zeros
from spark_engine.data.stamps import EPOCH, MILLISECOND
from spark_engine.evidence.buckets import buckets
from spark_engine.statistics import passes
from spark_engine.statistics.metrics import LEAST_VARIANCE

HOUR_MS = 3_600_000
# Customary spans, in hours: the longest that fits four times into the run
WINDOWS = (8_760, 4_320, 2_160, 720, 336, 168, 72, 24, 12, 6, 3, 1)
LEAST_BUCKETS = 16


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
    size: int, position: memoryview, close: memoryview, equity: memoryview
) -> dict[str, list[float | None]]:
    """Mean over each bucket's bars of |q*C|/E, long and short apart; None where equity is 0 or less."""
    count = buckets(len(equity), size)
    long, short = zeros("d", count), zeros("d", count)
    passes.bucket_exposures(position, close, equity, size, long, short)
    return {"long": _where_sound(long), "short": _where_sound(short)}


def rolling_sharpe(
    ts: Sequence[int], size: int, equity: memoryview, periods_per_year: float
) -> dict[str, Any] | None:
    """The Sharpe ratio of SEMANTICS section 8 over the bars of the last buckets, at each bucket's end.

    None for a run too short to slide a window over. `value` is None before the first whole window, where
    returns do not vary and where equity was 0 or less.
    """
    bars = len(equity)
    count = buckets(bars, size)
    window = _window(ts, count)
    if window is None:
        return None
    hours, length = window
    # Sums up to each bucket: a window is a difference of two of them, however long it is.
    s1, s2, unsound = zeros("d", count + 1), zeros("d", count + 1), zeros("q", count + 1)
    passes.running_sums(equity, size, s1, s2, unsound)
    returns = [max(0, min(bucket * size, bars) - 1) for bucket in range(count + 1)]
    totals = list(zip(returns, s1.tolist(), s2.tolist(), unsound.tolist(), strict=True))
    scale = sqrt(periods_per_year)
    values: list[float | None] = [None] * (length - 1)
    for (n0, a0, b0, u0), (n1, a1, b1, u1) in zip(totals, totals[length:], strict=False):
        values.append(None if u1 > u0 else _sharpe(n1 - n0, a1 - a0, b1 - b0, scale))
    return {"seconds": hours * 3600, "buckets": length, "value": values}


def _where_sound(values: memoryview) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


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


def _sharpe(count: int, s1: float, s2: float, scale: float) -> float | None:
    if count < 2:
        return None
    squares = s2 - s1 * s1 / count
    if squares <= LEAST_VARIANCE * s2:
        return None
    return (s1 / count) / sqrt(squares / (count - 1)) * scale
