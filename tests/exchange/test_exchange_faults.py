"""Faults of sockets and REST do on the wire what they say, and every journal tells when."""

from __future__ import annotations

import asyncio
import time
from http.client import IncompleteRead

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from tests.exchange import FAULTS, Clock, FakeExchange, faults
from tests.exchange.faults import Fault
from tests.exchange.plain import PATIENCE_SECONDS, PlainSocket, get, plain_socket, until
from tests.exchange.stories import HELD, QUIET, ids_of, told


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
        record = await exchange.inject(faults.Silence(seconds=HELD))
        while True:
            try:
                await socket.next(timeout=0.1)
            except TimeoutError:
                break
        await asyncio.wait_for(await socket.connection.ping(), PATIENCE_SECONDS)
        withheld = await exchange.trade("BTCTRY")
        async with plain_socket(exchange.websocket_url) as fresh:
            await fresh.join("trade", "BTCTRY")
            assert (await fresh.next(421))["items"][0]["I"] == withheld.id
        await record.let_go()
        assert (await socket.next())["type"] in (402, 432)
        assert record.ended_ns is not None and record.ended_ns > record.began_ns

    told(story)


def test_a_half_open_socket_says_nothing_at_all() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        record = await exchange.inject(faults.HalfOpen(seconds=HELD))
        await exchange.trade("BTCTRY")
        pong = await socket.connection.ping()
        done, _ = await asyncio.wait([asyncio.ensure_future(pong)], timeout=0.3)
        assert not done and not socket.connection.close_code
        assert not any(text.startswith("[422,") for text in socket.texts)
        async with plain_socket(exchange.websocket_url) as fresh:
            await fresh.join("ticker", "BTCTRY")
            await fresh.next(402)
        await record.let_go()
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
        record = await exchange.inject(faults.StopsReading(seconds=HELD))
        await socket.join("trade", "ETHTRY")
        with pytest.raises(TimeoutError):
            await socket.next(100, timeout=0.2)
        await record.let_go()
        assert (await socket.next(100))["message"] == "join|trade:ETHTRY"

    told(story)


@pytest.mark.parametrize(
    ("fault", "status", "retry_after", "kind"),
    [
        (faults.HandshakeTooMany(seconds=HELD, retry_after=7), 429, "7", None),
        (faults.HandshakeTooMany(seconds=HELD, retry_after=None), 429, None, None),
        (faults.HandshakeUnavailable(seconds=HELD), 503, None, "text/html; charset=UTF-8"),
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
        await record.let_go()
        async with plain_socket(exchange.websocket_url):
            assert record.counts["handshakes"] == 1

    told(story)


@pytest.mark.parametrize("rest", [False, True])
def test_the_port_is_closed_for_a_while(rest: bool) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        url = exchange.websocket_url
        record = await exchange.inject(faults.Refused(seconds=HELD, rest=rest))
        with pytest.raises(ConnectionRefusedError):
            await plain_socket(url).__aenter__()
        with pytest.raises(ConnectionClosedError):
            await socket.next(999)
        if rest:
            with pytest.raises(OSError, match="refused"):
                await get(exchange.rest_url + "/api/v2/server/ping")
        else:
            assert (await get(exchange.rest_url + "/api/v2/server/ping")).status == 200
        await record.let_go()
        async with plain_socket(url):
            assert (await get(exchange.rest_url + "/api/v2/server/ping")).status == 200

    told(story)


def test_rest_refuses_and_fails_on_the_paths_named() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        ping, trades = "/api/v2/server/ping", "/api/v2/trades?pairSymbol=BTCTRY"
        await exchange.inject(faults.RestTooMany(HELD, "/api/v2/trades", retry_after=3))
        refused = await get(exchange.rest_url + trades)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "3")
        await exchange.inject(faults.RestError(HELD, "/api/v2/server", status=503, html=True))
        page = await get(exchange.rest_url + ping)
        assert (page.status, page.headers["Content-Type"]) == (503, "text/html; charset=UTF-8")
        assert page.text.startswith("<html>")
        await exchange.inject(faults.RestFailureWith200(HELD, "/api/v2/ticker"))
        failed = await get(exchange.rest_url + "/api/v2/ticker")
        assert (failed.status, failed.json()["success"]) == (200, False)

    told(story)


def test_a_system_error_is_the_known_text(captured: dict[str, dict[str, str]]) -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.RestError(HELD))
        got = await get(exchange.rest_url + "/api/v2/server/exchangeinfo")
        assert (got.status, got.text) == (500, captured["system error"]["body"])

    told(story)


def test_rest_hangs_until_the_fault_ends() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        url = exchange.rest_url + "/api/v2/server/ping"
        record = await exchange.inject(faults.RestHang(HELD))
        with pytest.raises(TimeoutError):
            await get(url, timeout=0.1)
        waiting = asyncio.create_task(get(url))
        await until(lambda: record.counts["requests"] == 2)
        assert not waiting.done()
        await record.let_go()
        assert (await waiting).json() == {"pong": True}

    told(story)


def test_a_body_breaks_off() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.inject(faults.RestTruncated(HELD))
        with pytest.raises(IncompleteRead):
            await get(exchange.rest_url + "/api/v2/server/exchangeinfo")

    told(story)


def test_arrays_of_bars_differ_in_length() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        await exchange.trade("BTCTRY")
        await exchange.inject(faults.UnequalKlines(HELD))
        query = "symbol=BTCTRY&resolution=1&from=0&to=9999999999"
        got = (await get(f"{exchange.rest_url}/v1/klines/history?{query}")).json()
        assert (len(got["t"]), len(got["v"])) == (1, 0)

    told(story)


def test_faults_combine() -> None:
    async def story(exchange: FakeExchange, socket: PlainSocket) -> None:
        drip = await exchange.inject(faults.SlowDrip(HELD, bytes_per_second=500))
        doubled = await exchange.inject(faults.DuplicateTrades(HELD, count=1))
        gone = await exchange.inject(faults.HalfOpen(HELD))
        await exchange.trade("BTCTRY")
        await doubled.ended()
        await drip.let_go()
        await gone.let_go()
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
