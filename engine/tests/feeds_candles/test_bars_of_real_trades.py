"""All 2,467 inner bars of XRP/ETH from its 12,477 trades, exactly, however the trades are delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

import pytest
from spark_engine.feeds.candles.aggregate import Aggregator, aggregate
from spark_engine.feeds.candles.builder import CandleBuilder
from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick, Quality
from spark_engine.feeds.sequence.ticks import TickSequence

GRACE, AMEND = 2_000, 600_000
TIMEFRAMES = ("5m", "15m", "1h", "4h", "1d", "1w")
Latest = Callable[[Iterable[Candle]], dict[int, Candle]]


def values(candle: Candle) -> tuple[int, ...]:
    return candle.open, candle.high, candle.low, candle.close, candle.volume


def whole(ticks: list[MarketTick]) -> list[Interval]:
    return [Interval(ticks[0].ts_ms, ticks[-1].ts_ms)]


@pytest.fixture(scope="module")
def straight(real_ticks: list[MarketTick], instrument: Instrument) -> list[Candle]:
    builder = CandleBuilder(instrument, grace_ms=GRACE, amend_ms=AMEND)
    assert [builder.add(tick) for tick in real_ticks] == [None] * len(real_ticks)
    return builder.close(real_ticks[-1].ts_ms + 3_600_000, whole(real_ticks))


def test_every_inner_bar_is_rebuilt_exactly(
    straight: list[Candle], real_bars: dict[int, tuple[int, ...]]
) -> None:
    assert len(real_bars) == 2_467
    assert {candle.ts_ms: values(candle) for candle in straight[1:-1]} == real_bars
    assert all(candle.quality is Quality.COMPLETE for candle in straight[1:-1])
    assert sum(candle.trades or 0 for candle in straight) == 12_477


def test_the_first_and_the_last_bar_are_partial(straight: list[Candle]) -> None:
    assert [straight[0].quality, straight[-1].quality] == [Quality.PARTIAL] * 2


@pytest.mark.parametrize("seed", range(4))
def test_trades_late_twice_and_in_pieces_give_the_same_bars(
    seed: int, real_ticks: list[MarketTick], straight: list[Candle], instrument: Instrument, latest: Latest
) -> None:
    """Each trade comes up to the whole window late, a tenth of them twice, in messages of any size."""
    chance = Random(seed)  # noqa: S311 - for the choice of a test
    arrivals = [(tick.ts_ms + chance.randrange(GRACE + AMEND), tick) for tick in real_ticks]
    arrivals += [(at + chance.randrange(10_000), tick) for at, tick in chance.sample(arrivals, 1_248)]
    arrivals.sort(key=lambda arrival: arrival[0])
    sequence = TickSequence("XRPETH", sequential=seed % 2 == 0, remember=4_096)
    builder = CandleBuilder(instrument, grace_ms=GRACE, amend_ms=AMEND)
    covered = whole(real_ticks)
    given: list[Candle] = []
    duplicates = 0
    while arrivals:
        message, arrivals = arrivals[: (size := chance.randrange(1, 30))], arrivals[size:]
        accepted = sequence.accept([tick for _, tick in message], snapshot=False)
        duplicates += accepted.duplicates
        given += [bar for tick in accepted.fresh if (bar := builder.add(tick)) is not None]
        given += builder.close(message[0][0], covered)
    given += builder.close(real_ticks[-1].ts_ms + 3_600_000, covered)
    final = latest(given)
    assert {ts: values(bar) for ts, bar in final.items()} == {bar.ts_ms: values(bar) for bar in straight}
    assert {ts: bar.quality for ts, bar in final.items()} == {bar.ts_ms: bar.quality for bar in straight}
    assert duplicates == 1_248
    assert builder.amended == sum(bar.revision > 0 for bar in given) > 5_000
    assert builder.late_ignored == 0


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_larger_bars_of_minutes_are_those_of_the_trades(
    timeframe: str, real_ticks: list[MarketTick], straight: list[Candle], instrument: Instrument
) -> None:
    direct = CandleBuilder(instrument, timeframe, grace_ms=GRACE, amend_ms=AMEND)
    for tick in real_ticks:
        direct.add(tick)
    covered = whole(real_ticks)
    expected = direct.close(real_ticks[-1].ts_ms + 14 * 86_400_000, covered)
    assert aggregate(straight, timeframe, covered) == expected


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_larger_bars_follow_their_minutes_through_every_amendment(
    timeframe: str,
    real_ticks: list[MarketTick],
    straight: list[Candle],
    instrument: Instrument,
    latest: Latest,
) -> None:
    chance = Random(timeframe)  # noqa: S311 - for the choice of a test
    arrivals = sorted(
        ((tick.ts_ms + chance.randrange(GRACE + AMEND), tick) for tick in real_ticks), key=lambda it: it[0]
    )
    builder = CandleBuilder(instrument, grace_ms=GRACE, amend_ms=AMEND)
    larger = Aggregator(timeframe, grace_ms=GRACE, amend_ms=AMEND)
    covered, given = whole(real_ticks), []
    for number, (at, tick) in enumerate(arrivals):
        if (amended := builder.add(tick)) is not None:
            larger.add(amended)
        if number % 20 == 0:
            for minute in builder.close(at, covered):
                larger.add(minute)
            given += larger.close(at, covered)
    end = real_ticks[-1].ts_ms + 14 * 86_400_000
    for minute in builder.close(end, covered):
        larger.add(minute)
    given += larger.close(end, covered)
    final = latest(given)
    expected = {bar.ts_ms: bar for bar in aggregate(straight, timeframe, covered)}
    assert {ts: values(bar) for ts, bar in final.items()} == {ts: values(bar) for ts, bar in expected.items()}
    assert [final[ts].quality for ts in expected] == [bar.quality for bar in expected.values()]
    assert [final[ts].trades for ts in expected] == [bar.trades for bar in expected.values()]
    assert larger.late_ignored == 0
