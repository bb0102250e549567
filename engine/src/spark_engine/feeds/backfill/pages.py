"""Pages of history that begin and end with days, so that larger bars are whole within a page. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from spark_engine.data.request import anchor_ms, timeframe_ms
from spark_engine.feeds.backfill.plan import HistoryRequest, Order, Plan, plan
from spark_engine.feeds.market import Interval

DAY_MS: Final = 86_400_000


def page_ms(timeframe: str, bars_most: int) -> int:
    """The longest page of at most `bars_most` bars that is so many days, or divides a day."""
    step = timeframe_ms(timeframe)
    most = bars_most * step
    if step > DAY_MS or DAY_MS % step:
        return most
    if most >= DAY_MS:
        return most // DAY_MS * DAY_MS
    bars = DAY_MS // step
    return max(length for length in range(1, bars_most + 1) if bars % length == 0) * step


def paged(
    covered: Iterable[Interval], wanted: Interval, timeframe: str, bars_most: int, order: Order = "newest"
) -> Plan:
    """As `plan`, with requests that do not reach over the ends of pages."""
    known = sorted(covered)
    requests: list[HistoryRequest] = []
    bars = 0
    for page in _pages(wanted, page_ms(timeframe, bars_most), anchor_ms(timeframe), order):
        planned = plan(known, page, timeframe, bars_most, order)
        requests += planned.requests
        bars += planned.bars
    return Plan(timeframe, tuple(requests), bars)


def _pages(wanted: Interval, length: int, anchor: int, order: Order) -> Iterator[Interval]:
    begins = range(wanted.from_ms - (wanted.from_ms - anchor) % length, wanted.to_ms, length)
    for begin in reversed(begins) if order == "newest" else begins:
        yield Interval(max(begin, wanted.from_ms), min(begin + length, wanted.to_ms))
