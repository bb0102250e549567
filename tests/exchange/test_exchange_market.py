"""The market, the ledger, the clock and what follows from them."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.exchange import Activity, Clock, FakeExchange, Trade, many_symbols
from tests.exchange.clock import next_midnight_ms
from tests.exchange.plain import plain_socket, until

AT = datetime(2026, 9, 23, 3, 20, 30, tzinfo=UTC)
PAIRS = ("BTCTRY", "ETHUSDT", "ADATRY")


def advanced(*steps: float, seed: int = 1, activity: Activity | None = None) -> list[Trade]:
    async def run() -> list[Trade]:
        clock = Clock(at=AT, manual=True)
        async with FakeExchange(PAIRS, seed, clock, activity=activity or Activity()) as exchange:
            for seconds in steps:
                await exchange.advance(seconds)
            return list(exchange.ledger)

    return asyncio.run(run())


def test_a_seed_makes_the_same_trades_in_whatever_steps_time_goes_on() -> None:
    trades = advanced(600.0)
    assert len(trades) > 500
    assert advanced(*[17.0] * 35, 5.0) == trades
    assert advanced(600.0, seed=2) != trades


def test_trades_go_forwards_in_time_and_their_ids_rise_but_not_by_one() -> None:
    trades = [trade for trade in advanced(600.0) if trade.symbol == "BTCTRY"]
    assert [trade.time_ms for trade in trades] == sorted(trade.time_ms for trade in trades)
    ids = [int(trade.id) for trade in trades]
    steps = Counter(after - before for before, after in pairwise(ids))
    assert min(steps) == 1 and len(steps) > 1


def test_the_same_id_occurs_on_several_pairs() -> None:
    trades = advanced(600.0)
    owners = Counter(trade.id for trade in trades)
    assert max(owners.values()) == len(PAIRS)
    assert len({(trade.symbol, trade.id) for trade in trades}) == len(trades)


def test_there_are_quiet_minutes_bursts_and_trades_in_one_millisecond() -> None:
    activity = Activity(per_minute=20, quiet=0.3, burst=0.2)
    trades = [trade for trade in advanced(3600.0, activity=activity) if trade.symbol == "BTCTRY"]
    minutes = Counter(trade.time_ms // 60_000 for trade in trades)
    assert 5 < 61 - len(minutes) < 35
    assert max(Counter(trade.time_ms for trade in trades).values()) >= 3
    busiest = max(Counter(trade.time_ms // 1000 for trade in trades).values())
    assert busiest > 100
    assert max(minutes.values()) > 300


def test_amounts_go_beyond_the_pairs_scale_now_and_then() -> None:
    amounts = [trade.amount for trade in advanced(600.0) if trade.symbol == "BTCTRY"]
    exact = [amount for amount in amounts if amount.endswith("00")]
    assert 0 < len(amounts) - len(exact) < len(amounts) / 3


def test_bars_are_made_of_the_trades_alone() -> None:
    async def made() -> None:
        async with FakeExchange(PAIRS, clock=Clock(at=AT, manual=True)) as exchange:
            await exchange.advance(1800)
            trades = exchange.ledger.trades("ETHUSDT")
            bars = exchange.ledger.klines("ETHUSDT")
            assert {bar.time for bar in bars} == {trade.time_ms // 60_000 * 60 for trade in trades}
            assert sum(bar.trades for bar in bars) == len(trades)
            assert sum(bar.volume for bar in bars) == sum(Decimal(trade.amount) for trade in trades)
            first = [trade for trade in trades if trade.time_ms // 60_000 * 60 == bars[1].time]
            assert bars[1].open == Decimal(first[0].price) and bars[1].close == Decimal(first[-1].price)
            five = exchange.ledger.klines("ETHUSDT", 300)
            assert sum(bar.volume for bar in five) == sum(bar.volume for bar in bars)
            chosen = exchange.ledger.klines("ETHUSDT", 60, bars[2].time, bars[4].time)
            assert chosen == bars[2:5]

    asyncio.run(made())


def test_a_late_trade_changes_the_bar_of_its_own_minute() -> None:
    async def made() -> None:
        clock = Clock(at=AT, manual=True)
        async with FakeExchange(("BTCTRY",), clock=clock, activity=Activity(0)) as exchange:
            await exchange.trade("BTCTRY", "100")
            clock.step(60_000)
            await exchange.trade("BTCTRY", "200")
            await exchange.trade("BTCTRY", "50", at_ms=clock.now_ms() - 59_000)
            first, second = exchange.ledger.klines("BTCTRY")
            assert (first.close, first.low, second.close) == (50, 50, 200)

    asyncio.run(made())


def test_everything_sent_is_in_the_ledger_and_everything_in_the_ledger_is_sent() -> None:
    async def watched() -> None:
        busy = Activity(per_minute=1200, quiet=0, burst=0)  # no more than 50 before a pair is joined
        async with (
            FakeExchange(PAIRS, activity=busy) as exchange,
            plain_socket(exchange.websocket_url) as socket,
        ):
            for pair in PAIRS:
                await socket.join("trade", pair)
                await socket.next(421)
            await until(lambda: len(exchange.ledger) > 60)
            last = await exchange.trade("BTCTRY")
            told = {}
            while (told.get("PS"), told.get("I")) != (last.symbol, last.id):
                told = await socket.next(422)
            sent: Counter[tuple[object, ...]] = Counter()
            for text in socket.texts:
                kind, model = json.loads(text)
                if kind == 422:
                    sent[model["PS"], model["I"], model["D"], model["P"], model["A"], model["S"]] += 1
                for item in model["items"] if kind == 421 else ():
                    key = (model["symbol"], item["I"], item["D"], item["P"], item["A"], item["S"])
                    sent[key] += 1
            trades = list(exchange.ledger)
            ledger: Counter[tuple[object, ...]] = Counter(
                (one.symbol, one.id, str(one.time_ms), one.price, one.amount, one.side)
                for one in trades[: trades.index(last) + 1]
            )
            assert sent == ledger

    asyncio.run(watched())


def test_live_trades_carry_the_time_of_their_sending() -> None:
    async def lags() -> list[float]:
        activity = Activity(per_minute=1200, quiet=0)
        clock = Clock(offset_ms=5000)
        async with FakeExchange(("BTCTRY",), clock=clock, activity=activity) as exchange:
            await until(lambda: len(exchange.ledger) > 5)
            now_ms = clock.now_ms()
            return [now_ms - trade.time_ms for trade in exchange.ledger]

    began = time.monotonic()
    found = asyncio.run(lags())
    assert all(0 <= lag <= (time.monotonic() - began) * 1000 + 1 for lag in found)
    assert found == sorted(found, reverse=True)


def test_the_clock_is_off_drifts_and_steps() -> None:
    host = [1_000_000_000_000_000_000]
    clock = Clock(offset_ms=250, drift_ppm=100, host=lambda: host[0])
    assert clock.offset_ms() == 250
    host[0] += 10_000_000_000
    assert clock.offset_ms() == 251
    clock.drift(-100)
    assert clock.offset_ms() == 251
    host[0] += 10_000_000_000
    assert clock.offset_ms() == 250
    clock.step(-750)
    assert clock.offset_ms() == -500


def test_midnight_in_istanbul_is_nine_in_the_evening_of_utc_in_summer_and_winter() -> None:
    for month in (1, 7):
        now = int(datetime(2026, month, 5, 22, 0, tzinfo=UTC).timestamp() * 1000)
        midnight = datetime.fromtimestamp(next_midnight_ms(now, hours_east=3) / 1000, UTC)
        assert midnight == datetime(2026, month, 6, 21, 0, tzinfo=UTC)
        assert next_midnight_ms(now) == datetime(2026, month, 6, tzinfo=UTC).timestamp() * 1000


def test_the_ledger_is_written_one_trade_a_line() -> None:
    async def written() -> tuple[list[Trade], str]:
        async with FakeExchange(PAIRS, clock=Clock(at=AT, manual=True)) as exchange:
            await exchange.advance(60)
            sink = io.StringIO()
            exchange.ledger.write(sink)
            return list(exchange.ledger), sink.getvalue()

    trades, text = asyncio.run(written())
    assert [Trade(**json.loads(line)) for line in text.splitlines()] == trades
    assert len(trades) > 10


def test_many_pairs_have_names_of_their_own() -> None:
    symbols = many_symbols(379)
    assert len(set(symbols)) == 379
    with pytest.raises(ValueError, match="upper case"):
        FakeExchange(("btctry",))
