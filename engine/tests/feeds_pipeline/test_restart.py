"""A restart takes up what the archive holds, and nothing more."""

from __future__ import annotations

from spark_engine.feeds.market import Interval

from engine.tests.feeds_pipeline.symbols import BEGIN, MINUTE, Symbol, bars, history, trade


def resumed(before: Symbol, bars_to: int, ticks_to: int) -> Symbol:
    before.take()
    ticks = [tick for batch in before.batches for tick in batch.ticks]
    latest = {bar.ts_ms: bar for bar in bars(before)}
    after = Symbol()
    after.feed.resume(
        ticks,
        list(latest.values()),
        {},
        [Interval(BEGIN + 1_001, BEGIN + ticks_to)],
        [Interval(BEGIN, BEGIN + bars_to)],
    )
    return after


def test_a_restart_goes_on_where_the_archive_ends(live: Symbol) -> None:
    after = resumed(live, 0, 13_000)
    after.joined(trade(6, 10_000), trade(7, 21_000), at=30_000)
    after.proved(40_000)
    after.recent(trade(7, 21_000), asked=40_000)
    assert after.ids == ["7"]
    assert after.covered_ticks == [(13_000, 38_000)]


def test_trades_after_what_was_confirmed_prove_nothing_after_a_restart(live: Symbol) -> None:
    """There may have been a gap before them, of which the archive was not told yet."""
    live.streamed(*(trade(number, 20_000 + number) for number in range(80, 85)), at=20_100)
    after = resumed(live, 0, 13_000)
    after.joined(*(trade(number, 20_000 + number) for number in range(80, 85)), at=30_000)
    after.proved(40_000)
    after.recent(trade(84, 20_084), asked=42_000)
    assert after.covered_ticks == [(20_081, 40_000)]
    assert after.feed.gaps == 1
    assert after.ids == []


def test_ids_that_were_missing_before_a_restart_are_missing_after_it() -> None:
    before = Symbol(sequential=True)
    before.joined(trade(1, 1_000), trade(2, 2_000), at=3_000)
    before.proved(4_000)
    before.close(4_000)
    before.streamed(*(trade(number, number * 1_000) for number in range(5, 13)), at=12_010)
    assert before.covered_ticks == [(1_000, 2_000)]
    after = Symbol(sequential=True)
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


def test_after_a_restart_no_bar_is_given_out_again(live: Symbol) -> None:
    live.proved(70_000)
    live.close(62_000)
    after = resumed(live, 0, 13_000)
    after.joined(trade(6, 10_000), trade(7, 65_000), at=70_000)
    after.close(80_000)
    assert [bar.ts_ms for bar in bars(after)] == []


def test_what_was_missing_at_a_restart_is_asked_for_again(live: Symbol) -> None:
    live.proved(70_000)
    live.close(62_000)
    after = Symbol()
    live.take()
    known = [Interval(BEGIN - MINUTE, BEGIN), Interval(BEGIN + MINUTE, BEGIN + MINUTE + 5_000)]
    earlier = history(-MINUTE)
    after.feed.resume(
        [tick for batch in live.batches for tick in batch.ticks], [earlier, *bars(live)], {}, known[1:], known
    )
    after.joined(trade(6, 10_000), trade(7, 65_000), at=70_000)
    after.close(80_000)
    assert Interval(BEGIN, BEGIN + MINUTE) in after.feed.history_wanted(BEGIN + 80_000)
