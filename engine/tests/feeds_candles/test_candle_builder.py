"""Bars from ticks: when they are given out, how they are amended, what their quality says."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from spark_engine.errors import InvalidSpec
from spark_engine.feeds.candles.builder import CandleBuilder
from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick, Quality

MINUTE = 60_000
T = 28_333_334 * MINUTE  # a whole minute of 2023
GRACE, AMEND = 2_000, 5 * MINUTE
Latest = Callable[[Iterable[Candle]], dict[int, Candle]]
ALWAYS = [Interval(T - 10_000 * MINUTE, T + 10_000 * MINUTE)]
INSTRUMENT = Instrument(
    symbol="BTCTRY", venue_symbol="BTCTRY", base="BTC", quote="TRY", price_scale=2, quantity_scale=8
)


def builder(timeframe: str = "1m") -> CandleBuilder:
    return CandleBuilder(INSTRUMENT, timeframe, grace_ms=GRACE, amend_ms=AMEND)


def tick(number: int, after_ms: int, price: int, quantity: int = 1) -> MarketTick:
    return MarketTick("BTCTRY", str(number), T + after_ms, price, quantity)


def built(*ticks: MarketTick) -> CandleBuilder:
    made = builder()
    for each in ticks:
        assert made.add(each) is None
    return made


def minutes(begin: int, end: int) -> Interval:
    return Interval(T + begin * MINUTE, T + end * MINUTE)


def test_a_bar_is_its_trades() -> None:
    made = built(tick(1, 0, 50, 2), tick(2, 10, 70, 3), tick(3, 20, 40, 5), tick(4, 59_999, 60, 7))
    made.add(tick(5, MINUTE, 99))
    assert made.close(T + MINUTE + GRACE, ALWAYS) == [
        Candle(
            symbol="BTCTRY",
            timeframe="1m",
            ts_ms=T,
            open=50,
            high=70,
            low=40,
            close=60,
            volume=17,
            price_scale=2,
            quantity_scale=8,
            trades=4,
        )
    ]


def test_a_bar_waits_for_its_grace() -> None:
    made = built(tick(1, 0, 50))
    assert made.close(T + MINUTE + GRACE - 1, ALWAYS) == []
    assert len(made.close(T + MINUTE + GRACE, ALWAYS)) == 1
    assert made.close(T + MINUTE + GRACE, ALWAYS) == []


def test_a_quiet_minute_has_no_bar() -> None:
    made = built(tick(1, 0, 50), tick(2, 3 * MINUTE, 60))
    assert [bar.ts_ms for bar in made.close(T + 10 * MINUTE, ALWAYS)] == [T, T + 3 * MINUTE]


def test_trades_of_one_millisecond_are_ordered_by_number() -> None:
    made = built(tick(10, 5, 30), tick(9, 5, 20), tick(11, 5, 40), tick(2, 5, 10))
    bar = made.close(T + 2 * MINUTE, ALWAYS)[0]
    assert (bar.open, bar.close) == (10, 40)


def test_trades_of_one_millisecond_whose_ids_are_no_numbers_are_ordered_as_they_came() -> None:
    made = builder()
    for name, price in (("z", 10), ("a", 20), ("m", 30)):
        made.add(MarketTick("BTCTRY", name, T, price, 1))
    bar = made.close(T + 2 * MINUTE, ALWAYS)[0]
    assert (bar.open, bar.close) == (10, 30)


@pytest.mark.parametrize(
    ("covered", "quality"),
    [
        ([minutes(0, 1)], Quality.COMPLETE),
        ([Interval(T - 5, T + 30_000), Interval(T + 30_000, T + MINUTE)], Quality.COMPLETE),
        ([Interval(T + 1, T + MINUTE)], Quality.PARTIAL),
        ([Interval(T, T + MINUTE - 1)], Quality.PARTIAL),
        ([Interval(T, T + 30_000), Interval(T + 30_001, T + MINUTE)], Quality.PARTIAL),
        ([], Quality.PARTIAL),
    ],
)
def test_a_bar_is_complete_if_and_only_if_it_is_covered(covered: list[Interval], quality: Quality) -> None:
    assert built(tick(1, 500, 50)).close(T + 2 * MINUTE, covered)[0].quality is quality


def test_a_late_trade_amends_its_bar_with_a_higher_revision() -> None:
    made = built(tick(2, 1000, 50, 2))
    made.close(T + 2 * MINUTE, ALWAYS)
    first = made.add(tick(1, 500, 40, 3))
    assert first is not None
    assert (first.revision, first.open, first.close, first.low, first.volume) == (1, 40, 50, 40, 5)
    assert (first.quality, first.trades) == (Quality.COMPLETE, 2)
    second = made.add(tick(3, 59_000, 90))
    assert second is not None
    assert (second.revision, second.close, second.high) == (2, 90, 90)
    assert made.amended == 2


def test_the_first_trade_of_a_minute_that_was_closed_without_any_is_an_amendment() -> None:
    made = built(tick(9, 3 * MINUTE, 50))
    made.close(T + 4 * MINUTE, ALWAYS)
    amended = made.add(tick(1, 500, 40))
    assert amended is not None
    assert (amended.ts_ms, amended.revision, amended.quality) == (T, 1, Quality.COMPLETE)


def test_a_trade_later_than_the_window_changes_nothing_and_is_counted() -> None:
    made = built(tick(1, 500, 50))
    made.close(T + MINUTE + GRACE + AMEND - 1, ALWAYS)
    assert made.add(tick(2, 600, 60)) is not None
    made.close(T + MINUTE + GRACE + AMEND, ALWAYS)
    assert made.add(tick(3, 700, 70)) is None
    assert (made.late_ignored, made.amended) == (1, 1)
    assert made.close(T + 100 * MINUTE, ALWAYS) == []


def test_what_is_known_to_be_missing_may_come_after_the_window() -> None:
    """The feed was down for an hour; the snapshot on joining brings the few trades of that time."""
    made = built(tick(1, 30_000, 50))
    down = [Interval(T - MINUTE, T + 40_000), minutes(61, 62)]
    assert made.close(T + 62 * MINUTE, down)[0].quality is Quality.PARTIAL
    assert made.close(T + 70 * MINUTE, down) == []
    first, second = made.add(tick(2, 50_000, 60)), made.add(tick(3, 20 * MINUTE, 70))
    assert first is not None
    assert second is not None
    assert (first.ts_ms, first.revision, first.volume, first.quality) == (T, 1, 2, Quality.PARTIAL)
    assert (second.ts_ms, second.revision) == (T + 20 * MINUTE, 1)
    rechecked = made.recheck([Interval(T - MINUTE, T + 70 * MINUTE)])
    assert [(bar.ts_ms, bar.quality, bar.revision) for bar in rechecked] == [
        (T, Quality.COMPLETE, 2),
        (T + 20 * MINUTE, Quality.COMPLETE, 2),
    ]
    assert made.late_ignored == 0


def test_a_bar_that_was_given_out_and_let_go_is_never_begun_anew() -> None:
    """Its coverage is withdrawn afterwards, but what it held is not known here any more."""
    made = built(tick(1, 500, 50), tick(2, 700, 51))
    made.close(T + 60 * MINUTE, ALWAYS)
    made.close(T + 61 * MINUTE, [Interval(T - MINUTE, T), minutes(30, 61)])
    assert made.add(tick(3, 600, 60)) is None
    assert made.late_ignored == 1
    assert made.replace(history(0, 5, 5, 5, 5, 5)) is None
    merged = made.replace(history(0, 5, 5, 5, 5, 5), lacking=True)
    assert merged is not None
    assert (merged.source, merged.quality, merged.volume) == ("merged", Quality.COMPLETE, 5)


def test_trades_of_before_anything_was_covered_change_nothing() -> None:
    made = built(tick(1, 500, 50))
    made.close(T + 60 * MINUTE, [minutes(0, 60)])
    assert made.add(tick(0, -30 * MINUTE, 60)) is None
    assert made.late_ignored == 1


def test_a_bar_becomes_complete_when_its_gap_is_filled() -> None:
    made = built(tick(1, 500, 50))
    assert made.close(T + 2 * MINUTE, [])[0].quality is Quality.PARTIAL
    assert made.recheck([]) == []
    better = made.recheck(ALWAYS)
    assert [(bar.quality, bar.revision) for bar in better] == [(Quality.COMPLETE, 1)]
    assert made.recheck(ALWAYS) == []


def test_a_bar_becomes_partial_when_what_was_believed_to_be_known_is_not() -> None:
    made = built(tick(1, 500, 50))
    made.close(T + 2 * MINUTE, ALWAYS)
    covered = IntervalSet(ALWAYS)
    covered.remove(T + 30_000, T + 40_000)
    worse = made.recheck(covered)
    assert [(bar.quality, bar.revision) for bar in worse] == [(Quality.PARTIAL, 1)]


def test_the_coverage_that_was_given_may_go_on_changing() -> None:
    made, covered = built(tick(1, 500, 50)), IntervalSet([minutes(-1, 0), minutes(5, 99)])
    made.close(T + 60 * MINUTE, covered)
    covered.add(T, T + 5 * MINUTE)
    assert made.add(tick(2, 2 * MINUTE, 60)) is not None


def test_time_that_runs_backwards_closes_nothing_and_opens_nothing() -> None:
    made = built(tick(1, 500, 50), tick(2, 20 * MINUTE, 60))
    assert len(made.close(T + 10 * MINUTE, ALWAYS)) == 1
    assert made.close(T, ALWAYS) == []
    assert made.add(tick(3, 600, 70)) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 4 * MINUTE), st.integers(1, 50), st.integers(1, 9), st.integers(0, AMEND)),
        max_size=40,
    ),
    st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 3)), max_size=4),
)
def test_any_order_of_arrival_within_the_window_gives_the_same_bars(
    latest: Latest, trades: list[tuple[int, int, int, int]], seen: list[tuple[int, int]]
) -> None:
    ticks = [
        (tick(number, after, price, size), late) for number, (after, price, size, late) in enumerate(trades)
    ]
    covered = [minutes(begin, begin + length) for begin, length in seen]
    in_order = builder()
    for each, _ in sorted(ticks, key=lambda it: (it[0].ts_ms, int(it[0].id))):
        in_order.add(each)
    expected = in_order.close(T + 60 * MINUTE, covered)
    late, given_out = builder(), []
    for each, after in sorted(ticks, key=lambda it: it[0].ts_ms + it[1]):
        given_out += late.close(each.ts_ms + after, covered)
        if (amended := late.add(each)) is not None:
            given_out.append(amended)
    given_out += late.close(T + 60 * MINUTE, covered)
    final = latest(given_out)
    assert [replace(bar, revision=0) for _, bar in sorted(final.items())] == expected
    assert late.late_ignored == 0


def history(begin: int, low: int, high: int, first: int, last: int, volume: int) -> Candle:
    return Candle(
        symbol="BTCTRY",
        timeframe="1m",
        ts_ms=T + begin * MINUTE,
        open=first,
        high=high,
        low=low,
        close=last,
        volume=volume,
        price_scale=2,
        quantity_scale=8,
        source="history",
    )


def test_the_venues_bar_mends_a_partial_one() -> None:
    made = built(tick(1, 500, 50, 2))
    made.close(T + 2 * MINUTE, [])
    merged = made.replace(history(0, 40, 60, 45, 55, 9))
    assert merged is not None
    assert (merged.source, merged.quality, merged.revision) == ("merged", Quality.COMPLETE, 1)
    assert (merged.open, merged.volume, merged.trades) == (45, 9, None)
    assert made.replace(history(0, 40, 60, 45, 55, 9)) is None
    assert made.add(tick(2, 600, 52)) is None
    assert made.recheck(ALWAYS) == []
    again = made.replace(history(0, 40, 61, 45, 55, 10))
    assert again is not None
    assert (again.source, again.revision, again.high) == ("merged", 2, 61)


def test_the_venues_bar_fills_a_minute_that_the_feed_missed() -> None:
    made = built(tick(1, 500, 50), tick(2, 5 * MINUTE, 50))
    made.close(T + 6 * MINUTE, [minutes(0, 1), minutes(5, 6)])
    filled = made.replace(history(2, 40, 60, 45, 55, 9))
    assert filled is not None
    assert (filled.source, filled.quality, filled.revision) == ("history", Quality.COMPLETE, 0)
    assert made.disagreements == 0


def test_a_complete_bar_is_kept_against_the_venues_and_the_disagreement_is_told() -> None:
    made = built(tick(1, 500, 50, 2))
    bar = made.close(T + 2 * MINUTE, ALWAYS)[0]
    assert made.replace(history(0, 50, 50, 50, 50, 2)) is None
    assert made.disagreements == 0
    wrong = history(0, 50, 51, 50, 50, 3)
    assert made.replace(wrong) is None
    assert made.disagreements == 1
    assert made.last_disagreement == (bar, wrong)


def test_a_partial_bar_whose_trades_prove_the_venues_wrong_stays_partial() -> None:
    made = built(tick(1, 500, 50, 2))
    made.close(T + 2 * MINUTE, [])
    assert made.replace(history(0, 40, 49, 45, 45, 9)) is None
    assert made.disagreements == 1
    assert made.recheck(ALWAYS) == []
    amended = made.add(tick(2, 600, 51))
    assert amended is not None
    assert amended.quality is Quality.PARTIAL


def test_a_trade_that_only_the_venues_history_knows_is_taken_and_told() -> None:
    made = built(tick(1, 500, 50))
    made.close(T + 4 * MINUTE, ALWAYS)
    assert made.replace(history(2, 40, 60, 45, 55, 9)) is not None
    assert made.disagreements == 1


def test_an_open_bar_is_not_replaced() -> None:
    made = built(tick(1, 500, 50))
    made.close(T + 30_000, ALWAYS)
    assert made.replace(history(0, 40, 60, 45, 55, 9)) is None
    assert made.close(T + 2 * MINUTE, ALWAYS)[0].source == "ticks"


def test_more_decimals_change_no_value() -> None:
    made = built(tick(1, 500, 50, 2))
    made.close(T + 2 * MINUTE, ALWAYS)
    made.add(tick(2, 2 * MINUTE, 70, 3))
    made.rescale(replace(INSTRUMENT, price_scale=4, quantity_scale=10))
    made.add(tick(3, 2 * MINUTE + 1, 7001, 350))
    bar = made.close(T + 4 * MINUTE, ALWAYS)[0]
    assert (bar.open, bar.high, bar.close, bar.volume) == (7000, 7001, 7001, 650)
    assert (bar.price_scale, bar.quantity_scale) == (4, 10)
    amended = made.add(tick(4, 600, 5001, 1))
    assert amended is not None
    assert (amended.open, amended.close, amended.volume) == (5000, 5001, 201)


def test_fewer_decimals_are_refused() -> None:
    with pytest.raises(ValueError, match="can only grow"):
        builder().rescale(replace(INSTRUMENT, price_scale=1))
    with pytest.raises(ValueError, match="can only grow"):
        builder().replace(replace(history(0, 1, 1, 1, 1, 1), price_scale=3))


@given(
    st.lists(
        st.tuples(st.integers(0, 4 * MINUTE), st.integers(1, 50), st.integers(0, AMEND)),
        min_size=1,
        max_size=30,
    ),
    st.integers(0, 30),
)
def test_a_restart_at_any_moment_gives_the_same_bars(
    latest: Latest, trades: list[tuple[int, int, int]], at: int
) -> None:
    """The ticks of the first process were archived before their bars: its last bars may be lost."""
    ticks = [(tick(number, after, price), late) for number, (after, price, late) in enumerate(trades)]
    ticks.sort(key=lambda it: it[0].ts_ms + it[1])
    first, archived = builder(), []
    known: list[MarketTick] = []
    for each, late in ticks[:at]:
        known.append(each)
        archived += first.close(each.ts_ms + late, ALWAYS)
        if (amended := first.add(each)) is not None:
            archived.append(amended)
    kept = archived[:-1]
    second = builder()
    second.restore(known, sorted(latest(kept).values(), key=lambda bar: bar.ts_ms))
    after = []
    for each, late in ticks[at:]:
        after += second.close(each.ts_ms + late, ALWAYS)
        if (amended := second.add(each)) is not None:
            after.append(amended)
    after += second.close(T + 60 * MINUTE, ALWAYS)
    once = builder()
    for each, _ in ticks:
        once.add(each)
    expected = once.close(T + 60 * MINUTE, ALWAYS)
    final = latest([*kept, *after])
    assert [replace(final[bar.ts_ms], revision=0) for bar in expected] == expected


def test_a_restored_bar_without_its_ticks_keeps_its_open_and_close() -> None:
    made = built(tick(1, 500, 50, 2), tick(2, 700, 60, 2))
    bar = made.close(T + 2 * MINUTE, ALWAYS)[0]
    after = builder()
    after.restore([], [bar])
    assert after.close(T + 2 * MINUTE, ALWAYS) == []
    amended = after.add(tick(3, 600, 70, 5))
    assert amended is not None
    assert (amended.open, amended.close, amended.high, amended.volume) == (50, 60, 70, 9)
    assert (amended.trades, amended.revision) == (3, 1)


def test_days_and_weeks_begin_at_midnight_utc_and_on_mondays() -> None:
    """Istanbul is three hours ahead all year; its midnight is no border of a bar."""
    monday = 1_704_067_200_000  # 2024-01-01T00:00:00Z
    day = 86_400_000
    for timeframe, begin, length in (("1d", monday + 2 * day, day), ("1w", monday, 7 * day)):
        made = builder(timeframe)
        for number, at in enumerate((begin, begin + length - 1, begin + length, begin - 1)):
            made.add(MarketTick("BTCTRY", str(number), at, 1, 1))
        bars = made.close(begin + 3 * length, [Interval(0, begin + 9 * length)])
        assert [(bar.ts_ms, bar.trades) for bar in bars] == [
            (begin - length, 1),
            (begin, 2),
            (begin + length, 1),
        ]


def test_what_is_no_timeframe_or_no_duration_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="timeframe"):
        builder("1x")
    with pytest.raises(ValueError, match="at least 0 ms"):
        CandleBuilder(INSTRUMENT, grace_ms=-1, amend_ms=0)
