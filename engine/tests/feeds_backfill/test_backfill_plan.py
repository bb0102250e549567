"""Which requests fetch the history that is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.errors import InvalidSpec
from spark_engine.feeds.backfill.plan import Plan, missing_ranges, plan, seconds_needed
from spark_engine.feeds.market import Interval
from spark_engine.feeds.provider import RateLimit

MINUTE = 60_000
HOUR = 60 * MINUTE
LIMIT = RateLimit("klines", requests=600, seconds=600.0, block_seconds=60.0)


def minutes(begin: int, end: int) -> Interval:
    return Interval(begin * MINUTE, end * MINUTE)


def spans(planned: Plan) -> list[tuple[int, int]]:
    return [(request.span.from_ms // MINUTE, request.span.to_ms // MINUTE) for request in planned.requests]


def test_what_is_covered_is_not_missing() -> None:
    covered = [minutes(20, 30), minutes(0, 10), minutes(5, 12)]
    assert missing_ranges(covered, minutes(0, 40)) == (minutes(12, 20), minutes(30, 40))
    assert missing_ranges([minutes(-5, 50)], minutes(0, 40)) == ()
    assert missing_ranges([], minutes(0, 40)) == (minutes(0, 40),)
    assert missing_ranges([minutes(50, 60)], minutes(0, 40)) == (minutes(0, 40),)


def test_a_long_range_is_split_into_pages_from_its_newest_bar() -> None:
    planned = plan([], minutes(0, 25), "1m", 10)
    assert spans(planned) == [(15, 25), (5, 15), (0, 5)]
    assert planned.bars == 25


def test_the_oldest_bar_may_come_first_instead() -> None:
    assert spans(plan([], minutes(0, 25), "1m", 10, "oldest")) == [(0, 10), (10, 20), (20, 25)]


def test_holes_that_one_page_can_hold_share_a_request() -> None:
    covered = [minutes(2, 5), minutes(7, 100)]
    planned = plan(covered, minutes(0, 103), "1m", 10)
    assert spans(planned) == [(100, 103), (0, 7)]
    assert planned.requests[1].missing == (minutes(0, 2), minutes(5, 7))
    assert planned.bars == 3 + 4


def test_a_bar_that_is_covered_in_part_is_asked_for_as_a_whole() -> None:
    covered = [Interval(0, 90 * MINUTE), Interval(110 * MINUTE, 5 * HOUR)]
    planned = plan(covered, Interval(0, 5 * HOUR), "1h", 100)
    assert [request.span for request in planned.requests] == [Interval(HOUR, 2 * HOUR)]


def test_two_holes_of_one_bar_are_one_bar() -> None:
    covered = [minutes(0, 70), minutes(75, 100), minutes(105, 300)]
    assert plan(covered, minutes(0, 300), "1h", 100).bars == 1


def test_the_forming_bar_is_not_asked_for() -> None:
    planned = plan([], Interval(0, 3 * HOUR + 17 * MINUTE), "1h", 100)
    assert [request.span for request in planned.requests] == [Interval(0, 3 * HOUR)]
    assert plan([], Interval(HOUR + 1, HOUR + 2), "1h", 100).requests == ()


def test_weeks_begin_on_mondays() -> None:
    day = 24 * HOUR
    planned = plan([], Interval(12 * day, 30 * day), "1w", 10)  # 1970-01-13, a Tuesday
    assert [request.span for request in planned.requests] == [Interval(11 * day, 25 * day)]


def test_nothing_missing_needs_no_request() -> None:
    assert plan([minutes(0, 60)], minutes(0, 60), "1m", 10) == Plan("1m", (), 0)


def test_a_page_without_a_bar_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one bar"):
        plan([], minutes(0, 60), "1m", 0)
    with pytest.raises(InvalidSpec, match="must be a count and one of"):
        plan([], minutes(0, 60), "1 minute", 10)


def test_five_years_of_minutes_of_one_pair_take_ten_minutes_of_the_exchange() -> None:
    planned = plan([], Interval(0, 5 * 365 * 24 * HOUR), "1m", 4320)
    assert len(planned.requests) == 609
    assert seconds_needed(609, LIMIT) == 9.0  # 600 at once, nine a second later each


def test_only_a_share_of_a_limit_may_be_used() -> None:
    assert seconds_needed(600, LIMIT, share=0.5) == 600.0
    assert seconds_needed(0, LIMIT, round_trip=0.2) == 0.0
    assert seconds_needed(10, LIMIT, round_trip=0.2) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="share"):
        seconds_needed(1, LIMIT, share=0.0)


intervals = st.tuples(st.integers(0, 400), st.integers(0, 60)).map(lambda pair: minutes(pair[0], sum(pair)))


@given(st.lists(intervals, max_size=12), st.integers(1, 40), st.sampled_from(["newest", "oldest"]))
def test_any_plan_asks_for_every_missing_bar_once_and_for_none_twice(
    covered: list[Interval], most: int, order: str
) -> None:
    wanted = minutes(50, 350)
    planned = plan(covered, wanted, "1m", most, order)  # type: ignore[arg-type]
    have = {at for known in covered for at in range(known.from_ms, known.to_ms, MINUTE)}
    missing = {at for at in range(wanted.from_ms, wanted.to_ms, MINUTE) if at not in have}
    asked = [at for r in planned.requests for at in range(r.span.from_ms, r.span.to_ms, MINUTE)]
    named = [
        at for r in planned.requests for hole in r.missing for at in range(hole.from_ms, hole.to_ms, MINUTE)
    ]
    assert len(asked) == len(set(asked))
    assert sorted(named) == sorted(missing)
    assert set(named) <= set(asked)
    assert planned.bars == len(missing)
    assert all(r.span.to_ms - r.span.from_ms <= most * MINUTE for r in planned.requests)
    begins = [r.span.from_ms for r in planned.requests]
    assert begins == sorted(begins, reverse=order == "newest")
