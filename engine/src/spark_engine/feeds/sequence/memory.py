"""Which trades were seen, in bounded memory."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

from spark_engine.feeds.market import MarketTick

IdKey = tuple[int, int]
LONGEST_NUMBER: Final = 30  # digits


def id_key(tick_id: str) -> IdKey:
    """How ids of one time are ordered: by number, after them those that are none, which are all alike."""
    numeric = tick_id.isascii() and tick_id.isdigit() and len(tick_id) <= LONGEST_NUMBER
    return (0, int(tick_id)) if numeric else (1, 0)


def sequential_id(tick_id: str) -> int:
    """Raises ValueError for an id that is no number."""
    kind, value = id_key(tick_id)
    if kind:
        raise ValueError(f"a sequential trade id must be a number; is {tick_id[:40]!r}")
    return value


class LatestIds:
    """The ids of the latest `most` trades by the venue's time, and of as many by arrival.

    What a venue repeats is its latest trades. Trades filled in from long ago must not push them out, nor
    those that it dates ahead; and one that it dates long ago is repeated too.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._arrivals: dict[str, int] = {}
        self._by_time: list[tuple[int, str]] = []
        self._by_arrival: deque[tuple[int, str]] = deque()
        self._released: set[str] = set()  # by one of the two
        self.count = 0  # of all that ever came

    def __len__(self) -> int:
        return len(self._arrivals)

    def add(self, tick: MarketTick) -> bool:
        """False for one that was seen."""
        if tick.id in self._arrivals:
            return False
        self.count += 1
        self._arrivals[tick.id] = self.count
        one = (tick.ts_ms, tick.id)
        heappush(self._by_time, one)
        self._by_arrival.append(one)
        if len(self._by_time) > self._most:
            self._release(heappop(self._by_time))
            self._release(self._by_arrival.popleft())
        return True

    def last_before(self, ts_ms: int) -> tuple[int, str] | None:
        """(ts, id) of the latest that is remembered of that time."""
        return max((one for one in self._by_time if one[0] < ts_ms), default=None)

    def any_until(self, count: int, ticks: Iterable[MarketTick]) -> bool:
        """Whether one of `ticks` was among the first `count` that came."""
        return any(self._arrivals.get(tick.id, count + 1) <= count for tick in ticks)

    def _release(self, one: tuple[int, str]) -> None:
        """Forgets it once neither holds it."""
        if one[1] not in self._released:
            self._released.add(one[1])
            return
        self._released.discard(one[1])
        del self._arrivals[one[1]]


class IdRuns:
    """Ids that rise by one, as runs [first, last]: exact while there are at most `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._runs: list[list[int]] = []

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def last(self) -> int | None:
        return self._runs[-1][1] if self._runs else None

    def holes(self, above: int | None = None) -> list[tuple[int, int]]:
        """(first, last) missing id of each hole between those seen, ascending; of ids after `above`."""
        runs = self._runs
        place = 0 if above is None else max(0, bisect_right(runs, above, key=lambda run: run[0]) - 1)
        return [(runs[i][1] + 1, runs[i + 1][0] - 1) for i in range(place, len(runs) - 1)]

    def add(self, tick: MarketTick) -> bool:
        """False for one that was seen. Raises ValueError for an id that is no number."""
        value, runs = sequential_id(tick.id), self._runs
        place = bisect_right(runs, value, key=lambda run: run[0])
        if place and value <= runs[place - 1][1]:
            return False
        first = last = value
        begin, end = place, place
        if place and runs[place - 1][1] == value - 1:
            begin, first = place - 1, runs[place - 1][0]
        if place < len(runs) and runs[place][0] == value + 1:
            end, last = place + 1, runs[place][1]
        runs[begin:end] = [[first, last]]
        if len(runs) > self._most:
            del runs[0]
        return True
