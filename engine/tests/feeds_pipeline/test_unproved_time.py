"""What lies beyond the reach of REST is claimed once the venue's history says the same."""

from __future__ import annotations

import pytest
from spark_engine.feeds.market import Candle, Interval, Quality

from engine.tests.feeds_pipeline.symbols import BEGIN, FIRST_MINUTE, MINUTE, Symbol, bars, history, trade


@pytest.fixture
def busy() -> Symbol:
    """A trade a second for 70 s, of which REST, asked at 50 s and at 75 s, reaches the last five."""
    one = Symbol()
    one.joined(trade(1, 0), at=500)
    for second in range(1, 71):
        one.streamed(trade(100 + second, second * 1000), at=second * 1000 + 10)
    one.proved(72_000)
    for asked in (50, 75):
        latest = range(min(asked, 70) - 4, min(asked, 70) + 1)
        one.recent(*(trade(100 + second, second * 1000) for second in latest), asked=asked * 1000)
    one.close(72_000)
    return one


def test_beyond_the_reach_of_rest_nothing_is_claimed_until_history_says_the_same(busy: Symbol) -> None:
    assert busy.covered_ticks == [(46_001, 48_000), (66_001, 72_000)]
    assert busy.feed.history_wanted(BEGIN + 80_000) == [FIRST_MINUTE]
    busy.feed.filled(FIRST_MINUTE, [history(0, volume=60)], BEGIN + 80_000)
    assert busy.covered_ticks[2:] == [(0, 46_001), (48_000, 60_000)]
    assert [(bar.quality, bar.source) for bar in bars(busy)] == [(Quality.COMPLETE, "ticks")]
    assert busy.feed.history_wanted(BEGIN + 80_000) == []
    assert busy.feed.gaps == 0


def test_a_float_of_the_venue_may_be_off_by_a_step(busy: Symbol) -> None:
    busy.feed.filled(FIRST_MINUTE, [history(0, volume=61)], BEGIN + 80_000)
    assert busy.covered_ticks[2:] == [(0, 46_001), (48_000, 60_000)]


def test_a_trade_that_was_never_told_beyond_the_reach_of_rest_is_in_the_bar_anyway(
    busy: Symbol,
) -> None:
    busy.feed.filled(FIRST_MINUTE, [history(0, volume=65, high=130)], BEGIN + 80_000)
    last = bars(busy)[-1]
    assert (last.quality, last.source, last.high, last.volume) == (Quality.COMPLETE, "merged", 130, 65)
    assert busy.covered_ticks == [(46_001, 48_000), (66_001, 72_000)]
    assert busy.told.counts["gap missed"] == 2
    assert any(covered == FIRST_MINUTE for batch in busy.batches for covered in batch.covered)
    assert busy.feed.history_wanted(BEGIN + 80_000) == []


@pytest.mark.parametrize("behind", [[], [history(0, volume=40)]])
def test_a_history_that_is_behind_is_asked_again(busy: Symbol, behind: list[Candle]) -> None:
    busy.feed.filled(FIRST_MINUTE, behind, BEGIN + 80_000)
    assert busy.covered_ticks == [(46_001, 48_000), (66_001, 72_000)]
    assert not any(covered == FIRST_MINUTE for batch in busy.batches for covered in batch.covered)
    assert busy.feed.history_wanted(BEGIN + 85_000) == [FIRST_MINUTE]
    busy.feed.filled(FIRST_MINUTE, [history(0, volume=60)], BEGIN + 85_000)
    assert busy.covered_ticks[2:] == [(0, 46_001), (48_000, 60_000)]


def test_what_history_did_not_prove_in_time_waits_as_a_partial_bar(busy: Symbol) -> None:
    for second in range(80, 400, 5):
        busy.proved(second * 1000)
        busy.close(second * 1000)
    assert {bar.quality for bar in bars(busy)} == {Quality.PARTIAL}
    assert busy.told.counts["gap missed"] == 3
    (wanted,) = busy.feed.history_wanted(BEGIN + 400_000)
    assert wanted.from_ms == BEGIN
    busy.feed.filled(FIRST_MINUTE, [history(0, volume=60)], BEGIN + 400_000)
    assert (bars(busy)[-1].quality, bars(busy)[-1].source) == (Quality.COMPLETE, "merged")
    assert all(begin >= 46_001 for begin, _ in busy.covered_ticks)


@pytest.mark.parametrize(("volume", "proved"), [(12, [(60_000, 66_001)]), (15, [])])
def test_a_minute_whose_end_the_next_connection_tells_is_judged_then(
    busy: Symbol, volume: int, proved: list[tuple[int, int]]
) -> None:
    """By its ticks, though the venue's bar has taken the place of the partial one meanwhile."""
    second_minute = Interval(BEGIN + MINUTE, BEGIN + 2 * MINUTE)
    busy.feed.disconnected()
    busy.close(125_000)
    busy.feed.filled(second_minute, [history(MINUTE, volume=volume)], BEGIN + 130_000)
    busy.joined(
        *(trade(100 + second, second * 1000) for second in range(67, 71)), trade(300, 118_000), at=130_500
    )
    busy.proved(135_000)
    busy.close(135_000)
    assert busy.covered_ticks == [(46_001, 48_000), (66_001, 72_000)]
    assert busy.feed.history_wanted(BEGIN + 135_000) == [Interval(BEGIN, BEGIN + 2 * MINUTE)]
    busy.feed.filled(second_minute, [history(MINUTE, volume=volume)], BEGIN + 135_000)
    assert busy.covered_ticks[2:] == proved


def test_a_minute_of_which_a_part_is_lost_proves_nothing(busy: Symbol) -> None:
    busy.feed.disconnected()
    busy.joined(*(trade(200 + second, second * 1000) for second in range(100, 105)), at=105_000)
    busy.proved(130_000)
    busy.close(125_000)
    second_minute = Interval(BEGIN + MINUTE, BEGIN + 2 * MINUTE)
    busy.feed.filled(second_minute, [history(MINUTE, volume=16)], BEGIN + 140_000)
    assert busy.covered_ticks == [(46_001, 48_000), (66_001, 72_000)]
