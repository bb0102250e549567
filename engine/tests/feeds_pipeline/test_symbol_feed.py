"""What one symbol's feed believes, claims and gives away, whatever came in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from spark_engine.feeds.market import Candle, Interval, MarketTick, Quality
from spark_engine.feeds.provider import Ticks

Make = Callable[..., Any]
BEGIN = 1_774_742_400_000
MINUTE = 60_000


@pytest.fixture
def live(symbol: Make, trade: Make) -> Any:
    """Joined with five trades of the first seconds, and told everything until 20 s."""
    one = symbol()
    one.joined(*(trade(number, number * 1000) for number in range(1, 6)), at=6_000)
    one.streamed(trade(6, 10_000), at=10_010)
    one.proved(20_000)
    return one


def history(at: int, *, volume: int = 10, high: int = 100) -> Candle:
    return Candle(
        symbol="BTCTRY", timeframe="1m", ts_ms=BEGIN + at, open=100, high=high, low=100, close=100,
        volume=volume, price_scale=0, quantity_scale=2, source="history",
    )  # fmt: skip


def bars(one: Any, timeframe: str = "1m") -> list[Candle]:
    one.take()
    return [bar for batch in one.batches for bar in batch.candles if bar.timeframe == timeframe]


def test_a_full_snapshot_is_known_from_after_its_oldest_trade_on(live: Any, trade: Make) -> None:
    live.recent(trade(6, 10_000), asked=15_000)
    assert live.covered_ticks == [(1_001, 13_000)]


def test_a_snapshot_of_all_trades_ever_is_known_from_its_oldest_on(symbol: Make, trade: Make) -> None:
    one = symbol()
    one.joined(trade(1, 1_000), trade(2, 2_000), at=3_000)
    one.proved(10_000)
    one.recent(trade(1, 1_000), trade(2, 2_000), asked=10_000)
    assert one.covered_ticks == [(1_000, 8_000)]


def test_nothing_is_claimed_before_rest_has_said_the_same(live: Any) -> None:
    assert live.covered_ticks == []


def test_a_pair_that_never_traded_is_known_too(symbol: Make) -> None:
    one = symbol()
    one.joined(at=5_000)
    one.proved(20_000)
    one.recent(asked=20_000)
    assert one.covered_ticks == [(5_000, 18_000)]


def test_a_reconnect_with_an_overlap_loses_nothing(live: Any, trade: Make) -> None:
    live.feed.disconnected()
    live.joined(trade(5, 5_000), trade(6, 10_000), trade(7, 22_000), trade(8, 25_000), at=30_000)
    live.proved(40_000)
    live.recent(trade(8, 25_000), asked=40_000)
    assert live.ids == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert live.covered_ticks == [(1_001, 38_000)]
    assert live.told.counts == {"recovered": 2}


def test_a_reconnect_without_an_overlap_is_a_gap_that_is_not_claimed(live: Any, trade: Make) -> None:
    live.recent(trade(6, 10_000), asked=15_000)
    live.feed.disconnected()
    live.joined(*(trade(number, number * 1000) for number in range(30, 35)), at=36_000)
    live.proved(40_000)
    live.recent(*(trade(number, number * 1000) for number in range(30, 35)), asked=42_000)
    assert live.covered_ticks == [(1_001, 13_000), (30_001, 40_000)]
    assert live.told.counts["gap snapshot"] == live.feed.gaps == 1


def test_a_gap_stays_a_gap_however_long_the_connection_lives(live: Any, trade: Make) -> None:
    latest = [trade(number, number * 1000) for number in range(30, 35)]
    live.recent(*latest, asked=40_000)
    for second in range(20, 60):
        live.proved(second * 1000)
    live.recent(*latest, asked=60_000)
    assert live.told.counts["gap missed"] == 1
    assert live.covered_ticks[-1][1] == 58_000
    assert not any(begin < 20_000 < end for begin, end in live.covered_ticks)


def test_rest_finds_trades_that_the_socket_did_not_tell(live: Any, trade: Make) -> None:
    assert live.recent(trade(5, 5_000), trade(6, 10_000), trade(7, 12_000), asked=20_000) == 1
    assert live.ids[-1] == "7"
    assert live.told.counts == {"recovered": 1}
    assert live.covered_ticks == [(1_001, 18_000)]


def test_when_trades_were_missed_what_rest_does_not_reach_is_not_believed(live: Any, trade: Make) -> None:
    reached = [trade(number, number * 1000 + 1_000) for number in range(11, 15)]
    assert live.recent(trade(6, 10_000), *reached, asked=20_000) == 4
    assert live.covered_ticks == [(1_001, 4_000), (10_001, 18_000)]


@pytest.fixture
def busy(symbol: Make, trade: Make) -> Any:
    """A trade a second for 70 s, of which REST, asked at 50 s and at 75 s, reaches the last five."""
    one = symbol()
    one.joined(trade(1, 0), at=500)
    for second in range(1, 71):
        one.streamed(trade(100 + second, second * 1000), at=second * 1000 + 10)
    one.proved(72_000)
    for asked in (50, 75):
        latest = range(min(asked, 70) - 4, min(asked, 70) + 1)
        one.recent(*(trade(100 + second, second * 1000) for second in latest), asked=asked * 1000)
    one.close(72_000)
    return one


FIRST_MINUTE = Interval(BEGIN, BEGIN + MINUTE)


def test_beyond_the_reach_of_rest_nothing_is_claimed_until_history_says_the_same(busy: Any) -> None:
    assert busy.covered_ticks == [(46_001, 48_000), (66_001, 72_000)]
    assert busy.feed.history_wanted(BEGIN + 80_000) == [FIRST_MINUTE]
    busy.feed.filled(FIRST_MINUTE, [history(0, volume=60)], BEGIN + 80_000)
    assert busy.covered_ticks[2:] == [(0, 46_001), (48_000, 60_000)]
    assert [(bar.quality, bar.source) for bar in bars(busy)] == [(Quality.COMPLETE, "ticks")]
    assert busy.feed.history_wanted(BEGIN + 80_000) == []
    assert busy.feed.gaps == 0


def test_a_float_of_the_venue_may_be_off_by_a_step(busy: Any) -> None:
    busy.feed.filled(FIRST_MINUTE, [history(0, volume=61)], BEGIN + 80_000)
    assert busy.covered_ticks[2:] == [(0, 46_001), (48_000, 60_000)]


def test_a_trade_that_was_never_told_beyond_the_reach_of_rest_is_in_the_bar_all_the_same(busy: Any) -> None:
    busy.feed.filled(FIRST_MINUTE, [history(0, volume=65, high=130)], BEGIN + 80_000)
    last = bars(busy)[-1]
    assert (last.quality, last.source, last.high, last.volume) == (Quality.COMPLETE, "merged", 130, 65)
    assert busy.covered_ticks == [(46_001, 48_000), (66_001, 72_000)]
    assert busy.told.counts["gap missed"] == 2
    assert any(covered == FIRST_MINUTE for batch in busy.batches for covered in batch.covered)
    assert busy.feed.history_wanted(BEGIN + 80_000) == []


@pytest.mark.parametrize("behind", [[], [history(0, volume=40)]])
def test_a_history_that_is_behind_is_asked_again(busy: Any, behind: list[Candle]) -> None:
    busy.feed.filled(FIRST_MINUTE, behind, BEGIN + 80_000)
    assert busy.covered_ticks == [(46_001, 48_000), (66_001, 72_000)]
    assert not any(covered == FIRST_MINUTE for batch in busy.batches for covered in batch.covered)
    assert busy.feed.history_wanted(BEGIN + 85_000) == [FIRST_MINUTE]
    busy.feed.filled(FIRST_MINUTE, [history(0, volume=60)], BEGIN + 85_000)
    assert busy.covered_ticks[2:] == [(0, 46_001), (48_000, 60_000)]


def test_what_history_did_not_prove_in_time_waits_as_a_partial_bar(busy: Any) -> None:
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
    busy: Any, trade: Make, volume: int, proved: list[tuple[int, int]]
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


def test_a_minute_of_which_a_part_is_lost_proves_nothing(busy: Any, trade: Make) -> None:
    busy.feed.disconnected()
    busy.joined(*(trade(200 + second, second * 1000) for second in range(100, 105)), at=105_000)
    busy.proved(130_000)
    busy.close(125_000)
    second_minute = Interval(BEGIN + MINUTE, BEGIN + 2 * MINUTE)
    busy.feed.filled(second_minute, [history(MINUTE, volume=16)], BEGIN + 140_000)
    assert busy.covered_ticks == [(46_001, 48_000), (66_001, 72_000)]


def test_a_trade_that_rest_told_first_and_the_socket_never_is_missed(live: Any, trade: Make) -> None:
    assert live.recent(trade(6, 10_000), trade(7, 20_900), asked=21_000) == 0
    assert live.recent(trade(6, 10_000), trade(7, 20_900), asked=23_000) == 1
    assert live.told.counts == {"recovered": 1}
    assert live.recent(trade(6, 10_000), trade(7, 20_900), asked=25_000) == 0


def test_a_trade_that_rest_told_first_is_no_duplicate(live: Any, trade: Make) -> None:
    live.recent(trade(6, 10_000), trade(7, 20_900), asked=21_000)
    live.streamed(trade(7, 20_900), at=21_100)
    assert live.feed.duplicates == 0
    live.streamed(trade(7, 20_900), at=21_200)
    assert live.feed.duplicates == 1
    assert live.ids.count("7") == 1


def test_the_latest_trades_on_joining_need_no_other_proof(symbol: Make, trade: Make) -> None:
    one = symbol()
    one.joined(*(trade(number, number * 1000) for number in range(1, 6)), at=9_000)
    for second in range(9, 30):
        one.streamed(trade(second, second * 1000), at=second * 1000 + 10)
    one.proved(30_000)
    one.recent(*(trade(second, second * 1000) for second in range(25, 30)), asked=30_000)
    assert one.covered_ticks == [(1_001, 5_000), (25_001, 28_000)]


def test_an_answer_that_is_behind_the_socket_proves_nothing_of_what_came_since(
    live: Any, trade: Make
) -> None:
    live.streamed(trade(7, 15_000), trade(9, 19_900), at=20_000)
    live.recent(trade(5, 5_000), trade(6, 10_000), asked=20_000)
    assert live.covered_ticks == [(1_001, 10_000)]
    live.recent(trade(6, 10_000), trade(7, 15_000), trade(8, 16_000), trade(9, 19_900), asked=22_500)
    assert live.covered_ticks == [(1_001, 10_000), (10_000, 20_000)]
    assert live.ids[-1] == "8"


def test_without_a_connection_an_answer_that_is_behind_the_last_proves_nothing(
    live: Any, trade: Make
) -> None:
    live.feed.disconnected()
    live.recent(trade(6, 10_000), trade(7, 25_000), asked=33_000)
    live.recent(trade(5, 5_000), trade(6, 10_000), asked=44_000)
    assert live.covered_ticks == [(1_001, 31_000)]


def test_missing_ids_of_which_rest_is_not_told_yet_are_asked_for_again(symbol: Make, trade: Make) -> None:
    one = symbol(sequential=True)
    one.joined(trade(1, 1_000), trade(2, 2_000), at=3_000)
    one.proved(4_000)
    one.streamed(trade(5, 5_000), at=5_010)
    one.proved(9_000)
    one.recent(trade(1, 1_000), trade(2, 2_000), asked=5_100)
    assert one.feed.wants_recent
    one.recent(*(trade(number, number * 1_000) for number in range(1, 6)), asked=5_300)
    assert not one.feed.wants_recent
    one.close(9_000)
    assert one.covered_ticks == [(1_000, 5_000)]


def test_without_a_connection_rest_goes_on(live: Any, trade: Make) -> None:
    live.feed.disconnected()
    live.recent(trade(6, 10_000), *(trade(number, number * 3000) for number in range(7, 11)), asked=33_000)
    live.recent(trade(10, 30_000), *(trade(number, number * 3000) for number in range(11, 15)), asked=44_000)
    live.joined(trade(14, 42_000), trade(15, 45_000), at=46_000)
    assert live.told.counts["gap snapshot"] == 0
    assert live.covered_ticks == [(1_001, 4_000), (10_001, 31_000), (31_000, 42_000)]


def test_a_gap_that_rest_saw_without_a_connection_is_not_known_after_it(live: Any, trade: Make) -> None:
    live.feed.disconnected()
    latest = [trade(number, number * 1000) for number in range(40, 45)]
    live.recent(*latest, asked=45_000)
    live.joined(*latest, at=46_000)
    live.proved(50_000)
    live.recent(*latest, asked=52_000)
    assert all(not begin <= 25_000 < end for begin, end in live.covered_ticks)
    assert live.feed.gaps == 1


@pytest.mark.parametrize("sequential", [False, True])
def test_the_first_trades_ever_seen_join_nothing_where_there_may_be_earlier_ones(
    symbol: Make, trade: Make, sequential: bool
) -> None:
    """A pair that was listed while the socket was away."""
    one = symbol(sequential=sequential)
    one.joined(at=5_000)
    one.proved(20_000)
    one.feed.disconnected()
    one.joined(*(trade(100 + number, 30_000 + number) for number in range(5)), at=36_000)
    one.proved(40_000)
    one.close(40_000)
    one.recent(trade(104, 30_004), asked=42_000)
    assert one.covered_ticks[0][0] == 30_001
    assert one.told.counts["gap snapshot"] == one.feed.gaps == 1
    assert one.feed.history_wanted(BEGIN + 80_000) == []
    one.close(80_000)
    assert one.feed.history_wanted(BEGIN + 80_000) == [Interval(BEGIN, BEGIN + MINUTE)]


@pytest.mark.parametrize("sequential", [False, True])
def test_what_retention_has_removed_joins_nothing(symbol: Make, trade: Make, sequential: bool) -> None:
    """A pair that comes back to the feed after weeks: what was known of it is, and its trades are not."""
    one = symbol(sequential=sequential)
    known = [Interval(BEGIN - 60 * MINUTE, BEGIN - 30 * MINUTE)]
    one.feed.resume([], [], {}, known, known)
    one.joined(*(trade(100 + number, 30_000 + number) for number in range(5)), at=36_000)
    one.proved(40_000)
    one.close(40_000)
    one.recent(trade(104, 30_004), asked=42_000)
    assert one.covered_ticks[0][0] == 30_001
    assert one.feed.gaps == 1


def test_the_first_trades_ever_seen_join_what_was_known_where_they_reach_back_to_it(
    symbol: Make, trade: Make
) -> None:
    one = symbol()
    known = [Interval(BEGIN, BEGIN + 20_000)]
    one.feed.resume([], [], {}, known, known)
    one.joined(*(trade(number, number * 5_000) for number in range(1, 6)), at=36_000)
    one.proved(40_000)
    one.recent(trade(5, 25_000), asked=42_000)
    assert one.covered_ticks == [(20_000, 40_000)]
    assert one.feed.gaps == 0


def test_an_empty_answer_about_a_pair_that_trades_says_nothing(live: Any) -> None:
    live.recent(asked=20_000)
    live.joined(at=21_000)
    assert live.covered_ticks == []
    assert live.feed.gaps == 0


def test_a_bar_is_told_to_be_known_no_earlier_than_it_is_archived(live: Any, trade: Make) -> None:
    live.proved(70_000)
    live.recent(trade(6, 10_000), asked=75_000)
    assert live.take().covered == ()
    live.close(62_000)
    batch = live.take()
    assert [bar.ts_ms for bar in batch.candles] == [BEGIN]
    assert batch.covered[-1].to_ms == BEGIN + MINUTE


def test_history_makes_the_bar_of_a_minute_that_was_lost_in_part(live: Any) -> None:
    live.proved(70_000)
    live.close(62_000)
    (wanted,) = live.feed.history_wanted(BEGIN + 70_000)
    assert wanted == Interval(BEGIN, BEGIN + MINUTE)
    live.feed.filled(wanted, [history(0)], BEGIN + 70_000)
    last = bars(live)[-1]
    assert (last.quality, last.source, last.revision) == (Quality.COMPLETE, "merged", 1)
    assert live.feed.history_wanted(BEGIN + 70_000) == []


def test_history_is_not_asked_for_a_bar_that_is_still_open(live: Any) -> None:
    live.close(61_000)
    assert live.feed.history_wanted(BEGIN + 70_000) == []


def test_a_history_without_a_bar_that_we_have_is_not_believed(live: Any) -> None:
    live.proved(70_000)
    live.close(62_000)
    wanted = Interval(BEGIN, BEGIN + MINUTE)
    live.feed.filled(wanted, [], BEGIN + 70_000)
    live.close(63_000)
    assert bars(live)[-1].quality is Quality.PARTIAL
    assert live.feed.history_wanted(BEGIN + 71_000) == [wanted]
    assert all(wanted not in batch.covered for batch in live.batches)


def test_a_bar_that_history_contradicts_stays_partial_when_all_patience_is_over(live: Any) -> None:
    live.proved(70_000)
    live.close(62_000)
    late = BEGIN + MINUTE + 2_000 + 120_000
    live.feed.filled(Interval(BEGIN, BEGIN + MINUTE), [history(0, volume=1)], late)
    assert bars(live)[-1].quality is Quality.PARTIAL
    assert live.feed.history_wanted(late) == []


def test_a_bar_that_a_backfill_brought_is_not_revised_to_what_we_had(live: Any) -> None:
    live.proved(70_000)
    live.close(62_000)
    live.feed.backfilled(Interval(BEGIN, BEGIN + MINUTE), [history(0)], BEGIN + MINUTE)
    live.close(65_000)
    assert [bar.quality for bar in bars(live)] == [Quality.PARTIAL]


def test_a_trade_after_its_bar_amends_it(live: Any, trade: Make) -> None:
    live.proved(70_000)
    live.close(62_000)
    live.take()
    live.streamed(trade(7, 50_000, 120), at=65_000)
    assert [(bar.high, bar.revision) for bar in bars(live)] == [(100, 0), (120, 1)]
    assert live.told.counts["amended"] == 1


@pytest.fixture
def final(symbol: Make, trade: Make) -> Any:
    """Live for so long that the bars of its first minutes are final."""
    one = symbol()
    one.joined(trade(1, -1), trade(2, 500), at=1_000)
    one.proved(400_000)
    one.close(400_000)
    assert (bars(one)[-1].ts_ms, bars(one)[-1].quality) == (BEGIN, Quality.COMPLETE)
    return one


def test_the_bar_of_a_trade_beyond_the_window_becomes_that_of_history(final: Any, trade: Make) -> None:
    final.streamed(trade(3, 600), at=401_000)
    final.feed.filled(FIRST_MINUTE, [history(0, volume=2)], BEGIN + 402_000)
    last = bars(final)[-1]
    assert (last.ts_ms, last.volume, last.source, last.quality) == (BEGIN, 2, "merged", Quality.COMPLETE)
    assert last.revision > 0


def test_a_bar_that_history_is_still_to_give_is_not_told_to_be_known(final: Any, trade: Make) -> None:
    final.streamed(trade(3, 600), at=401_000)
    final.recent(trade(2, 500), trade(3, 600), asked=402_000)
    final.close(402_000)
    final.take()
    told = [part for batch in final.batches for part in batch.covered]
    assert not any(part.from_ms <= BEGIN + 600 < part.to_ms for part in told)
    final.feed.filled(FIRST_MINUTE, [history(0, volume=2)], BEGIN + 402_000)
    assert FIRST_MINUTE in final.take().covered


def test_what_a_backfill_brought_is_missing_no_more(symbol: Make, trade: Make) -> None:
    """A minute that was believed to be complete, and not proved, when an earlier run ended."""
    one = symbol()
    ours = replace(history(0, volume=1), source="ticks", trades=1)
    known = [Interval(BEGIN - MINUTE, BEGIN), Interval(BEGIN + MINUTE, BEGIN + 2 * MINUTE)]
    one.feed.resume([trade(1, 500)], [ours], {}, known, known)
    one.feed.backfilled(FIRST_MINUTE, [history(0)], BEGIN + 2 * MINUTE)
    one.joined(trade(1, 500), at=130_000)
    one.close(200_000)
    assert bars(one) == []
    assert one.feed.history_wanted(BEGIN + 200_000) == []


def test_a_final_bar_of_a_time_that_proves_lost_becomes_that_of_history(final: Any, trade: Make) -> None:
    """REST was away for longer than the window, and the socket had lost trades."""
    final.recent(*(trade(number, 399_000 + number) for number in range(10, 15)), asked=402_000)
    assert final.feed.gaps == 1
    (wanted,) = final.feed.history_wanted(BEGIN + 402_000)
    assert wanted.from_ms <= BEGIN
    final.feed.filled(wanted, [history(0, volume=7, high=130)], BEGIN + 402_000)
    last = max((bar for bar in bars(final) if bar.ts_ms == BEGIN), key=lambda bar: bar.revision)
    assert (last.volume, last.high, last.source, last.quality) == (7, 130, "merged", Quality.COMPLETE)


def test_a_final_bar_of_which_nothing_is_missing_stays_as_it_is(final: Any) -> None:
    final.feed.filled(FIRST_MINUTE, [history(0, volume=7)], BEGIN + 402_000)
    assert bars(final)[-1].volume == 1


def test_a_bar_of_history_that_lacks_a_trade_that_comes_later_is_asked_for_again(
    live: Any, trade: Make
) -> None:
    live.proved(70_000)
    live.close(62_000)
    live.feed.filled(FIRST_MINUTE, [history(0)], BEGIN + 70_000)
    live.streamed(trade(7, 50_000, 100), at=71_000)
    assert live.feed.history_wanted(BEGIN + 71_000) == []
    live.streamed(trade(8, 50_001, 120), at=71_000)
    assert live.feed.history_wanted(BEGIN + 71_000) == [FIRST_MINUTE]
    live.feed.filled(FIRST_MINUTE, [history(0, volume=12, high=120)], BEGIN + 72_000)
    assert (bars(live)[-1].high, bars(live)[-1].volume, bars(live)[-1].source) == (120, 12, "merged")


def test_a_trade_beyond_the_window_is_archived_and_history_is_asked_for_its_bar(
    symbol: Make, trade: Make
) -> None:
    one = symbol()
    one.joined(trade(1, -1), trade(2, 500), at=1_000)
    one.proved(400_000)
    one.close(400_000)
    one.streamed(trade(3, 600), at=401_000)
    assert one.told.counts["ignored"] == 1
    assert one.ids == ["1", "2", "3"]
    assert one.feed.history_wanted(BEGIN + 401_000) == [Interval(BEGIN - MINUTE, BEGIN + MINUTE)]


def test_more_decimals_rescale_what_was_not_taken_yet(live: Any, trade: Make) -> None:
    live.feed.rescaled(replace(live.feed.instrument, price_scale=2, quantity_scale=3))
    live.streamed(MarketTick("BTCTRY", "7", BEGIN + 21_000, 10_050, 5, 1), at=21_000)
    batch = live.take()
    assert (batch.instrument.price_scale, batch.instrument.quantity_scale) == (2, 3)
    assert [(tick.price, tick.quantity) for tick in batch.ticks][-2:] == [(10_000, 10), (10_050, 5)]


def test_missing_ids_are_no_longer_known_until_rest_has_filled_them(symbol: Make, trade: Make) -> None:
    one = symbol(sequential=True)
    one.joined(trade(1, 1_000), trade(2, 2_000), at=3_000)
    one.proved(5_000)
    one.streamed(trade(5, 5_000), at=5_010)
    one.proved(9_000)
    one.close(9_000)
    assert one.feed.wants_recent
    assert one.covered_ticks == []
    one.recent(trade(3, 3_000), trade(4, 4_000), trade(5, 5_000), asked=9_000)
    one.close(9_000)
    assert one.covered_ticks == [(1_000, 5_000)]
    assert one.told.counts["gap sequence"] == 1


def test_missing_ids_that_rest_does_not_have_are_lost(symbol: Make, trade: Make) -> None:
    one = symbol(sequential=True)
    one.joined(trade(1, 1_000), trade(2, 2_000), at=3_000)
    one.proved(4_000)
    one.streamed(trade(9, 6_000), at=6_010)
    one.recent(trade(8, 5_900), trade(9, 6_000), asked=7_000)
    one.streamed(trade(10, 30_000), at=30_010)
    one.proved(30_000)
    one.close(30_000)
    assert one.covered_ticks == [(1_000, 2_000), (6_001, 30_000)]


def resumed(symbol: Make, before: Any, bars_to: int, ticks_to: int) -> Any:
    before.take()
    ticks = [tick for batch in before.batches for tick in batch.ticks]
    latest = {bar.ts_ms: bar for bar in bars(before)}
    after = symbol()
    after.feed.resume(
        ticks,
        list(latest.values()),
        {},
        [Interval(BEGIN + 1_001, BEGIN + ticks_to)],
        [Interval(BEGIN, BEGIN + bars_to)],
    )
    return after


def test_a_restart_goes_on_where_the_archive_ends(live: Any, symbol: Make, trade: Make) -> None:
    after = resumed(symbol, live, 0, 13_000)
    after.joined(trade(6, 10_000), trade(7, 21_000), at=30_000)
    after.proved(40_000)
    after.recent(trade(7, 21_000), asked=40_000)
    assert after.ids == ["7"]
    assert after.covered_ticks == [(13_000, 38_000)]


def test_trades_after_what_was_confirmed_prove_nothing_after_a_restart(
    live: Any, symbol: Make, trade: Make
) -> None:
    """There may have been a gap before them, of which the archive was not told yet."""
    live.streamed(*(trade(number, 20_000 + number) for number in range(80, 85)), at=20_100)
    after = resumed(symbol, live, 0, 13_000)
    after.joined(*(trade(number, 20_000 + number) for number in range(80, 85)), at=30_000)
    after.proved(40_000)
    after.recent(trade(84, 20_084), asked=42_000)
    assert after.covered_ticks == [(20_081, 40_000)]
    assert after.feed.gaps == 1
    assert after.ids == []


def test_ids_that_were_missing_before_a_restart_are_missing_after_it(symbol: Make, trade: Make) -> None:
    before = symbol(sequential=True)
    before.joined(trade(1, 1_000), trade(2, 2_000), at=3_000)
    before.proved(4_000)
    before.close(4_000)
    before.streamed(*(trade(number, number * 1_000) for number in range(5, 13)), at=12_010)
    assert before.covered_ticks == [(1_000, 2_000)]
    after = symbol(sequential=True)
    ticks = [tick for batch in before.batches for tick in batch.ticks]
    after.feed.resume(ticks, [], {}, [Interval(BEGIN + 1_000, BEGIN + 2_000)], [])
    after.joined(*(trade(number, number * 1_000) for number in range(9, 14)), at=14_000)
    after.proved(30_000)
    after.close(30_000)
    assert after.feed.wants_recent
    assert after.covered_ticks == []
    after.recent(trade(3, 3_000), trade(4, 4_000), trade(13, 13_000), asked=30_000)
    after.close(30_000)
    assert after.covered_ticks == [(2_000, 13_000)]


def test_after_a_restart_no_bar_is_given_out_again(live: Any, symbol: Make, trade: Make) -> None:
    live.proved(70_000)
    live.close(62_000)
    after = resumed(symbol, live, 0, 13_000)
    after.joined(trade(6, 10_000), trade(7, 65_000), at=70_000)
    after.close(80_000)
    assert [bar.ts_ms for bar in bars(after)] == []


def test_what_was_missing_at_a_restart_is_asked_for_again(live: Any, symbol: Make, trade: Make) -> None:
    live.proved(70_000)
    live.close(62_000)
    after = symbol()
    live.take()
    known = [Interval(BEGIN - MINUTE, BEGIN), Interval(BEGIN + MINUTE, BEGIN + MINUTE + 5_000)]
    earlier = history(-MINUTE)
    after.feed.resume(
        [tick for batch in live.batches for tick in batch.ticks], [earlier, *bars(live)], {}, known[1:], known
    )
    after.joined(trade(6, 10_000), trade(7, 65_000), at=70_000)
    after.close(80_000)
    assert Interval(BEGIN, BEGIN + MINUTE) in after.feed.history_wanted(BEGIN + 80_000)


def test_frames_of_an_empty_batch_say_nothing(live: Any) -> None:
    live.take()
    assert not live.take()
    live.feed.streamed(Ticks("BTCTRY", ()), BEGIN + 21_000)
    assert not live.take()
