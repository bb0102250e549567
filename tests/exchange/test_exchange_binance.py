"""The small Binance replays what was recorded."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.exchange.binance import BinanceReplay
from tests.exchange.plain import PATIENCE_SECONDS, get

FRAMES = 3000
INF = float("inf")


@pytest.fixture(scope="module")
def recording(market_data: Callable[[str], Path]) -> Path:
    return market_data("ws_binance_spot_btcusdt_20240809.gz")


@pytest.fixture(scope="module")
def lines(recording: Path) -> list[str]:
    with gzip.open(recording, "rt") as source:
        texts = (line.rstrip("\n").partition(" ")[2] for line in source)
        return [text for text, _ in zip(texts, range(FRAMES), strict=False)]


async def received(connection: ClientConnection, count: int) -> list[str]:
    texts = [await asyncio.wait_for(connection.recv(), PATIENCE_SECONDS) for _ in range(count)]
    return [text for text in texts if isinstance(text, str)]


def test_combined_streams_are_sent_byte_for_byte(recording: Path, lines: list[str]) -> None:
    expected = [text for text in lines if text.startswith('{"stream":"btcusdt@trade"')]

    async def replayed() -> list[str]:
        async with BinanceReplay(recording, speed=INF, limit=FRAMES) as venue:
            url = venue.websocket_url + "/stream?streams=btcusdt@trade"
            async with connect(url, compression=None, proxy=None, max_queue=None) as connection:
                texts = await received(connection, len(expected))
                await asyncio.wait_for(venue.finished.wait(), PATIENCE_SECONDS)
                assert venue.sent == len(texts)
                return texts

    assert asyncio.run(replayed()) == expected


def test_a_subscription_is_answered_and_raw_streams_have_no_envelope(
    recording: Path, lines: list[str]
) -> None:
    expected = next(json.loads(text)["data"] for text in lines if "@trade" in text[:30])

    async def subscribed() -> None:
        async with BinanceReplay(recording, speed=INF, limit=FRAMES) as venue:
            url = venue.websocket_url + "/ws"
            async with connect(url, proxy=None, max_queue=None) as connection:
                wish: dict[str, Any] = {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 7}
                await connection.send(json.dumps(wish))
                answer, first = await received(connection, 2)
                assert answer == '{"result":null,"id":7}'
                assert json.loads(first) == expected
                await connection.send('{"method":"DANCE","id":8}')
                while "error" not in (text := json.loads((await received(connection, 1))[0])):
                    pass
                assert text["error"]["code"] == 2

    asyncio.run(subscribed())


def test_the_replay_keeps_the_recorded_pace_times_its_speed(recording: Path) -> None:
    async def paced() -> tuple[float, int]:
        async with BinanceReplay(recording, speed=50.0, limit=FRAMES) as venue:
            frames = venue.recording.frames
            span = (frames[-1].received_ns - frames[0].received_ns) / 1e9
            async with connect(venue.websocket_url + "/ws", proxy=None, max_queue=None) as connection:
                began = time.monotonic()
                await connection.send('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}')
                await asyncio.wait_for(venue.finished.wait(), 60)
                return (time.monotonic() - began) * 50.0 / span, venue.sent

    share, sent = asyncio.run(paced())
    assert share > 0.95
    assert sent > 100


def test_times_can_be_moved_to_now(recording: Path) -> None:
    async def rebased() -> tuple[int, int]:
        async with BinanceReplay(recording, speed=INF, rebase=True, limit=FRAMES) as venue:
            url = venue.websocket_url + "/ws/btcusdt@trade"
            async with connect(url, proxy=None, max_queue=None) as connection:
                [text] = await received(connection, 1)
                served = (await get(venue.rest_url + "/api/v3/time")).json()["serverTime"]
                return json.loads(text)["T"], served

    traded, served = asyncio.run(rebased())
    assert abs(traded - time.time() * 1000) < 30_000
    assert traded <= served


def test_rest_answers_from_the_trades_that_the_replay_has_reached(recording: Path) -> None:
    async def asked() -> None:
        async with BinanceReplay(recording, speed=INF, limit=FRAMES) as venue:
            rest = venue.rest_url + "/api/v3"
            assert (await get(rest + "/trades?symbol=BTCUSDT")).json() == []
            async with connect(venue.websocket_url + "/ws/btcusdt@trade", proxy=None, max_queue=None):
                await asyncio.wait_for(venue.finished.wait(), PATIENCE_SECONDS)
            raw = [trade for _, trade in venue.recording.trades]
            rows = (await get(rest + "/trades?symbol=BTCUSDT&limit=5")).json()
            assert [row["id"] for row in rows] == [trade["t"] for trade in raw[-5:]]
            assert list(rows[0]) == [
                "id", "price", "qty", "quoteQty", "time", "isBuyerMaker", "isBestMatch",
            ]  # fmt: skip
            first = (await get(f"{rest}/historicalTrades?symbol=BTCUSDT&fromId={raw[3]['t']}&limit=2")).json()
            assert [row["id"] for row in first] == [raw[3]["t"], raw[4]["t"]]
            bars = (await get(rest + "/klines?symbol=BTCUSDT&interval=1m")).json()
            assert sum(bar[8] for bar in bars) == len(raw)
            assert [len(bar) for bar in bars] == [12] * len(bars)
            assert bars[0][6] - bars[0][0] == 59_999
            assert bars[0][1] == raw[0]["p"]
            information = (await get(rest + "/exchangeInfo")).json()
            assert information["symbols"][0]["filters"][0]["tickSize"] == "0.01000000"
            unknown = await get(rest + "/klines?symbol=NOPE&interval=1m")
            assert (unknown.status, unknown.json()) == (400, {"code": -1121, "msg": "Invalid symbol."})

    asyncio.run(asked())
