"""Joins, pings and limits of the WebSocket side."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import time

import pytest
from websockets.exceptions import ConnectionClosedOK, InvalidStatus

from tests.exchange import FakeExchange
from tests.exchange.plain import plain_socket, until

QUIET = {"symbols": ("BTCTRY", "ETHTRY"), "live": False, "ticker_seconds": 0.03, "book_seconds": 0.03}


def test_every_join_is_acknowledged_and_only_a_known_one_gets_data() -> None:
    async def joined() -> None:
        async with (
            FakeExchange(**QUIET) as exchange,
            plain_socket(exchange.websocket_url + "market") as socket,
        ):
            wishes = [("trade", "NOPETRY"), ("trade", "btctry"), ("gossip", "BTCTRY"), ("obdiff", "all")]
            wishes.append(("tradeview", "BTCTRY_60"))
            for channel, event in wishes:
                await socket.join(channel, event)
                message = f"join|{channel}:{event}"
                assert await socket.next() == {"type": 100, "ok": True, "message": message}
            await exchange.trade("BTCTRY")
            with pytest.raises(TimeoutError):
                await socket.next(timeout=0.15)

    asyncio.run(joined())


def test_malformed_frames_get_no_answer_and_the_socket_stays() -> None:
    malformed = [
        "hello", "{}", "[]", "[151]", '[151,{"type":151}]', '[152,{"type":152,"channel":"trade"}]',
        '[151,{"type":151,"channel":"trade","event":["BTCTRY","ETHTRY"],"join":true}]',
        '[151,{"type":151,"channel":"trade","event":"BTCTRY","join":"yes"}]',
        '[151,{"type":422,"channel":"trade","event":"BTCTRY","join":true}]',
    ]  # fmt: skip

    async def sent() -> None:
        async with FakeExchange(**QUIET) as exchange, plain_socket(exchange.websocket_url) as socket:
            for text in malformed:
                await socket.connection.send(text)
            await socket.connection.send(b"[151,{}]")
            await socket.join("trade", "BTCTRY")
            assert (await socket.next())["message"] == "join|trade:BTCTRY"

    asyncio.run(sent())


def test_leaving_ends_the_data_and_joining_again_begins_with_a_batch() -> None:
    async def left() -> None:
        async with FakeExchange(**QUIET) as exchange, plain_socket(exchange.websocket_url) as socket:
            await socket.join("trade", "BTCTRY")
            await socket.next(421)
            await socket.join("trade", "BTCTRY", join=False)
            await socket.next(100)
            missed = await exchange.trade("BTCTRY")
            await socket.join("trade", "BTCTRY")
            items = (await socket.next(421))["items"]
            assert [item["I"] for item in items] == [missed.id]
            assert not any(text.startswith("[422,") for text in socket.texts)

    asyncio.run(left())


def test_the_last_trades_can_be_asked_for_again() -> None:
    async def asked() -> None:
        async with FakeExchange(**QUIET) as exchange, plain_socket(exchange.websocket_url) as socket:
            model = {"type": 101, "code": 421, "channel": "trade", "event": "BTCTRY"}
            await socket.connection.send(json.dumps([101, model]))
            assert (await socket.next())["symbol"] == "BTCTRY"

    asyncio.run(asked())


def test_each_subscription_has_a_sequence_of_its_own() -> None:
    async def bases() -> set[int]:
        async with (
            FakeExchange(**QUIET) as exchange,
            plain_socket(exchange.websocket_url) as one,
            plain_socket(exchange.websocket_url) as other,
        ):
            found = set()
            for socket in (one, other):
                for channel in ("obdiff", "orderbook"):
                    await socket.join(channel, "BTCTRY")
                    found.add((await socket.next(431))["CS"])
            return found

    assert len(asyncio.run(bases())) == 4


def test_a_client_that_does_not_pong_is_closed_with_1000_and_no_reason() -> None:
    async def deaf() -> tuple[int, bytes]:
        """A hand-made client: websockets would pong by itself."""
        async with FakeExchange(**QUIET, ping_seconds=0.05, pong_timeout_seconds=1.0) as exchange:
            reader, writer = await asyncio.open_connection("127.0.0.1", exchange.sockets.port)
            writer.write(
                b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            await reader.readuntil(b"\r\n\r\n")
            pings = 0
            while True:
                first, length = await reader.readexactly(2)
                payload = await reader.readexactly(length)
                pings += first == 0x89
                if first == 0x88:
                    writer.close()
                    return pings, payload

    pings, close = asyncio.run(asyncio.wait_for(deaf(), 30))
    assert pings >= 1
    assert close == (1000).to_bytes(2, "big")


def test_a_client_that_pongs_stays_though_it_joined_nothing() -> None:
    async def patient() -> None:
        times = {"ping_seconds": 0.05, "pong_timeout_seconds": 1.0}
        async with FakeExchange(**QUIET, **times) as exchange, plain_socket(exchange.websocket_url) as socket:
            with pytest.raises(TimeoutError):
                await socket.next(timeout=2.0)
            await (await socket.connection.ping())

    asyncio.run(patient())


def test_no_compression_is_negotiated() -> None:
    async def offered() -> str | None:
        async with (
            FakeExchange(**QUIET) as exchange,
            plain_socket(exchange.websocket_url, compression="deflate") as socket,
        ):
            assert socket.connection.response is not None
            return socket.connection.response.headers.get("Sec-WebSocket-Extensions")

    assert asyncio.run(offered()) is None


def test_the_sixteenth_connection_of_a_minute_is_refused_and_so_are_all_for_a_block() -> None:
    async def connecting() -> float:
        async with FakeExchange(**QUIET, period_scale=0.05) as exchange:
            for _ in range(15):
                async with plain_socket(exchange.websocket_url):
                    pass
            began = time.monotonic()
            with pytest.raises(InvalidStatus) as refused:
                async with plain_socket(exchange.websocket_url):
                    pass
            assert refused.value.response.status_code == 429
            assert refused.value.response.body == b""
            while True:
                try:
                    async with plain_socket(exchange.websocket_url):
                        return time.monotonic() - began
                except InvalidStatus:
                    await asyncio.sleep(0.05)

    assert asyncio.run(connecting()) >= 2.95  # 60 s, scaled


def test_without_limits_connections_are_not_counted() -> None:
    async def connecting() -> int:
        async with FakeExchange(**QUIET, limits=False) as exchange:
            for _ in range(20):
                async with plain_socket(exchange.websocket_url):
                    pass
            return exchange.sockets.accepted

    assert asyncio.run(connecting()) == 20


def test_a_client_that_reads_nothing_is_dropped_when_too_much_waits_for_it() -> None:
    async def lazy() -> None:
        async with FakeExchange(**QUIET, send_buffer_bytes=200_000) as exchange:
            raw = sockets.socket()
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
            raw.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(raw, ("127.0.0.1", exchange.sockets.port))
            async with plain_socket(exchange.websocket_url, sock=raw, max_queue=1) as socket:
                await socket.join("trade", "BTCTRY")
                await until(lambda: bool(exchange.sessions[0].subscriptions))
                for _ in range(100_000):
                    await exchange.trade("BTCTRY")
                    if not exchange.sessions:
                        break
                assert not exchange.sessions

    asyncio.run(asyncio.wait_for(lazy(), 60))


def test_the_exchange_closes_its_ports() -> None:
    async def closed() -> int:
        async with FakeExchange(**QUIET) as exchange, plain_socket(exchange.websocket_url):
            return exchange.sockets.port

    port = asyncio.run(closed())
    with pytest.raises(ConnectionRefusedError):
        sockets.create_connection(("127.0.0.1", port), timeout=1)


def test_a_clean_goodbye_of_the_client_is_answered() -> None:
    async def goodbye() -> None:
        async with FakeExchange(**QUIET) as exchange:
            async with plain_socket(exchange.websocket_url) as socket:
                await socket.connection.close()
                with pytest.raises(ConnectionClosedOK):
                    await socket.next()
            await until(lambda: not exchange.sessions)

    asyncio.run(goodbye())
