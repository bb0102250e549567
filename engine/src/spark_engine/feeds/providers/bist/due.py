"""Which sessions ought to be there by now, and which of them are. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from spark_engine.data.calendars.grid import session_grid
from spark_engine.data.calendars.table import exchange_calendar
from spark_engine.data.request import timeframe_ms
from spark_engine.feeds.market import Interval, TimeMs


def overdue(
    calendar: str, timeframe: str, covered: Sequence[Interval], now_ms: TimeMs, stale_after_ms: int
) -> TimeMs | None:
    """The date (midnight UTC) of the last session whose bar ended `stale_after_ms` ago or earlier, where
    `covered` has nothing of it; else None. Raises `InvalidSpec` for an unknown calendar."""
    own = exchange_calendar(calendar)
    ends = session_grid(own, timeframe_ms(timeframe)).unit_end
    session = bisect_right(ends, now_ms - stale_after_ms) - 1
    if session < 0 or (covered and covered[-1].to_ms > own.open[session]):
        return None
    return int(own.date[session])


def missing_sessions(calendar: str, covered: Sequence[Interval]) -> int:
    """How many sessions there are between those of `covered`, which is in time order."""
    own = exchange_calendar(calendar)
    missing = 0
    for before, after in pairwise(covered):
        first = bisect_left(own.open, before.to_ms)
        missing += max(0, bisect_right(own.close, after.from_ms) - first)
    return missing
