"""Sets of time, against the plainest of all implementations: a set of moments."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.candles.coverage import IntervalSet, quality_without_bar
from spark_engine.feeds.market import Interval, Quality

spans = st.tuples(st.integers(0, 40), st.integers(0, 40))
changes = st.lists(st.tuples(st.booleans(), spans), max_size=20)


def made(done: list[tuple[bool, tuple[int, int]]]) -> tuple[IntervalSet, set[int]]:
    intervals, moments = IntervalSet(), set[int]()
    for adds, (begin, end) in done:
        if adds:
            intervals.add(begin, end)
            moments |= set(range(begin, end))
        else:
            intervals.remove(begin, end)
            moments -= set(range(begin, end))
    return intervals, moments


def moments_of(intervals: list[Interval]) -> list[int]:
    return [moment for interval in intervals for moment in range(interval.from_ms, interval.to_ms)]


@given(changes)
def test_intervals_hold_what_was_added_and_not_removed_apart_and_ascending(
    done: list[tuple[bool, tuple[int, int]]],
) -> None:
    intervals, moments = made(done)
    listed = list(intervals)
    assert moments_of(listed) == sorted(moments)
    assert all(before.to_ms < after.from_ms for before, after in pairwise(listed))
    assert intervals.from_ms == (min(moments) if moments else None)
    assert IntervalSet(reversed(listed)) == intervals
    assert len(intervals) == len(listed)


@given(changes, spans)
def test_a_time_is_clipped_into_what_is_in_and_what_is_missing(
    done: list[tuple[bool, tuple[int, int]]], span: tuple[int, int]
) -> None:
    intervals, moments = made(done)
    asked = set(range(*span))
    assert moments_of(intervals.clip(*span)) == sorted(asked & moments)
    assert moments_of(intervals.missing(*span)) == sorted(asked - moments)
    assert intervals.covered(*span) == (asked <= moments)
    seen = Quality.NO_TRADES if asked <= moments else Quality.FEED_DOWN
    assert quality_without_bar(*span, intervals) is seen


def test_a_copy_goes_its_own_way() -> None:
    intervals = IntervalSet([Interval(0, 10)])
    other = intervals.copy()
    other.add(20, 30)
    assert list(intervals) == [Interval(0, 10)]
    assert other != intervals


def test_a_minute_without_trades_is_not_a_minute_without_a_feed() -> None:
    seen = [Interval(0, 60_000), Interval(60_000, 90_000)]
    assert quality_without_bar(0, 60_000, seen) is Quality.NO_TRADES
    assert quality_without_bar(60_000, 120_000, seen) is Quality.FEED_DOWN
    assert quality_without_bar(180_000, 240_000, seen) is Quality.FEED_DOWN
