"""A set of times as intervals: in which of them a feed saw every trade."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from spark_engine.feeds.market import Interval, Quality


class IntervalSet:
    """Intervals [from, to), ms UTC, kept apart and ascending: overlapping and touching ones are one."""

    __slots__ = ("_begins", "_ends")

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        for interval in intervals:
            self.add(interval.from_ms, interval.to_ms)

    def __iter__(self) -> Iterator[Interval]:
        return (Interval(begin, end) for begin, end in zip(self._begins, self._ends, strict=True))

    def __len__(self) -> int:
        return len(self._begins)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntervalSet) and (self._begins, self._ends) == (other._begins, other._ends)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"IntervalSet({list(self)!r})"

    @property
    def from_ms(self) -> int | None:
        """The first moment, None of an empty set."""
        return self._begins[0] if self._begins else None

    def copy(self) -> IntervalSet:
        other = IntervalSet()
        other._begins, other._ends = self._begins.copy(), self._ends.copy()
        return other

    def add(self, from_ms: int, to_ms: int) -> None:
        """Nothing is added where `to_ms` is not after `from_ms`."""
        if to_ms <= from_ms:
            return
        first = bisect_left(self._ends, from_ms)  # the first that reaches or touches
        last = bisect_right(self._begins, to_ms)  # past the last that does
        if first < last:
            from_ms = min(from_ms, self._begins[first])
            to_ms = max(to_ms, self._ends[last - 1])
        self._begins[first:last] = [from_ms]
        self._ends[first:last] = [to_ms]

    def remove(self, from_ms: int, to_ms: int) -> None:
        """What was believed to be known is not."""
        if to_ms <= from_ms:
            return
        first = bisect_right(self._ends, from_ms)
        last = bisect_left(self._begins, to_ms)
        if first >= last:
            return
        left, right = self._begins[first], self._ends[last - 1]
        kept = [(begin, end) for begin, end in ((left, from_ms), (to_ms, right)) if begin < end]
        self._begins[first:last] = [begin for begin, _ in kept]
        self._ends[first:last] = [end for _, end in kept]

    def covered(self, from_ms: int, to_ms: int) -> bool:
        """Whether every moment of [from_ms, to_ms) is in; an empty one always is."""
        if to_ms <= from_ms:
            return True
        place = bisect_right(self._begins, from_ms) - 1
        return place >= 0 and self._ends[place] >= to_ms

    def clip(self, from_ms: int, to_ms: int) -> list[Interval]:
        """The parts within [from_ms, to_ms), ascending."""
        if to_ms <= from_ms:
            return []
        first = bisect_right(self._ends, from_ms)
        last = bisect_left(self._begins, to_ms)
        return [
            Interval(max(begin, from_ms), min(end, to_ms))
            for begin, end in zip(self._begins[first:last], self._ends[first:last], strict=True)
        ]

    def missing(self, from_ms: int, to_ms: int) -> list[Interval]:
        """The parts of [from_ms, to_ms) that are not in, ascending."""
        gaps: list[Interval] = []
        for known in self.clip(from_ms, to_ms):
            if known.from_ms > from_ms:
                gaps.append(Interval(from_ms, known.from_ms))
            from_ms = known.to_ms
        if from_ms < to_ms:
            gaps.append(Interval(from_ms, to_ms))
        return gaps


def interval_set(covered: IntervalSet | Iterable[Interval]) -> IntervalSet:
    """A set of one's own: the other may go on changing."""
    return covered.copy() if isinstance(covered, IntervalSet) else IntervalSet(covered)


def quality_without_bar(from_ms: int, to_ms: int, covered: IntervalSet | Iterable[Interval]) -> Quality:
    """Of a bar that has no row: nobody traded, or the feed did not see all of its time."""
    known = covered if isinstance(covered, IntervalSet) else IntervalSet(covered)
    seen = known.covered(from_ms, to_ms)
    return Quality.NO_TRADES if seen else Quality.FEED_DOWN
