"""How long a bar is open, closed but amendable, and final."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from spark_engine.feeds.candles.bars import Grid
from spark_engine.feeds.candles.coverage import IntervalSet, interval_set
from spark_engine.feeds.market import Candle, Interval, Quality

NEVER: Final = -(1 << 62)
REMEMBERED_BARS: Final = 1440  # after their window: PARTIAL ones, and which were given out


class Window:
    """A bar is closed `grace_ms` after its end and final `amend_ms` after that, unless it is PARTIAL or of a
    time that the feed missed, between times that it saw: what is known to be missing may come late."""

    __slots__ = (
        "_amend_ms",
        "_given",
        "_grace_ms",
        "_grid",
        "closed_to",
        "covered",
        "final_to",
        "known_from",
        "since_ms",
    )

    def __init__(self, grid: Grid, grace_ms: int, amend_ms: int) -> None:
        """ValueError for negative times."""
        if grace_ms < 0 or amend_ms < 0:
            raise ValueError(f"grace and amend must be at least 0 ms; are {grace_ms} and {amend_ms}")
        self._grid, self._grace_ms, self._amend_ms = grid, grace_ms, amend_ms
        self._given = IntervalSet()  # final bars that were given out, and are not held any more
        self.closed_to = NEVER  # bars that end by then are closed
        self.final_to = NEVER  # the window of those that end by then is over
        self.known_from = NEVER  # of bars before it nobody remembers whether they were given out
        self.covered = IntervalSet()
        self.since_ms: int | None = None  # when coverage began, whatever of it was lost afterwards

    def see(self, covered: IntervalSet | Iterable[Interval]) -> None:
        self.covered = interval_set(covered)
        first = self.covered.from_ms
        if first is not None:
            self.since_ms = first if self.since_ms is None else min(first, self.since_ms)

    def advance(self, until_ms: int) -> bool:
        """Whether further windows are over. Time that runs backwards changes nothing."""
        self.closed_to = max(self.closed_to, self._grid.begin(until_ms - self._grace_ms))
        final_to = self._grid.begin(self.settled_ms(until_ms))
        if final_to <= self.final_to:
            return False
        self.final_to = final_to
        return True

    def settled_ms(self, until_ms: int) -> int:
        """The windows of finer bars that end by then are over."""
        return until_ms - self._grace_ms - self._amend_ms

    def is_closed(self, begin: int) -> bool:
        return begin + self._grid.step_ms <= self.closed_to

    def is_seen(self, begin: int) -> bool:
        """Covered from begin to end."""
        return self.covered.covered(begin, begin + self._grid.step_ms)

    def was_given(self, begin: int) -> bool:
        """Whether a bar that is not held was given out, or may have been."""
        return self._given.covered(begin, begin + 1) or (begin < self.known_from and self.is_seen(begin))

    def is_final(self, begin: int) -> bool:
        """Of a bar that is not held: whether it can get no first trade any more."""
        if begin + self._grid.step_ms > self.final_to:
            return False
        missed = self.since_ms is not None and self.since_ms <= begin and not self.is_seen(begin)
        return not missed or begin < self.known_from or self.was_given(begin)

    def give_up(self, held: Mapping[int, Candle | None]) -> list[int]:
        """Which of the bars held (begin, as given out last) need not be held any more."""
        over = sorted(begin for begin in held if begin + self._grid.step_ms <= self.final_to)
        partial = [begin for begin in over if _is_partial(held[begin])]
        final = sorted(set(over).difference(partial[-REMEMBERED_BARS:]))
        for begin in final:
            self._given.add(begin, begin + self._grid.step_ms)
        oldest = self.final_to - REMEMBERED_BARS * self._grid.step_ms
        if oldest > self.known_from:
            self.known_from = oldest
            self._given.remove(NEVER, oldest)
        return final


def _is_partial(candle: Candle | None) -> bool:
    return candle is not None and candle.quality is not Quality.COMPLETE
