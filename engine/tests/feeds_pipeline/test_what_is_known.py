"""Of which time a symbol's feed claims to know every trade, whatever came in which order."""

from __future__ import annotations

import pytest
from spark_engine.feeds.market import Interval
from spark_engine.feeds.provider import Ticks

from engine.tests.feeds_pipeline.symbols import BEGIN, MINUTE, Symbol, trade


def test_a_full_snapshot_is_known_from_after_its_oldest_trade_on(live: Symbol) -> None:
    live.recent(trade(6, 10_000), asked=15_000)
    assert live.covered_ticks == [(1_001, 13_000)]


def test_a_snapshot_of_all_trades_ever_is_known_from_its_oldest_on() -> None:
    one = Symbol()
    one.joined(trade(1, 1_000), trade(2, 2_000), at=3_000)
    one.proved(10_000)
    one.recent(trade(1, 1_000), trade(2, 2_000), asked=10_000)
    assert one.covered_ticks == [(1_000, 8_000)]


def test_nothing_is_claimed_before_rest_has_said_the_same(live: Symbol) -> None:
    assert live.covered_ticks == []


def test_a_pair_that_never_traded_is_known_too() -> None:
    one = Symbol()
    one.joined(at=5_000)
    one.proved(20_000)
    one.recent(asked=20_000)
    assert one.covered_ticks == [(5_000, 18_000)]


def test_a_reconnect_with_an_overlap_loses_nothing(live: Symbol) -> None:
    live.feed.disconnected()
    live.joined(trade(5, 5_000), trade(6, 10_000), trade(7, 22_000), trade(8, 25_000), at=30_000)
    live.proved(40_000)
    live.recent(trade(8, 25_000), asked=40_000)
    assert live.ids == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert live.covered_ticks == [(1_001, 38_000)]
    assert live.told.counts == {"recovered": 2}


def test_a_reconnect_without_an_overlap_is_a_gap_that_is_not_claimed(live: Symbol) -> None:
    live.recent(trade(6, 10_000), asked=15_000)
    live.feed.disconnected()
    live.joined(*(trade(number, number * 1000) for number in range(30, 35)), at=36_000)
    live.proved(40_000)
    live.recent(*(trade(number, number * 1000) for number in range(30, 35)), asked=42_000)
    assert live.covered_ticks == [(1_001, 13_000), (30_001, 40_000)]
    assert live.told.counts["gap snapshot"] == live.feed.gaps == 1


def test_a_gap_stays_a_gap_however_long_the_connection_lives(live: Symbol) -> None:
    latest = [trade(number, number * 1000) for number in range(30, 35)]
    live.recent(*latest, asked=40_000)
    for second in range(20, 60):
        live.proved(second * 1000)
    live.recent(*latest, asked=60_000)
    assert live.told.counts["gap missed"] == 1
    assert live.covered_ticks[-1][1] == 58_000
    assert not any(begin < 20_000 < end for begin, end in live.covered_ticks)


def test_rest_finds_trades_that_the_socket_did_not_tell(live: Symbol) -> None:
    assert live.recent(trade(5, 5_000), trade(6, 10_000), trade(7, 12_000), asked=20_000) == 1
    assert live.ids[-1] == "7"
    assert live.told.counts == {"recovered": 1}
    assert live.covered_ticks == [(1_001, 18_000)]


def test_when_trades_were_missed_what_rest_does_not_reach_is_not_believed(live: Symbol) -> None:
    reached = [trade(number, number * 1000 + 1_000) for number in range(11, 15)]
    assert live.recent(trade(6, 10_000), *reached, asked=20_000) == 4
    assert live.covered_ticks == [(1_001, 4_000), (10_001, 18_000)]


def test_a_trade_that_rest_told_first_and_the_socket_never_is_missed(live: Symbol) -> None:
    assert live.recent(trade(6, 10_000), trade(7, 20_900), asked=21_000) == 0
    assert live.recent(trade(6, 10_000), trade(7, 20_900), asked=23_000) == 1
    assert live.told.counts == {"recovered": 1}
    assert live.recent(trade(6, 10_000), trade(7, 20_900), asked=25_000) == 0


def test_a_trade_that_rest_told_first_is_no_duplicate(live: Symbol) -> None:
    live.recent(trade(6, 10_000), trade(7, 20_900), asked=21_000)
    live.streamed(trade(7, 20_900), at=21_100)
    assert live.feed.duplicates == 0
    live.streamed(trade(7, 20_900), at=21_200)
    assert live.feed.duplicates == 1
    assert live.ids.count("7") == 1


def test_the_latest_trades_on_joining_need_no_other_proof() -> None:
    one = Symbol()
    one.joined(*(trade(number, number * 1000) for number in range(1, 6)), at=9_000)
    for second in range(9, 30):
        one.streamed(trade(second, second * 1000), at=second * 1000 + 10)
    one.proved(30_000)
    one.recent(*(trade(second, second * 1000) for second in range(25, 30)), asked=30_000)
    assert one.covered_ticks == [(1_001, 5_000), (25_001, 28_000)]


def test_an_answer_that_is_behind_the_socket_proves_nothing_of_what_came_since(live: Symbol) -> None:
    live.streamed(trade(7, 15_000), trade(9, 19_900), at=20_000)
    live.recent(trade(5, 5_000), trade(6, 10_000), asked=20_000)
    assert live.covered_ticks == [(1_001, 10_000)]
    live.recent(trade(6, 10_000), trade(7, 15_000), trade(8, 16_000), trade(9, 19_900), asked=22_500)
    assert live.covered_ticks == [(1_001, 10_000), (10_000, 20_000)]
    assert live.ids[-1] == "8"


def test_without_a_connection_an_answer_that_is_behind_the_last_proves_nothing(live: Symbol) -> None:
    live.feed.disconnected()
    live.recent(trade(6, 10_000), trade(7, 25_000), asked=33_000)
    live.recent(trade(5, 5_000), trade(6, 10_000), asked=44_000)
    assert live.covered_ticks == [(1_001, 31_000)]


def test_missing_ids_of_which_rest_is_not_told_yet_are_asked_for_again() -> None:
    one = Symbol(sequential=True)
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


def test_without_a_connection_rest_goes_on(live: Symbol) -> None:
    live.feed.disconnected()
    live.recent(trade(6, 10_000), *(trade(number, number * 3000) for number in range(7, 11)), asked=33_000)
    live.recent(trade(10, 30_000), *(trade(number, number * 3000) for number in range(11, 15)), asked=44_000)
    live.joined(trade(14, 42_000), trade(15, 45_000), at=46_000)
    assert live.told.counts["gap snapshot"] == 0
    assert live.covered_ticks == [(1_001, 4_000), (10_001, 31_000), (31_000, 42_000)]


def test_a_gap_that_rest_saw_without_a_connection_is_not_known_after_it(live: Symbol) -> None:
    live.feed.disconnected()
    latest = [trade(number, number * 1000) for number in range(40, 45)]
    live.recent(*latest, asked=45_000)
    live.joined(*latest, at=46_000)
    live.proved(50_000)
    live.recent(*latest, asked=52_000)
    assert all(not begin <= 25_000 < end for begin, end in live.covered_ticks)
    assert live.feed.gaps == 1


@pytest.mark.parametrize("sequential", [False, True])
def test_the_first_trades_ever_seen_join_nothing_where_there_may_be_earlier_ones(sequential: bool) -> None:
    """A pair that was listed while the socket was away."""
    one = Symbol(sequential=sequential)
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
def test_what_retention_has_removed_joins_nothing(sequential: bool) -> None:
    """A pair that comes back to the feed after weeks: what was known of it is, and its trades are not."""
    one = Symbol(sequential=sequential)
    known = [Interval(BEGIN - 60 * MINUTE, BEGIN - 30 * MINUTE)]
    one.feed.resume([], [], {}, known, known)
    one.joined(*(trade(100 + number, 30_000 + number) for number in range(5)), at=36_000)
    one.proved(40_000)
    one.close(40_000)
    one.recent(trade(104, 30_004), asked=42_000)
    assert one.covered_ticks[0][0] == 30_001
    assert one.feed.gaps == 1


def test_the_first_trades_ever_seen_join_what_was_known_where_they_reach_back_to_it() -> None:
    one = Symbol()
    known = [Interval(BEGIN, BEGIN + 20_000)]
    one.feed.resume([], [], {}, known, known)
    one.joined(*(trade(number, number * 5_000) for number in range(1, 6)), at=36_000)
    one.proved(40_000)
    one.recent(trade(5, 25_000), asked=42_000)
    assert one.covered_ticks == [(20_000, 40_000)]
    assert one.feed.gaps == 0


def test_an_empty_answer_about_a_pair_that_trades_says_nothing(live: Symbol) -> None:
    live.recent(asked=20_000)
    live.joined(at=21_000)
    assert live.covered_ticks == []
    assert live.feed.gaps == 0


def test_missing_ids_are_no_longer_known_until_rest_has_filled_them() -> None:
    one = Symbol(sequential=True)
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


def test_missing_ids_that_rest_does_not_have_are_lost() -> None:
    one = Symbol(sequential=True)
    one.joined(trade(1, 1_000), trade(2, 2_000), at=3_000)
    one.proved(4_000)
    one.streamed(trade(9, 6_000), at=6_010)
    one.recent(trade(8, 5_900), trade(9, 6_000), asked=7_000)
    one.streamed(trade(10, 30_000), at=30_010)
    one.proved(30_000)
    one.close(30_000)
    assert one.covered_ticks == [(1_000, 2_000), (6_001, 30_000)]


def test_frames_of_an_empty_batch_say_nothing(live: Symbol) -> None:
    live.take()
    assert not live.take()
    live.feed.streamed(Ticks("BTCTRY", ()), BEGIN + 21_000)
    assert not live.take()
