"""Which requests fetch exactly the history that is missing, and how long they take. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from spark_engine.data.request import anchor_ms, timeframe_ms
from spark_engine.feeds.market import Interval
from spark_engine.feeds.provider import RateLimit

Order = Literal["newest", "oldest"]


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """One page: bars that open in `span`. `missing`: the parts of it that are wanted, in time order.

    A span reaches over what is there already where that saves a request.
    """

    span: Interval
    missing: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Requests in the order they are to be made. bars: how many are missing at most (markets rest, too)."""

    timeframe: str
    requests: tuple[HistoryRequest, ...]
    bars: int


def missing_ranges(covered: Iterable[Interval], wanted: Interval) -> tuple[Interval, ...]:
    """The parts of `wanted` that no interval of `covered` holds, in time order."""
    found = []
    at = wanted.from_ms
    for known in sorted(covered):
        if known.to_ms <= at or known.from_ms >= known.to_ms:
            continue
        if known.from_ms >= wanted.to_ms:
            break
        if known.from_ms > at:
            found.append(Interval(at, known.from_ms))
        at = known.to_ms
    if at < wanted.to_ms:
        found.append(Interval(at, wanted.to_ms))
    return tuple(found)


def plan(
    covered: Iterable[Interval], wanted: Interval, timeframe: str, bars_most: int, order: Order = "newest"
) -> Plan:
    """Bars of `timeframe` in `wanted` that are not wholly in `covered`, in pages of at most `bars_most` bars.

    A bar that reaches beyond the end of `wanted` is none of it: set that end to the present, and no forming
    bar is asked for. One that reaches beyond its begin is.
    Raises `ValueError` for fewer than one bar a page, `InvalidSpec` for an unknown timeframe.
    """
    if bars_most < 1:
        raise ValueError(f"a page has at least one bar; is {bars_most}")
    step, anchor = timeframe_ms(timeframe), anchor_ms(timeframe)

    def floor(ms: int) -> int:
        return (ms - anchor) // step * step + anchor

    wanted = Interval(floor(wanted.from_ms), floor(wanted.to_ms))
    if wanted.from_ms >= wanted.to_ms:
        return Plan(timeframe, (), 0)
    holes = [
        Interval(floor(hole.from_ms), min(wanted.to_ms, floor(hole.to_ms - 1) + step))
        for hole in missing_ranges(covered, wanted)
    ]
    whole = _joined(holes)
    pages = _pages(whole, bars_most * step, order)
    return Plan(timeframe, pages, sum(hole.to_ms - hole.from_ms for hole in whole) // step)


def seconds_needed(requests: int, limit: RateLimit, *, round_trip: float = 0.0, share: float = 1.0) -> float:
    """How long `requests` one after another take at least under `limit`, of which `share` may be used.

    The first burst costs its round trips only, every further one waits for its turn.
    Raises `ValueError` for a share that is not in (0, 1].
    """
    if not 0.0 < share <= 1.0:
        raise ValueError(f"a share must be above 0 and at most 1; is {share}")
    allowed = max(1, int(limit.requests * share))
    waits = max(0, requests - allowed) * limit.seconds / allowed
    return max(waits + min(requests, 1) * round_trip, requests * round_trip)


def _joined(holes: Sequence[Interval]) -> list[Interval]:
    """Neighbours that touch or overlap once they are whole bars."""
    whole: list[Interval] = []
    for hole in holes:
        if whole and hole.from_ms <= whole[-1].to_ms:
            whole[-1] = Interval(whole[-1].from_ms, max(whole[-1].to_ms, hole.to_ms))
        else:
            whole.append(hole)
    return whole


def _pages(holes: Sequence[Interval], most_ms: int, order: Order) -> tuple[HistoryRequest, ...]:
    """Fewest pages, from the end that comes first: each begins at what is still missing and takes along all
    that it can reach."""
    mirrored = [_mirror(hole) for hole in reversed(holes)] if order == "newest" else list(holes)
    pages: list[list[Interval]] = []
    for hole in mirrored:
        rest = hole
        while rest.from_ms < rest.to_ms:
            if not pages or rest.from_ms >= pages[-1][0].from_ms + most_ms:
                pages.append([])
            page = pages[-1]
            limit = (page[0].from_ms if page else rest.from_ms) + most_ms
            end = min(rest.to_ms, limit)
            page.append(Interval(rest.from_ms, end))
            rest = Interval(end, rest.to_ms)
    if order == "newest":
        pages = [[_mirror(hole) for hole in reversed(page)] for page in pages]
    return tuple(HistoryRequest(Interval(page[0].from_ms, page[-1].to_ms), tuple(page)) for page in pages)


def _mirror(hole: Interval) -> Interval:
    return Interval(-hole.to_ms, -hole.from_ms)
