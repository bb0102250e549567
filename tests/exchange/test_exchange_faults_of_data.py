"""Faults of times, trades, frames and the venue do on the wire what they say."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from tests.exchange import FakeExchange, faults
from tests.exchange.faults import Fault
from tests.exchange.plain import PATIENCE_SECONDS, PlainSocket, get, plain_socket
from tests.exchange.stories import HELD, ids_of, told


def test_the_server_tells_a_wrong_time_but_trades_do_not() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.WrongServerTime(HELD, by_ms=3_600_000))
        before = exchange.clock.now_ms()
        got = (await get(exchange.rest_url + "/api/v2/server/time")).json()
        assert 3_600_000 <= got["serverTime"] - before < 3_610_000
        made = await exchange.trade("BTCTRY")
        assert 0 <= made.time_ms - before < 10_000

    told(story)


def test_times_of_trades_lie_in_the_future_or_go_back_and_forth() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        now_ms = exchange.clock.now_ms()
        future = await exchange.inject(faults.FutureTrades(HELD, count=1, by_ms=60_000))
        made = await exchange.trade("BTCTRY")
        assert int((await socket.next(422))["D"]) == made.time_ms >= now_ms + 60_000
        await future.ended()
        await exchange.inject(faults.ReorderedTimes(HELD, count=4, by_ms=60_000))
        times = [(await exchange.trade("BTCTRY")).time_ms for _ in range(5)]
        assert times[0] < times[1] > times[2] < times[3] <= times[4]
        assert [int((await socket.next(422))["D"]) for _ in range(5)] == times

    told(story)


def test_the_clock_steps_and_drifts() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        before = exchange.clock.offset_ms()
        await exchange.inject(faults.ClockStep(by_ms=-400))
        assert exchange.clock.offset_ms() == pytest.approx(before - 400, abs=1)
        record = await exchange.inject(faults.ClockDrift(seconds=0.1, ppm=100_000))
        await record.ended()
        assert exchange.clock.offset_ms() - (before - 400) >= 9

    told(story)


@pytest.mark.parametrize(("hours_east", "hour"), [(0, 0), (3, 21)])
def test_the_day_ends(hours_east: int, hour: int) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.Midnight(before_seconds=60.0, hours_east=hours_east))
        before = await exchange.trade("BTCTRY")
        exchange.clock.step(60_000)
        after = await exchange.trade("BTCTRY")
        hours = [trade.time_ms // 3_600_000 % 24 for trade in (before, after)]
        assert hours == [(hour - 1) % 24, hour]

    told(story)


def test_trades_are_doubled_reordered_and_missing_on_a_socket_that_stays_up() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        doubled = await exchange.inject(faults.DuplicateTrades(HELD, count=2))
        a, b, c = [(await exchange.trade("BTCTRY")).id for _ in range(3)]
        assert await ids_of(socket, 5) == [a, a, b, b, c]
        assert doubled.trades == [("BTCTRY", a), ("BTCTRY", b)]
        await exchange.inject(faults.ReorderedTrades(HELD, count=3))
        a, b, c, d = [(await exchange.trade("BTCTRY")).id for _ in range(4)]
        assert await ids_of(socket, 4) == [c, b, a, d]
        missing = await exchange.inject(faults.MissingTrades(HELD, count=2))
        a, b, c = [(await exchange.trade("BTCTRY")).id for _ in range(3)]
        assert await ids_of(socket, 1) == [c]
        assert missing.trades == [("BTCTRY", a), ("BTCTRY", b)]
        rows = (await get(exchange.rest_url + "/api/v2/trades?pairSymbol=BTCTRY&last=3")).json()["data"]
        assert [row["tid"] for row in rows] == [c, b, a]
        assert [trade.id for trade in exchange.ledger.latest("BTCTRY", 3)] == [c, b, a]

    told(story)


def test_what_reordering_keeps_back_is_sent_at_its_end() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(faults.ReorderedTrades(HELD, count=9))
        made = [(await exchange.trade("BTCTRY")).id for _ in range(3)]
        assert not await socket.sent_so_far(422)
        await record.let_go()
        assert await ids_of(socket, 3) == made[::-1]

    told(story)


@pytest.mark.parametrize("heals_on", ["join", "socket", "time"])
def test_trades_stop_under_a_live_ticker(heals_on: str) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(faults.DeadTradeChannel(HELD, heals_on=heals_on))
        await exchange.trade("BTCTRY", "3765777")
        while (await socket.next(402))["LA"] != "3765777":
            pass
        assert not any(text.startswith("[422,") for text in socket.texts)
        await socket.join("trade", "BTCTRY", join=False)
        await socket.join("trade", "BTCTRY")
        healed = bool(await socket.sent_so_far(421))
        assert healed == (heals_on == "join")
        async with plain_socket(exchange.websocket_url) as fresh:
            await fresh.join("trade", "BTCTRY")
            assert bool(await fresh.sent_so_far(421)) == (heals_on != "time")
        await record.let_go()
        made = await exchange.trade("BTCTRY")
        assert await ids_of(socket, 1) == [made.id]

    told(story)


@pytest.mark.parametrize(
    ("fault", "steps"), [(faults.BookSkip(HELD), [2, 1]), (faults.BookDuplicate(HELD), [1, 0])]
)
def test_the_chain_of_a_book_breaks(fault: Fault, steps: list[int]) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        last = next(json.loads(text)[1]["CS"] for text in socket.texts if text.startswith("[431,"))
        await exchange.inject(fault)
        found = []
        for price in range(3765500, 3766000, 100):
            await exchange.trade("BTCTRY", str(price))
            exchange.publish_books()
        for _ in steps:
            sequence = (await socket.next(432))["CS"]
            found.append(sequence - last)
            last = sequence
        assert found == steps

    told(story, book_seconds=60.0)


@pytest.mark.parametrize(
    "fault", [faults.GarbageText(), faults.GiantTickerAll(), faults.GiantFrame(), faults.UnknownType()]
)
def test_what_does_not_belong_leaves_the_socket_open(fault: Fault) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(fault)
        texts = []
        while len(texts) < record.counts["frames"]:
            text = await asyncio.wait_for(socket.connection.recv(), PATIENCE_SECONDS)
            assert isinstance(text, str)
            if not text.startswith(('[402,{"B":"', "[432,")):
                texts.append(text)
        longest = max(map(len, texts))
        if isinstance(fault, faults.GiantTickerAll):
            assert 80_000 < longest < 130_000
            assert len(json.loads(texts[0])[1]["items"]) == 379
        elif isinstance(fault, faults.GiantFrame):
            assert longest > 6 * 2**20
        elif isinstance(fault, faults.UnknownType):
            assert [json.loads(text)[0] for text in texts] == [999, 801, 451]
        else:
            assert tuple(texts) == fault.texts
        await socket.next(402)

    told(story, ticker_seconds=0.2)


def test_text_that_is_no_utf8_ends_with_1007() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.InvalidUtf8())
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.next(999)
        assert closed.value.sent is not None and closed.value.sent.code == 1007

    told(story)


def test_a_binary_frame_is_binary() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.BinaryFrame())
        frames: list[str | bytes] = []
        while bytes(range(256)) not in frames:
            frames.append(await socket.connection.recv())

    told(story)


def test_false_trades_are_in_no_ledger() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.WrongPair(pair="ETHTRY"))
        wrong = await socket.next(422)
        assert (wrong["event"], wrong["PS"]) == ("BTCTRY", "ETHTRY")
        await exchange.inject(faults.NotANumber(prices=("NaN", "")))
        assert [(await socket.next(422))["P"] for _ in range(2)] == ["NaN", ""]
        assert len(exchange.ledger) == 0

    told(story)


def test_a_pair_is_delisted() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(faults.Delisted(HELD, symbol="BTCTRY", status="HALTED"))
        information = (await get(exchange.rest_url + "/api/v2/server/exchangeinfo")).json()["data"]
        assert {one["name"]: one["status"] for one in information["symbols"]} == {
            "BTCTRY": "HALTED",
            "ETHTRY": "TRADING",
        }
        assert (await get(exchange.rest_url + "/api/v2/ticker?pairSymbol=BTCTRY")).json()["data"] == []
        with pytest.raises(ValueError, match="does not trade now"):
            await exchange.trade("BTCTRY")
        await socket.join("orderbook", "BTCTRY")
        assert (await socket.next(100))["ok"] is True
        assert not await socket.models(402, 0.1)
        await record.let_go()
        await socket.next(402)

    told(story)


def test_maintenance_closes_everything() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(faults.Maintenance(HELD))
        with pytest.raises(ConnectionClosedOK):
            await socket.next(999)
        with pytest.raises(InvalidStatus) as refused:
            await plain_socket(exchange.websocket_url).__aenter__()
        assert refused.value.response.status_code == 503
        assert (await get(exchange.rest_url + "/api/v2/server/time")).status == 503
        with pytest.raises(ValueError, match="does not trade now"):
            await exchange.trade("BTCTRY")
        await record.let_go()
        async with plain_socket(exchange.websocket_url):
            await exchange.trade("BTCTRY")

    told(story)


@pytest.mark.parametrize(
    ("fault", "ok"),
    [
        (faults.SubscriptionIgnored(HELD, symbol="ETHTRY"), True),
        (faults.SubscriptionRefused(HELD, channel="trade"), False),
    ],
)
def test_a_join_leads_to_nothing(fault: Fault, ok: bool) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(fault)
        await socket.join("trade", "ETHTRY")
        assert (await socket.next(100))["ok"] is ok
        await exchange.trade("ETHTRY")
        assert not await socket.models(421, 0.1)
        assert not any('"PS":"ETHTRY"' in text for text in socket.texts)

    told(story)
