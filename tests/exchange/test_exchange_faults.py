"""Every fault does on the wire what it says, and its journal tells when."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from http.client import IncompleteRead

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from tests.exchange import FAULTS, Clock, FakeExchange, faults
from tests.exchange.faults import Fault
from tests.exchange.plain import PlainSocket, get, plain_socket, until

PAIRS = ("BTCTRY", "ETHTRY")
QUIET = {"symbols": PAIRS, "live": False, "ticker_seconds": 0.03, "book_seconds": 0.03, "limits": False}
Story = Callable[[FakeExchange, PlainSocket], Awaitable[None]]


def told(story: Story, **options: object) -> FakeExchange:
    """Tells the story with a socket that has joined trades, ticker and changes of the book of BTCTRY."""

    async def tell() -> FakeExchange:
        exchange = FakeExchange(**{**QUIET, **options})
        async with exchange, plain_socket(exchange.websocket_url) as socket:
            for channel, kind in (("trade", 421), ("obdiff", 431), ("ticker", 402)):
                await socket.join(channel, "BTCTRY")
                await socket.next(kind)
            await asyncio.wait_for(story(exchange, socket), 10)
        return exchange

    return asyncio.run(tell())


async def ids_of(socket: PlainSocket, count: int) -> list[str]:
    return [(await socket.next(422))["I"] for _ in range(count)]


def test_a_frame_is_cut_in_the_middle_and_the_connection_reset() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(faults.CutMidFrame(kind=422))
        torn = await exchange.trade("BTCTRY")
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.next(422)
        assert closed.value.rcvd is None
        assert isinstance(closed.value.__cause__, ConnectionResetError)
        await record.ended()
        assert record.trades == [("BTCTRY", torn.id)]

    told(story)


def test_half_of_the_frame_arrives() -> None:
    async def raw() -> tuple[bytes, bytes]:
        async with FakeExchange(**QUIET) as exchange:
            reader, writer = await asyncio.open_connection("127.0.0.1", exchange.sockets.port)
            writer.write(
                b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"}]")
            await until(lambda: bool(exchange.sessions))
            await exchange.inject(faults.CutMidFrame())
            whole = b'[402,{"PS":"BTCTRY"}]'
            exchange.sessions[0].send(faults.garbage.Message(402, whole))
            rest = b""
            try:
                while part := await reader.read(100):
                    rest += part
            except ConnectionResetError:
                pass
            return rest, whole

    rest, whole = asyncio.run(raw())
    assert rest == (b"\x81" + bytes([len(whole)]) + whole)[: len(rest)]
    assert 2 < len(rest) < len(whole)


def test_a_clean_close_has_its_code_and_reason() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.CleanClose(code=1001, reason="deploy"))
        with pytest.raises(ConnectionClosedOK) as closed:
            await socket.next(422)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "deploy")

    told(story)


@pytest.mark.parametrize("with_reset", [False, True])
def test_a_drop_has_no_close_frame(with_reset: bool) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.DropWithoutClose(with_reset=with_reset))
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.next(422)
        assert closed.value.rcvd is None
        assert isinstance(closed.value.__cause__, ConnectionResetError) == with_reset

    told(story)


def test_silence_has_no_data_but_pongs_and_ends() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(faults.Silence(seconds=0.3))
        await socket.connection.recv_streaming().aclose()
        while True:
            try:
                await socket.next(timeout=0.1)
            except TimeoutError:
                break
        await asyncio.wait_for(await socket.connection.ping(), 1)
        withheld = await exchange.trade("BTCTRY")
        async with plain_socket(exchange.websocket_url) as fresh:
            await fresh.join("trade", "BTCTRY")
            assert (await fresh.next(421))["items"][0]["I"] == withheld.id
        await record.ended()
        assert (await socket.next())["type"] in (402, 432)
        assert record.ended_ns is not None and record.ended_ns > record.began_ns

    told(story)


def test_a_half_open_socket_says_nothing_at_all() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(faults.HalfOpen(seconds=0.5))
        await exchange.trade("BTCTRY")
        pong = await socket.connection.ping()
        done, _ = await asyncio.wait([asyncio.ensure_future(pong)], timeout=0.3)
        assert not done and not socket.connection.close_code
        assert not any(text.startswith("[422,") for text in socket.texts)
        async with plain_socket(exchange.websocket_url) as fresh:
            await fresh.join("ticker", "BTCTRY")
            await fresh.next(402)
        await record.ended()
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.next(999)
        assert closed.value.rcvd is None

    told(story, ping_seconds=0.05)


def test_a_drip_is_slow_whole_and_in_order() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        began = time.monotonic()
        record = await exchange.inject(faults.SlowDrip(seconds=0.6, bytes_per_second=300))
        made = [await exchange.trade("BTCTRY") for _ in range(20)]
        assert await ids_of(socket, 20) == [trade.id for trade in made]
        assert time.monotonic() - began > 0.55
        assert record.ended_ms is not None

    told(story)


def test_an_exchange_that_stops_reading_answers_joins_afterwards() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(faults.StopsReading(seconds=0.3))
        await socket.join("trade", "ETHTRY")
        with pytest.raises(TimeoutError):
            await socket.next(100, timeout=0.2)
        assert record.ended_ms is None
        assert (await socket.next(100))["message"] == "join|trade:ETHTRY"

    told(story)


@pytest.mark.parametrize(
    ("fault", "status", "retry_after", "kind"),
    [
        (faults.HandshakeTooMany(seconds=0.2, retry_after=7), 429, "7", None),
        (faults.HandshakeTooMany(seconds=0.2, retry_after=None), 429, None, None),
        (faults.HandshakeUnavailable(seconds=0.2), 503, None, "text/html; charset=UTF-8"),
    ],
)
def test_a_handshake_is_refused(fault: Fault, status: int, retry_after: str | None, kind: str | None) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(fault)
        with pytest.raises(InvalidStatus) as refused:
            await plain_socket(exchange.websocket_url).__aenter__()
        response = refused.value.response
        assert response.status_code == status
        assert (response.headers.get("Retry-After"), response.headers.get("Content-Type")) == (
            retry_after,
            kind,
        )
        await socket.next(402)
        await record.ended()
        async with plain_socket(exchange.websocket_url):
            assert record.counts["handshakes"] == 1

    told(story)


@pytest.mark.parametrize("rest", [False, True])
def test_the_port_is_closed_for_a_while(rest: bool) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        url = exchange.websocket_url
        record = await exchange.inject(faults.Refused(seconds=0.2, rest=rest))
        with pytest.raises(ConnectionRefusedError):
            await plain_socket(url).__aenter__()
        with pytest.raises(ConnectionClosedError):
            await socket.next(999)
        if rest:
            with pytest.raises(OSError, match="refused"):
                await get(exchange.rest_url + "/api/v2/server/ping")
        else:
            assert (await get(exchange.rest_url + "/api/v2/server/ping")).status == 200
        await record.ended()
        async with plain_socket(url):
            assert (await get(exchange.rest_url + "/api/v2/server/ping")).status == 200

    told(story)


def test_rest_refuses_and_fails_on_the_paths_named() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        ping, trades = "/api/v2/server/ping", "/api/v2/trades?pairSymbol=BTCTRY"
        await exchange.inject(faults.RestTooMany(path="/api/v2/trades", retry_after=3))
        refused = await get(exchange.rest_url + trades)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "3")
        await exchange.inject(faults.RestError(path="/api/v2/server", status=503, html=True))
        page = await get(exchange.rest_url + ping)
        assert (page.status, page.headers["Content-Type"]) == (503, "text/html; charset=UTF-8")
        assert page.text.startswith("<html>")
        await exchange.inject(faults.RestFailureWith200(path="/api/v2/ticker"))
        failed = await get(exchange.rest_url + "/api/v2/ticker")
        assert (failed.status, failed.json()["success"]) == (200, False)

    told(story)


def test_a_system_error_is_the_known_text(captured: dict[str, dict[str, str]]) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.RestError())
        got = await get(exchange.rest_url + "/api/v2/server/exchangeinfo")
        assert (got.status, got.text) == (500, captured["system error"]["body"])

    told(story)


def test_rest_hangs_until_the_fault_ends() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        url = exchange.rest_url + "/api/v2/server/ping"
        record = await exchange.inject(faults.RestHang(seconds=0.4))
        with pytest.raises(TimeoutError):
            await get(url, timeout=0.1)
        assert (await get(url)).json() == {"pong": True}
        assert record.ended_ms is not None

    told(story)


def test_a_body_breaks_off() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.RestTruncated())
        with pytest.raises(IncompleteRead):
            await get(exchange.rest_url + "/api/v2/server/exchangeinfo")

    told(story)


def test_arrays_of_bars_differ_in_length() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.trade("BTCTRY")
        await exchange.inject(faults.UnequalKlines())
        query = "symbol=BTCTRY&resolution=1&from=0&to=9999999999"
        got = (await get(f"{exchange.rest_url}/v1/klines/history?{query}")).json()
        assert (len(got["t"]), len(got["v"])) == (1, 0)

    told(story)


def test_the_server_tells_a_wrong_time_but_trades_do_not() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.WrongServerTime(by_ms=3_600_000))
        before = exchange.clock.now_ms()
        got = (await get(exchange.rest_url + "/api/v2/server/time")).json()
        assert 3_600_000 <= got["serverTime"] - before < 3_610_000
        made = await exchange.trade("BTCTRY")
        assert 0 <= made.time_ms - before < 10_000

    told(story)


def test_times_of_trades_lie_in_the_future_or_go_back_and_forth() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        now_ms = exchange.clock.now_ms()
        future = await exchange.inject(faults.FutureTrades(count=1, by_ms=60_000))
        made = await exchange.trade("BTCTRY")
        assert int((await socket.next(422))["D"]) == made.time_ms >= now_ms + 60_000
        await future.ended()
        await exchange.inject(faults.ReorderedTimes(count=4, by_ms=5000))
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
        await exchange.inject(faults.Midnight(before_seconds=0.2, hours_east=hours_east))
        before = await exchange.trade("BTCTRY")
        await asyncio.sleep(0.3)
        after = await exchange.trade("BTCTRY")
        hours = [trade.time_ms // 3_600_000 % 24 for trade in (before, after)]
        assert hours == [(hour - 1) % 24, hour]

    told(story)


def test_trades_are_doubled_reordered_and_missing_on_a_socket_that_stays_up() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        doubled = await exchange.inject(faults.DuplicateTrades(count=2))
        a, b, c = [(await exchange.trade("BTCTRY")).id for _ in range(3)]
        assert await ids_of(socket, 5) == [a, a, b, b, c]
        assert doubled.trades == [("BTCTRY", a), ("BTCTRY", b)]
        await exchange.inject(faults.ReorderedTrades(seconds=0.3, count=3))
        a, b, c, d = [(await exchange.trade("BTCTRY")).id for _ in range(4)]
        assert await ids_of(socket, 4) == [c, b, a, d]
        missing = await exchange.inject(faults.MissingTrades(count=2))
        a, b, c = [(await exchange.trade("BTCTRY")).id for _ in range(3)]
        assert await ids_of(socket, 1) == [c]
        assert missing.trades == [("BTCTRY", a), ("BTCTRY", b)]
        rows = (await get(exchange.rest_url + "/api/v2/trades?pairSymbol=BTCTRY&last=3")).json()["data"]
        assert [row["tid"] for row in rows] == [c, b, a]
        assert [trade.id for trade in exchange.ledger.latest("BTCTRY", 3)] == [c, b, a]

    told(story)


def test_what_reordering_keeps_back_is_sent_at_its_end() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.ReorderedTrades(seconds=0.2, count=9))
        made = [(await exchange.trade("BTCTRY")).id for _ in range(3)]
        assert await ids_of(socket, 3) == made[::-1]

    told(story)


@pytest.mark.parametrize("heals_on", ["join", "socket", "time"])
def test_trades_stop_under_a_live_ticker(heals_on: str) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(faults.DeadTradeChannel(seconds=0.6, heals_on=heals_on))
        await exchange.trade("BTCTRY", "3765777")
        while (await socket.next(402))["LA"] != "3765777":
            pass
        assert not any(text.startswith("[422,") for text in socket.texts)
        await socket.join("trade", "BTCTRY", join=False)
        await socket.join("trade", "BTCTRY")
        healed = bool(await socket.models(421, 0.1))
        assert healed == (heals_on == "join")
        async with plain_socket(exchange.websocket_url) as fresh:
            await fresh.join("trade", "BTCTRY")
            assert bool(await fresh.models(421, 0.1)) == (heals_on != "time")
        await record.ended()
        made = await exchange.trade("BTCTRY")
        assert await ids_of(socket, 1) == [made.id]

    told(story)


@pytest.mark.parametrize(("fault", "steps"), [(faults.BookSkip(), [2, 1]), (faults.BookDuplicate(), [1, 0])])
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
            text = await asyncio.wait_for(socket.connection.recv(), 3)
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
        frames = [await socket.connection.recv() for _ in range(6)]
        assert bytes(range(256)) in frames

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
        record = await exchange.inject(faults.Delisted(seconds=0.5, symbol="BTCTRY", status="HALTED"))
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
        await record.ended()
        await socket.next(402)

    told(story)


def test_maintenance_closes_everything() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(faults.Maintenance(seconds=0.3))
        with pytest.raises(ConnectionClosedOK):
            await socket.next(999)
        with pytest.raises(InvalidStatus) as refused:
            await plain_socket(exchange.websocket_url).__aenter__()
        assert refused.value.response.status_code == 503
        assert (await get(exchange.rest_url + "/api/v2/server/time")).status == 503
        with pytest.raises(ValueError, match="does not trade now"):
            await exchange.trade("BTCTRY")
        await record.ended()
        async with plain_socket(exchange.websocket_url):
            await exchange.trade("BTCTRY")

    told(story)


@pytest.mark.parametrize(
    ("fault", "ok"),
    [
        (faults.SubscriptionIgnored(symbol="ETHTRY"), True),
        (faults.SubscriptionRefused(channel="trade"), False),
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


def test_faults_combine() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        drip = await exchange.inject(faults.SlowDrip(seconds=0.2, bytes_per_second=500))
        doubled = await exchange.inject(faults.DuplicateTrades(count=1))
        gone = await exchange.inject(faults.HalfOpen(seconds=0.4))
        await exchange.trade("BTCTRY")
        for record in (drip, doubled, gone):
            await record.ended()
        with pytest.raises(ConnectionClosedError):
            await socket.next(999)
        assert exchange.faults_log == [drip, doubled, gone]

    told(story)


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_every_fault_begins_ends_and_leaves_a_working_exchange(kind: type[Fault]) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(kind(seconds=0.05))
        await record.ended()
        told = record.told()
        assert told["fault"] == kind.__name__
        assert told["ended_ns"] >= told["began_ns"]
        assert not any(vars(exchange.hooks).values())
        async with plain_socket(exchange.websocket_url) as fresh:
            await fresh.join("trade", "BTCTRY")
            await fresh.next(421)
            made = await exchange.trade("BTCTRY")
            assert await ids_of(fresh, 1) == [made.id]
            assert (await get(exchange.rest_url + "/api/v2/server/ping")).json() == {"pong": True}

    told(story, clock=Clock())
