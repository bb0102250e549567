"""The venue's history gives the bars that we cannot make, and amends those that we made."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from spark_engine.feeds.market import Interval, MarketTick, Quality

from engine.tests.feeds_pipeline.symbols import BEGIN, FIRST_MINUTE, MINUTE, Symbol, bars, history, trade


def test_a_bar_is_told_to_be_known_no_earlier_than_it_is_archived(live: Symbol) -> None:
    live.proved(70_000)
    live.recent(trade(6, 10_000), asked=75_000)
    assert live.take().covered == ()
    live.close(62_000)
    batch = live.take()
    assert [bar.ts_ms for bar in batch.candles] == [BEGIN]
    assert batch.covered[-1].to_ms == BEGIN + MINUTE


def test_history_makes_the_bar_of_a_minute_that_was_lost_in_part(live: Symbol) -> None:
    live.proved(70_000)
    live.close(62_000)
    (wanted,) = live.feed.history_wanted(BEGIN + 70_000)
    assert wanted == Interval(BEGIN, BEGIN + MINUTE)
    live.feed.filled(wanted, [history(0)], BEGIN + 70_000)
    last = bars(live)[-1]
    assert (last.quality, last.source, last.revision) == (Quality.COMPLETE, "merged", 1)
    assert live.feed.history_wanted(BEGIN + 70_000) == []


def test_history_is_not_asked_for_a_bar_that_is_still_open(live: Symbol) -> None:
    live.close(61_000)
    assert live.feed.history_wanted(BEGIN + 70_000) == []


def test_a_history_without_a_bar_that_we_have_is_not_believed(live: Symbol) -> None:
    live.proved(70_000)
    live.close(62_000)
    wanted = Interval(BEGIN, BEGIN + MINUTE)
    live.feed.filled(wanted, [], BEGIN + 70_000)
    live.close(63_000)
    assert bars(live)[-1].quality is Quality.PARTIAL
    assert live.feed.history_wanted(BEGIN + 71_000) == [wanted]
    assert all(wanted not in batch.covered for batch in live.batches)


def test_a_bar_that_history_contradicts_stays_partial_when_all_patience_is_over(live: Symbol) -> None:
    live.proved(70_000)
    live.close(62_000)
    late = BEGIN + MINUTE + 2_000 + 120_000
    live.feed.filled(Interval(BEGIN, BEGIN + MINUTE), [history(0, volume=1)], late)
    assert bars(live)[-1].quality is Quality.PARTIAL
    assert live.feed.history_wanted(late) == []


def test_a_bar_that_a_backfill_brought_is_not_revised_to_what_we_had(live: Symbol) -> None:
    live.proved(70_000)
    live.close(62_000)
    live.feed.backfilled(Interval(BEGIN, BEGIN + MINUTE), [history(0)], BEGIN + MINUTE)
    live.close(65_000)
    assert [bar.quality for bar in bars(live)] == [Quality.PARTIAL]


def test_a_trade_after_its_bar_amends_it(live: Symbol) -> None:
    live.proved(70_000)
    live.close(62_000)
    live.take()
    live.streamed(trade(7, 50_000, 120), at=65_000)
    assert [(bar.high, bar.revision) for bar in bars(live)] == [(100, 0), (120, 1)]
    assert live.told.counts["amended"] == 1


@pytest.fixture
def final() -> Symbol:
    """Live for so long that the bars of its first minutes are final."""
    one = Symbol()
    one.joined(trade(1, -1), trade(2, 500), at=1_000)
    one.proved(400_000)
    one.close(400_000)
    assert (bars(one)[-1].ts_ms, bars(one)[-1].quality) == (BEGIN, Quality.COMPLETE)
    return one


def test_the_bar_of_a_trade_beyond_the_window_becomes_that_of_history(final: Symbol) -> None:
    final.streamed(trade(3, 600), at=401_000)
    final.feed.filled(FIRST_MINUTE, [history(0, volume=2)], BEGIN + 402_000)
    last = bars(final)[-1]
    assert (last.ts_ms, last.volume, last.source, last.quality) == (BEGIN, 2, "merged", Quality.COMPLETE)
    assert last.revision > 0


def test_a_bar_that_history_is_still_to_give_is_not_told_to_be_known(final: Symbol) -> None:
    final.streamed(trade(3, 600), at=401_000)
    final.recent(trade(2, 500), trade(3, 600), asked=402_000)
    final.close(402_000)
    final.take()
    told = [part for batch in final.batches for part in batch.covered]
    assert not any(part.from_ms <= BEGIN + 600 < part.to_ms for part in told)
    final.feed.filled(FIRST_MINUTE, [history(0, volume=2)], BEGIN + 402_000)
    assert FIRST_MINUTE in final.take().covered


def test_what_a_backfill_brought_is_missing_no_more() -> None:
    """A minute that was believed to be complete, and not proved, when an earlier run ended."""
    one = Symbol()
    ours = replace(history(0, volume=1), source="ticks", trades=1)
    known = [Interval(BEGIN - MINUTE, BEGIN), Interval(BEGIN + MINUTE, BEGIN + 2 * MINUTE)]
    one.feed.resume([trade(1, 500)], [ours], {}, known, known)
    one.feed.backfilled(FIRST_MINUTE, [history(0)], BEGIN + 2 * MINUTE)
    one.joined(trade(1, 500), at=130_000)
    one.close(200_000)
    assert bars(one) == []
    assert one.feed.history_wanted(BEGIN + 200_000) == []


def test_a_final_bar_of_a_time_that_proves_lost_becomes_that_of_history(final: Symbol) -> None:
    """REST was away for longer than the window, and the socket had lost trades."""
    final.recent(*(trade(number, 399_000 + number) for number in range(10, 15)), asked=402_000)
    assert final.feed.gaps == 1
    (wanted,) = final.feed.history_wanted(BEGIN + 402_000)
    assert wanted.from_ms <= BEGIN
    final.feed.filled(wanted, [history(0, volume=7, high=130)], BEGIN + 402_000)
    last = max((bar for bar in bars(final) if bar.ts_ms == BEGIN), key=lambda bar: bar.revision)
    assert (last.volume, last.high, last.source, last.quality) == (7, 130, "merged", Quality.COMPLETE)


def test_a_final_bar_of_which_nothing_is_missing_stays_as_it_is(final: Symbol) -> None:
    final.feed.filled(FIRST_MINUTE, [history(0, volume=7)], BEGIN + 402_000)
    assert bars(final)[-1].volume == 1


def test_a_bar_of_history_that_lacks_a_trade_that_comes_later_is_asked_for_again(live: Symbol) -> None:
    live.proved(70_000)
    live.close(62_000)
    live.feed.filled(FIRST_MINUTE, [history(0)], BEGIN + 70_000)
    live.streamed(trade(7, 50_000, 100), at=71_000)
    assert live.feed.history_wanted(BEGIN + 71_000) == []
    live.streamed(trade(8, 50_001, 120), at=71_000)
    assert live.feed.history_wanted(BEGIN + 71_000) == [FIRST_MINUTE]
    live.feed.filled(FIRST_MINUTE, [history(0, volume=12, high=120)], BEGIN + 72_000)
    assert (bars(live)[-1].high, bars(live)[-1].volume, bars(live)[-1].source) == (120, 12, "merged")


def test_a_trade_beyond_the_window_is_archived_and_history_is_asked_for_its_bar() -> None:
    one = Symbol()
    one.joined(trade(1, -1), trade(2, 500), at=1_000)
    one.proved(400_000)
    one.close(400_000)
    one.streamed(trade(3, 600), at=401_000)
    assert one.told.counts["ignored"] == 1
    assert one.ids == ["1", "2", "3"]
    assert one.feed.history_wanted(BEGIN + 401_000) == [Interval(BEGIN - MINUTE, BEGIN + MINUTE)]


def test_more_decimals_rescale_what_was_not_taken_yet(live: Symbol) -> None:
    live.feed.rescaled(replace(live.feed.instrument, price_scale=2, quantity_scale=3))
    live.streamed(MarketTick("BTCTRY", "7", BEGIN + 21_000, 10_050, 5, 1), at=21_000)
    batch = live.take()
    assert (batch.instrument.price_scale, batch.instrument.quantity_scale) == (2, 3)
    assert [(tick.price, tick.quantity) for tick in batch.ticks][-2:] == [(10_000, 10), (10_050, 5)]
