"""Larger bars from minutes: values, quality, amendments, memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from spark_engine.feeds.candles.aggregate import Aggregator, aggregate
from spark_engine.feeds.market import Candle, Interval, Quality

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MONDAY = 1_704_067_200_000  # 2024-01-01T00:00:00Z
GRACE, AMEND = 2_000, 10 * MINUTE
ALWAYS = [Interval(MONDAY - 30 * DAY, MONDAY + 30 * DAY)]
Latest = Callable[[Iterable[Candle]], dict[int, Candle]]


def minute(number: int, price: int = 100, volume: int = 1, begin: int = MONDAY, **other: object) -> Candle:
    bar = Candle(
        symbol="BTCTRY",
        timeframe="1m",
        ts_ms=begin + number * MINUTE,
        open=price,
        high=price + 2,
        low=price - 3,
        close=price + 1,
        volume=volume,
        price_scale=2,
        quantity_scale=8,
        trades=1,
    )
    return replace(bar, **other)


def aggregator(timeframe: str = "5m") -> Aggregator:
    return Aggregator(timeframe, grace_ms=GRACE, amend_ms=AMEND)


def test_a_larger_bar_is_its_minutes() -> None:
    assert aggregate([minute(0, 50, 2), minute(3, 70, 3), minute(4, 60, 4)], "5m", ALWAYS) == [
        Candle(
            symbol="BTCTRY",
            timeframe="5m",
            ts_ms=MONDAY,
            open=50,
            high=72,
            low=47,
            close=61,
            volume=9,
            price_scale=2,
            quantity_scale=8,
            trades=3,
        )
    ]


@pytest.mark.parametrize(
    ("minutes", "covered", "quality"),
    [
        ([minute(0)], ALWAYS, Quality.COMPLETE),
        ([minute(0), minute(1, quality=Quality.PARTIAL)], ALWAYS, Quality.PARTIAL),
        ([minute(0)], [Interval(MONDAY, MONDAY + 5 * MINUTE - 1)], Quality.PARTIAL),
        ([minute(0)], [Interval(MONDAY, MONDAY + 2 * MINUTE)], Quality.PARTIAL),
        ([minute(2, source="history")], [], Quality.PARTIAL),
    ],
)
def test_a_larger_bar_is_partial_if_a_minute_is_or_if_time_is_not_covered(
    minutes: list[Candle], covered: list[Interval], quality: Quality
) -> None:
    assert aggregate(minutes, "5m", covered)[0].quality is quality


def test_the_venues_own_minutes_stand_for_their_time() -> None:
    gap = [Interval(MONDAY, MONDAY + 2 * MINUTE), Interval(MONDAY + 4 * MINUTE, MONDAY + HOUR)]
    filled = [minute(0), minute(2, source="history", trades=None), minute(3, source="history", trades=None)]
    bar = aggregate(filled, "5m", gap)[0]
    assert (bar.quality, bar.source, bar.trades) == (Quality.COMPLETE, "merged", None)
    assert aggregate(filled[1:], "5m", gap)[0].source == "history"


def test_minutes_of_other_scales_are_counted_in_the_widest() -> None:
    wider = minute(1, 5_000, 700, price_scale=4, quantity_scale=10)
    bar = aggregate([minute(0, 50, 2), wider], "5m", ALWAYS)[0]
    assert (bar.open, bar.close, bar.volume) == (5_000, 5_001, 900)
    assert (bar.price_scale, bar.quantity_scale) == (4, 10)


def test_weeks_begin_on_mondays_and_days_at_midnight_utc() -> None:
    minutes = [minute(0, begin=MONDAY + day * DAY - HOUR) for day in range(9)]
    weeks = [(bar.ts_ms, bar.trades) for bar in aggregate(minutes, "1w", ALWAYS)]
    assert weeks == [(MONDAY - 7 * DAY, 1), (MONDAY, 7), (MONDAY + 7 * DAY, 1)]
    assert [bar.ts_ms for bar in aggregate(minutes, "1d", ALWAYS)] == [
        MONDAY + day * DAY for day in range(-1, 8)
    ]


def test_a_bar_that_is_no_part_of_the_larger_is_refused() -> None:
    for timeframe, part in (("5m", minute(0, timeframe="2m")), ("1m", minute(0, timeframe="5m"))):
        with pytest.raises(ValueError, match="cannot be made of"):
            aggregate([part], timeframe, ALWAYS)
        with pytest.raises(ValueError, match="cannot be made of"):
            aggregator(timeframe).add(part)


def test_a_larger_bar_is_given_out_when_its_last_minute_is() -> None:
    larger = aggregator()
    larger.add(minute(0))
    assert larger.close(MONDAY + 5 * MINUTE + GRACE - 1, ALWAYS) == []
    larger.add(minute(4, 200))
    closed = larger.close(MONDAY + 5 * MINUTE + GRACE, ALWAYS)
    assert [(bar.close, bar.revision, bar.quality) for bar in closed] == [(201, 0, Quality.COMPLETE)]
    assert larger.close(MONDAY + 5 * MINUTE + GRACE, ALWAYS) == []


def test_amended_minutes_amend_the_larger_bar_once() -> None:
    larger = aggregator()
    larger.add(minute(0))
    larger.close(MONDAY + 6 * MINUTE, ALWAYS)
    larger.add(minute(0, 100, 5, revision=1))
    larger.add(minute(3, 300, 1, revision=1))
    amended = larger.close(MONDAY + 6 * MINUTE + 1000, ALWAYS)
    assert [(bar.volume, bar.close, bar.revision) for bar in amended] == [(6, 301, 1)]
    larger.add(minute(3, 300, 1, revision=1))
    assert larger.close(MONDAY + 6 * MINUTE + 2000, ALWAYS) == []


def test_a_revision_that_changes_nothing_is_not_given_out() -> None:
    larger = aggregator()
    larger.add(minute(0))
    larger.close(MONDAY + 6 * MINUTE, ALWAYS)
    larger.add(minute(0, revision=3))
    assert larger.recheck(ALWAYS) == []


def test_a_larger_bar_becomes_complete_when_the_time_without_trades_is_covered() -> None:
    larger = aggregator()
    larger.add(minute(0))
    assert (
        larger.close(MONDAY + 6 * MINUTE, [Interval(MONDAY, MONDAY + MINUTE)])[0].quality is Quality.PARTIAL
    )
    better = larger.recheck(ALWAYS)
    assert [(bar.quality, bar.revision) for bar in better] == [(Quality.COMPLETE, 1)]
    assert larger.recheck(ALWAYS) == []


def test_minutes_that_the_feed_missed_may_come_long_after() -> None:
    larger = aggregator()
    gap = [Interval(MONDAY, MONDAY + MINUTE), Interval(MONDAY + 55 * MINUTE, MONDAY + 2 * HOUR)]
    larger.add(minute(0))
    larger.close(MONDAY + 2 * HOUR, gap)
    larger.add(minute(2, 300, source="history"))
    larger.add(minute(21, 400, source="history"))
    mended = larger.recheck(ALWAYS)
    assert [(bar.ts_ms, bar.revision, bar.quality) for bar in mended] == [
        (MONDAY, 1, Quality.COMPLETE),
        (MONDAY + 20 * MINUTE, 1, Quality.COMPLETE),
    ]
    assert mended[0].close == 301


def test_minutes_that_the_feed_missed_keep_their_place_between_those_that_are_kept_as_one() -> None:
    larger = aggregator("1h")
    gap = [Interval(MONDAY, MONDAY + 10 * MINUTE), Interval(MONDAY + 20 * MINUTE, MONDAY + DAY)]
    for number in (*range(10), *range(20, 60)):
        larger.add(minute(number))
    for at in range(60, 120):
        larger.close(MONDAY + at * MINUTE + GRACE, gap)
    larger.add(minute(15, 900, source="history"))
    mended = larger.recheck(ALWAYS)
    assert [(bar.high, bar.trades, bar.close, bar.quality) for bar in mended] == [
        (902, 51, 101, Quality.COMPLETE)
    ]


def test_a_bar_that_was_let_go_is_never_begun_anew() -> None:
    larger = aggregator()
    larger.add(minute(0))
    larger.close(MONDAY + 2 * HOUR, ALWAYS)
    larger.close(MONDAY + 3 * HOUR, [Interval(MONDAY - DAY, MONDAY), Interval(MONDAY + HOUR, MONDAY + DAY)])
    larger.add(minute(1, revision=1))
    assert larger.late_ignored == 1
    assert larger.close(MONDAY + 4 * HOUR, ALWAYS) == []


@given(
    st.lists(
        st.tuples(
            st.integers(0, 90), st.integers(10, 99), st.sampled_from([Quality.COMPLETE, Quality.PARTIAL])
        ),
        max_size=60,
    ),
    st.lists(st.tuples(st.integers(0, 90), st.integers(1, 60)), max_size=3),
    st.sampled_from(["3m", "5m", "1h", "1d"]),
)
def test_the_aggregate_of_amended_minutes_is_the_amended_aggregate(
    latest: Latest, written: list[tuple[int, int, Quality]], seen: list[tuple[int, int]], timeframe: str
) -> None:
    """Revisions of minutes in any order, each within ten minutes of the latest."""
    covered = [Interval(MONDAY + begin * MINUTE, MONDAY + (begin + size) * MINUTE) for begin, size in seen]
    larger, given_out, newest, final = aggregator(timeframe), [], 0, dict[int, Candle]()
    for number, price, quality in written:
        if number < newest - 9:
            continue
        newest = max(newest, number)
        before = final.get(number)
        bar = minute(number, price, price, quality=quality, revision=before.revision + 1 if before else 0)
        final[number] = bar
        larger.add(bar)
        given_out += larger.close(MONDAY + (newest + 1) * MINUTE + GRACE, covered)
    given_out += larger.close(MONDAY + 2 * DAY, covered)
    minutes = [bar for _, bar in sorted(final.items())]
    expected = aggregate(minutes, timeframe, covered)
    kept = latest(given_out)
    assert [replace(kept[bar.ts_ms], revision=0) for bar in expected] == expected
    assert len(kept) == len(expected)


def test_a_week_of_minutes_is_kept_as_a_few_bars() -> None:
    larger = aggregator("1w")
    tracemalloc.start()
    sizes = []
    larger.add(minute(0))
    for number in range(1, 7 * 1440):
        assert larger.close(MONDAY + number * MINUTE + GRACE, ALWAYS) == []
        larger.add(minute(number))
        if number in (1_000, 10_000):
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[1] < sizes[0] + 20_000
    week = larger.close(MONDAY + 7 * DAY + GRACE, ALWAYS)
    assert [(bar.trades, bar.volume, bar.quality) for bar in week] == [(10_080, 10_080, Quality.COMPLETE)]


def test_a_restart_goes_on_where_the_archive_ends() -> None:
    minutes = [minute(number, 100 + number) for number in range(20)]
    whole = aggregate(minutes, "5m", ALWAYS)
    larger = aggregator()
    larger.restore(minutes[:13], whole[:2], ALWAYS)
    assert larger.close(MONDAY + 13 * MINUTE + GRACE, ALWAYS) == []
    for bar in minutes[13:]:
        larger.add(bar)
    assert larger.close(MONDAY + 20 * MINUTE + GRACE, ALWAYS) == whole[2:]


def test_a_larger_bar_of_which_a_restart_brings_back_only_a_part_stays_as_it_is() -> None:
    minutes = [minute(number, 100 + number) for number in range(30)]
    larger = aggregator()
    larger.restore(minutes[3:], aggregate(minutes, "5m", ALWAYS)[3:], ALWAYS)
    given_out = larger.close(MONDAY + 30 * MINUTE + GRACE, ALWAYS)
    larger.add(minute(2, 500, revision=1))
    given_out += larger.recheck(ALWAYS)
    assert MONDAY not in [bar.ts_ms for bar in given_out]


def test_a_larger_bar_that_began_before_the_first_trade_is_made_after_a_restart() -> None:
    larger = aggregator("1h")
    larger.restore([minute(number) for number in range(20, 40)], [], ALWAYS)
    assert [bar.trades for bar in larger.close(MONDAY + HOUR + GRACE, ALWAYS)] == [20]


def test_a_larger_bar_that_was_not_amended_before_a_restart_is_amended_after_it() -> None:
    minutes = [minute(number) for number in range(5)]
    closed = aggregate(minutes, "5m", ALWAYS)
    larger = aggregator()
    larger.restore([*minutes[:4], minute(4, 500, revision=1)], closed, ALWAYS)
    amended = larger.close(MONDAY + 6 * MINUTE, ALWAYS)
    assert [(bar.close, bar.revision) for bar in amended] == [(501, 1)]
