"""Pages of history that begin and end with days."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.backfill.pages import DAY_MS, page_ms, paged
from spark_engine.feeds.market import Interval

MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.mark.parametrize(
    ("timeframe", "most", "length"),
    [
        ("1m", 4_320, 3 * DAY_MS),  # BTCTurk
        ("1m", 5_000, 3 * DAY_MS),
        ("1m", 1_440, DAY_MS),
        ("1m", 1_000, DAY_MS // 2),  # Binance
        ("1m", 7, 6 * MINUTE),
        ("1h", 1_000, 41 * DAY_MS),
        ("7m", 10, 70 * MINUTE),  # divides no day
        ("1w", 10, 70 * DAY_MS),
    ],
)
def test_a_page_is_so_many_days_or_a_part_of_one(timeframe: str, most: int, length: int) -> None:
    assert page_ms(timeframe, most) == length


def test_a_month_is_fetched_in_pages_of_three_days_from_its_end() -> None:
    planned = paged([], Interval(10 * DAY_MS, 20 * DAY_MS + 90 * MINUTE), "1m", 4_320)
    assert [(each.span.from_ms / DAY_MS, each.span.to_ms / DAY_MS) for each in planned.requests] == [
        (18, 20.0625),
        (15, 18),
        (12, 15),
        (10, 12),
    ]
    assert planned.bars == 10 * 1440 + 90


def test_the_oldest_page_may_come_first_instead() -> None:
    newest = paged([], Interval(0, 9 * DAY_MS), "1m", 4_320)
    oldest = paged([], Interval(0, 9 * DAY_MS), "1m", 4_320, "oldest")
    assert oldest.requests == newest.requests[::-1]


def test_pages_that_are_covered_need_no_request() -> None:
    planned = paged([Interval(3 * DAY_MS, 6 * DAY_MS)], Interval(0, 9 * DAY_MS), "1m", 4_320)
    assert [each.span for each in planned.requests] == [
        Interval(6 * DAY_MS, 9 * DAY_MS),
        Interval(0, 3 * DAY_MS),
    ]


hours = st.tuples(st.integers(0, 400), st.integers(0, 60)).map(
    lambda pair: Interval(pair[0] * HOUR, sum(pair) * HOUR)
)


@given(st.lists(hours, max_size=8), st.integers(1, 60), st.sampled_from(["newest", "oldest"]))
def test_every_missing_bar_is_asked_for_once_and_no_page_reaches_over_a_boundary(
    covered: list[Interval], most: int, order: str
) -> None:
    wanted = Interval(50 * HOUR, 350 * HOUR)
    planned = paged(covered, wanted, "1h", most, order)  # type: ignore[arg-type]
    have = {at for known in covered for at in range(known.from_ms, known.to_ms, HOUR)}
    missing = sorted(at for at in range(wanted.from_ms, wanted.to_ms, HOUR) if at not in have)
    asked = [
        at
        for each in planned.requests
        for hole in each.missing
        for at in range(hole.from_ms, hole.to_ms, HOUR)
    ]
    assert sorted(asked) == missing
    assert planned.bars == len(missing)
    length = page_ms("1h", most)
    assert length <= most * HOUR
    assert all(each.span.from_ms // length == (each.span.to_ms - 1) // length for each in planned.requests)
