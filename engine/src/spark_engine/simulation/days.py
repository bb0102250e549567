"""Which day each bar of a run belongs to, as the sums of daily returns count days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spark_engine.data.candles import Candles

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Days:
    """`times` never fall; a day is `length` of them, and the first bar's ends at `first_end`."""

    times: memoryview  # int64, ms UTC, or numbers of sessions
    first_end: int
    length: int


def days_of(candles: Candles) -> Days:
    """Of the window `candles[warmup:]`, n >= 1 bars: days of UTC, or sessions of an exchange."""
    if candles.sessions is not None:
        day = candles.sessions.day[candles.warmup :]
        return Days(day, day[0] + 1, 1)
    ts = candles.ts[candles.warmup :]
    return Days(ts, (ts[0] // DAY_MS + 1) * DAY_MS, DAY_MS)
