"""Every trade once, in order, and a gap where some are missing."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.market import MarketTick
from spark_engine.feeds.sequence.ticks import Gap, TickSequence

NOW = 1_700_000_000_000


def tick(number: int, ts_ms: int | None = None, symbol: str = "BTCTRY") -> MarketTick:
    return MarketTick(symbol, str(number), NOW + number * 100 if ts_ms is None else ts_ms, 100 + number, 1)


def ticks(*numbers: int) -> list[MarketTick]:
    return [tick(number) for number in numbers]


def unique(remember: int = 512) -> TickSequence:
    """As on BTCTurk: ids are unique, not consecutive."""
    return TickSequence("BTCTRY", sequential=False, remember=remember)


def consecutive(remember: int = 512) -> TickSequence:
    """As on Binance."""
    return TickSequence("BTCUSDT", sequential=True, remember=remember)


@pytest.mark.parametrize("kind", [unique, consecutive])
def test_a_trade_is_fresh_once(kind: Callable[[], TickSequence]) -> None:
    sequence = kind()
    assert sequence.accept(ticks(1, 2, 2), snapshot=False).fresh == (tick(1), tick(2))
    again = sequence.accept(ticks(2, 3, 1), snapshot=True)
    assert (again.fresh, again.duplicates) == ((tick(3),), 2)


def test_fresh_trades_come_by_time_and_then_by_number() -> None:
    early, second, tenth = tick(20, NOW), tick(2, NOW + 5), tick(10, NOW + 5)
    assert unique().accept([tenth, second, early], snapshot=True).fresh == (early, second, tenth)


def test_ids_that_are_no_numbers_of_one_time_stay_as_they_came() -> None:
    named = [MarketTick("BTCTRY", text, NOW, 1, 1) for text in ("b", "a", "c")]
    assert unique().accept(named, snapshot=False).fresh == tuple(named)


def test_a_live_trade_after_a_later_one_is_counted_as_reordered() -> None:
    sequence = unique()
    assert sequence.accept(ticks(1, 3, 2), snapshot=False).reordered == 1
    assert sequence.accept(ticks(0), snapshot=False).reordered == 1
    assert sequence.accept(ticks(-5), snapshot=True).reordered == 0


@given(st.permutations(range(40)), st.lists(st.integers(0, 39), max_size=40), st.booleans(), st.randoms())
def test_any_delivery_gives_every_trade_exactly_once(
    order: list[int], repeats: list[int], sequential: bool, chance: Random
) -> None:
    sequence = TickSequence("BTCTRY", sequential=sequential)
    delivered = list(order)
    for repeat in repeats:
        delivered.insert(chance.randrange(len(delivered) + 1), repeat)
    fresh: list[MarketTick] = []
    duplicates = 0
    while delivered:
        size = chance.randrange(1, 8)
        accepted = sequence.accept(ticks(*delivered[:size]), snapshot=chance.random() < 0.3)
        del delivered[:size]
        fresh += accepted.fresh
        duplicates += accepted.duplicates
    assert sorted(fresh, key=lambda found: int(found.id)) == ticks(*range(40))
    assert duplicates == len(repeats)
    assert sequence.missing() == []


def test_missing_ids_are_a_gap_between_two_times() -> None:
    sequence = consecutive()
    assert sequence.accept(ticks(1, 2), snapshot=False).gap is None
    gap = sequence.accept(ticks(5), snapshot=False).gap
    assert gap == Gap("sequence", tick(2).ts_ms, tick(5).ts_ms, first_id=3, last_id=4, missing=2)
    assert sequence.missing() == [(3, 4)]


def test_a_gap_is_told_once_and_closes_when_its_trades_come() -> None:
    sequence = consecutive()
    sequence.accept(ticks(1, 5), snapshot=False)
    assert sequence.accept(ticks(6), snapshot=False).gap is None
    assert sequence.accept(ticks(4), snapshot=False).gap is None
    assert sequence.missing() == [(2, 3)]
    assert sequence.accept(ticks(2, 3), snapshot=True).fresh == (tick(2), tick(3))
    assert sequence.missing() == []


def test_several_holes_of_one_message_are_one_gap_that_says_how_many_are_missing() -> None:
    sequence = consecutive()
    sequence.accept(ticks(1), snapshot=False)
    gap = sequence.accept(ticks(4, 5, 9), snapshot=False).gap
    assert gap is not None
    assert (gap.first_id, gap.last_id, gap.missing) == (2, 8, 5)
    assert sequence.missing() == [(2, 3), (6, 8)]


def test_a_message_whose_own_order_is_wrong_has_no_gap() -> None:
    sequence = consecutive()
    sequence.accept(ticks(1), snapshot=False)
    assert sequence.accept(ticks(4, 2, 3), snapshot=False).gap is None


def test_older_trades_that_are_filled_in_are_no_gap() -> None:
    sequence = consecutive()
    sequence.accept(ticks(100), snapshot=False)
    assert sequence.accept(ticks(10, 11), snapshot=True).gap is None


def test_a_sequential_id_must_be_a_number_and_nothing_of_the_message_is_remembered() -> None:
    sequence = consecutive()
    with pytest.raises(ValueError, match="must be a number"):
        sequence.accept([tick(1), MarketTick("BTCUSDT", "x", NOW, 1, 1)], snapshot=False)
    assert sequence.accept([tick(1)], snapshot=False).fresh == (tick(1),)


def test_a_snapshot_that_reaches_back_to_a_known_trade_has_no_gap() -> None:
    sequence = unique()
    sequence.accept(ticks(1, 2, 3), snapshot=False)
    sequence.interrupted()
    accepted = sequence.accept(ticks(3, 4, 5), snapshot=True)
    assert (accepted.gap, accepted.fresh, accepted.duplicates) == (None, (tick(4), tick(5)), 1)


def test_a_snapshot_that_does_not_reach_back_leaves_a_gap() -> None:
    sequence = unique()
    sequence.accept(ticks(1, 2, 3), snapshot=False)
    sequence.interrupted()
    accepted = sequence.accept(ticks(10, 11), snapshot=True)
    assert accepted.gap == Gap("snapshot", tick(3).ts_ms, tick(10).ts_ms)
    assert accepted.fresh == (tick(10), tick(11))
    assert sequence.accept(ticks(10, 11), snapshot=True).gap is None


def test_a_trade_dated_ahead_joins_no_snapshot() -> None:
    """A venue that sorts by time repeats it until then."""
    sequence, ahead = unique(), tick(4, NOW + 3_600_000)
    sequence.accept([*ticks(1, 2, 3), ahead], snapshot=False, now_ms=NOW)
    sequence.interrupted()
    gap = sequence.accept([*ticks(10, 11), ahead], snapshot=True, now_ms=NOW).gap
    assert gap == Gap("snapshot", tick(3).ts_ms, tick(10).ts_ms)


def test_a_live_trade_before_the_snapshot_does_not_hide_the_gap() -> None:
    """The first trades of a new connection prove nothing of the time before it."""
    sequence = unique()
    sequence.accept(ticks(1, 2, 3), snapshot=False)
    sequence.interrupted()
    sequence.accept(ticks(11), snapshot=False)
    gap = sequence.accept(ticks(10, 11), snapshot=True).gap
    assert gap == Gap("snapshot", tick(3).ts_ms, tick(10).ts_ms)


def test_the_first_snapshot_ever_has_no_gap_and_an_empty_one_proves_nothing() -> None:
    sequence = unique()
    sequence.interrupted()
    assert sequence.accept(ticks(10, 11), snapshot=True).gap is None
    sequence.interrupted()
    assert sequence.accept([], snapshot=True).gap is None
    assert sequence.accept(ticks(20, 21), snapshot=True).gap == Gap(
        "snapshot", tick(11).ts_ms, tick(20).ts_ms
    )


def test_a_snapshot_finds_trades_that_a_live_socket_lost() -> None:
    sequence = unique()
    sequence.accept(ticks(1, 2, 5), snapshot=False)
    accepted = sequence.accept(ticks(1, 2, 3, 4, 5), snapshot=True)
    assert (accepted.fresh, accepted.gap, accepted.reordered) == ((tick(3), tick(4)), None, 0)


def test_a_restart_counts_as_an_interruption_and_doubles_nothing() -> None:
    sequence = unique()
    sequence.restore(ticks(1, 2, 3))
    assert sequence.last == tick(3)
    accepted = sequence.accept(ticks(2, 3, 4), snapshot=True)
    assert (accepted.fresh, accepted.gap) == ((tick(4),), None)
    ids = consecutive()
    ids.restore(ticks(1, 2, 3))
    gap = ids.accept(ticks(6), snapshot=False).gap
    assert gap is not None
    assert (gap.first_id, gap.last_id) == (4, 5)


def test_a_restart_tells_which_ids_are_missing_above_those_of_earlier_calls() -> None:
    ids = consecutive()
    assert ids.restore(ticks(1, 3)) == Gap("sequence", tick(1).ts_ms, tick(3).ts_ms, 2, 2, 1)
    assert ids.restore(ticks(1, 3, 6, 7)) == Gap("sequence", tick(3).ts_ms, tick(6).ts_ms, 4, 5, 2)
    assert ids.restore(ticks(8)) is None
    assert unique().restore(ticks(1, 3)) is None


def test_trades_filled_in_from_long_ago_do_not_push_out_what_the_venue_repeats() -> None:
    sequence = unique(remember=60)
    latest = ticks(*range(10_000, 10_050))
    sequence.accept(latest, snapshot=True)
    sequence.accept(ticks(*range(5_000)), snapshot=True)
    again = sequence.accept(latest, snapshot=True)
    assert (again.fresh, again.duplicates) == ((), 50)


def test_trades_dated_ahead_do_not_push_out_what_the_venue_repeats() -> None:
    sequence = unique(remember=60)
    sequence.accept([tick(number, NOW + 10**9 + number) for number in range(500, 600)], False, now_ms=NOW)
    for first in range(100, 400, 50):
        latest = ticks(*range(first, first + 50))
        sequence.accept(latest, snapshot=False, now_ms=NOW)
        again = sequence.accept(latest, snapshot=True, now_ms=NOW)
        assert (again.fresh, again.duplicates) == ((), 50)


def test_a_trade_dated_long_ago_is_fresh_once_however_often_it_is_repeated() -> None:
    sequence = unique(remember=60)
    sequence.accept(ticks(*range(100, 200)), snapshot=False)
    misdated = tick(200, 0)
    assert sequence.accept([misdated], snapshot=False).fresh == (misdated,)
    assert sequence.accept([*ticks(*range(151, 200)), misdated], snapshot=True).fresh == ()


@given(st.integers(50, 80), st.lists(st.integers(1, 60), min_size=1, max_size=30), st.randoms())
def test_no_snapshot_of_fifty_is_ever_doubled_in_bounded_memory(
    remember: int, bursts: list[int], chance: Random
) -> None:
    sequence, made = unique(remember), 0
    seen: list[str] = []
    for burst in bursts:
        fresh = ticks(*range(made, made + burst))
        made += burst
        live = [trade for trade in fresh if chance.random() < 0.8]
        seen += [trade.id for trade in sequence.accept(live, snapshot=False).fresh]
        newest = ticks(*range(max(0, made - 50), made))
        seen += [trade.id for trade in sequence.accept(newest, snapshot=True).fresh]
    assert len(seen) == len(set(seen))


def test_trades_of_the_future_or_of_long_ago_are_accepted_and_flagged() -> None:
    sequence = unique()
    day = 86_400_000
    future, old, fine = tick(3, NOW + 6_000), tick(1, NOW - day - 1), tick(2, NOW + 5_000)
    accepted = sequence.accept([future, old, fine], snapshot=False, now_ms=NOW)
    assert accepted.fresh == (old, fine, future)
    assert accepted.implausible == (future, old)
    assert sequence.last == fine
    before_1970 = tick(7, -5)
    assert sequence.accept([before_1970], snapshot=True).implausible == (before_1970,)


def test_a_snapshot_of_a_quiet_market_may_be_old() -> None:
    old = tick(1, NOW - 30 * 86_400_000)
    assert unique().accept([old], snapshot=True, now_ms=NOW).implausible == ()


def test_a_trade_of_the_future_makes_no_later_one_reordered() -> None:
    sequence = unique()
    sequence.accept([tick(1, NOW + 3_600_000)], snapshot=False, now_ms=NOW)
    assert sequence.accept([tick(2, NOW)], snapshot=False, now_ms=NOW).reordered == 0


def test_a_trade_dated_ahead_that_was_restored_is_not_the_last_one() -> None:
    sequence = unique()
    sequence.restore([*ticks(1, 2), tick(3, NOW + 3_600_000)])
    accepted = sequence.accept(ticks(4, 5), snapshot=False, now_ms=NOW)
    assert (accepted.reordered, sequence.last) == (0, tick(5))


def test_memory_must_hold_something() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TickSequence("BTCTRY", sequential=False, remember=0)
