"""Frames on the wire against what others captured of the venue."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from tests.exchange import FakeExchange
from tests.exchange.conftest import Captured, shape
from tests.exchange.plain import PlainSocket, plain_socket

PAIRS = ("BTCTRY", "BTCUSDT", "ETHUSDT")
FAST = {"symbols": PAIRS, "live": False, "ticker_seconds": 0.03, "book_seconds": 0.03}


def captured_text(captured: Captured, name: str) -> str:
    return str(captured[name]["frame"])


async def recorded() -> PlainSocket:
    """A socket that has seen every kind of frame. Tickers and books are published by hand."""
    by_hand = {**FAST, "ticker_seconds": 3600.0, "book_seconds": 3600.0}
    async with FakeExchange(**by_hand) as exchange, plain_socket(exchange.websocket_url) as socket:
        for price in ("3765490", "3766459"):
            await exchange.trade("BTCTRY", price, "0.01273188")
        for _ in range(2):
            await socket.join("obdiff", "BTCUSDT")
        for channel, pair in (("ticker", "BTCUSDT"), ("ticker", "all"), ("trade", "BTCTRY")):
            await socket.join(channel, pair)
        await socket.join("orderbook", "BTCTRY")
        await socket.join("obdiff", "ETHUSDT")
        for kind in (431, 421, 431, 431):
            await socket.next(kind)
        await exchange.trade("BTCTRY", "3765500", "0.0061489328", 0)
        await exchange.trade("ETHUSDT", "2770.7")
        exchange.publish_tickers()
        exchange.publish_books()
        for kind in (422, 402, 401, 432):
            await socket.next(kind)
        await socket.join("obdiff", "BTCUSDT", join=False)
        await socket.next(100)
        return socket


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return asyncio.run(recorded()).texts


def first(texts: list[str], kind: int, part: str = "") -> str:
    return next(text for text in texts if text.startswith(f"[{kind},") and part in text)


@pytest.mark.parametrize("name", ["welcome", "ack join", "nack duplicate join", "ack leave"])
def test_the_captured_text_is_sent_byte_for_byte(captured: Captured, texts: list[str], name: str) -> None:
    assert captured_text(captured, name) in texts


@pytest.mark.parametrize(
    ("kind", "part", "name"),
    [
        (402, '"PS":"BTCUSDT"', "ticker pair"),
        (401, "", "ticker all (first item captured, 379 items live)"),
        (421, '"symbol":"BTCTRY"', "trade list on subscribe"),
        (422, '"PS":"BTCTRY"', "trade single"),
        (431, '"channel":"orderbook"', "book full (orderbook channel)"),
        (431, '"channel":"obdiff"', "book snapshot (obdiff channel)"),
        (432, '"PS":"ETHUSDT"', "book delta"),
    ],
)
def test_names_their_order_and_types_are_the_captured_ones(
    captured: Captured, texts: list[str], kind: int, part: str, name: str
) -> None:
    mine, theirs = first(texts, kind, part), captured_text(captured, name)
    assert shape(json.loads(mine)) == shape(json.loads(theirs))
    assert " " not in mine and "\n" not in mine


def test_a_trade_is_spelt_like_the_captured_one(captured: Captured) -> None:
    [_, theirs] = json.loads(captured_text(captured, "trade single"))

    async def sent() -> str:
        async with FakeExchange(**FAST) as exchange, plain_socket(exchange.websocket_url) as socket:
            await socket.join("trade", "BTCTRY")
            await socket.next(421)
            at_ms, amount = int(theirs["D"]), theirs["A"]
            await exchange.trade("BTCTRY", theirs["P"], amount, theirs["S"], at_ms=at_ms)
            await socket.next(422)
            return socket.texts[-1]

    ours = asyncio.run(sent())
    assert re.sub(r'"I":"\d+"', '"I":"…"', ours) == re.sub(
        r'"I":"\d+"', '"I":"…"', captured_text(captured, "trade single")
    )
    assert len(json.loads(ours)[1]["I"]) == len(theirs["I"]) == 18


def test_trades_carry_ten_decimals_and_books_carry_no_zeros_at_the_end(texts: list[str]) -> None:
    trades = [json.loads(text)[1] for text in texts if text.startswith("[422,")]
    assert all(re.fullmatch(r"\d+\.\d{10}", trade["P"]) for trade in trades)
    assert [trade["A"] for trade in trades] == ["0.0061489328"]
    [_, book] = json.loads(first(texts, 431))
    for level in book["AO"] + book["BO"]:
        assert not re.search(r"\.\d*0$", level["A"] + "|" + level["P"])


def test_the_batch_on_joining_is_the_last_fifty_newest_first() -> None:
    async def batch() -> tuple[list[dict[str, Any]], list[str]]:
        async with FakeExchange(**FAST) as exchange, plain_socket(exchange.websocket_url) as socket:
            for _ in range(60):
                await exchange.trade("BTCTRY")
            await socket.join("trade", "BTCTRY")
            items = (await socket.next(421))["items"]
            return items, [trade.id for trade in exchange.ledger.trades("BTCTRY")]

    items, ids = asyncio.run(batch())
    assert [item["I"] for item in items] == ids[:-51:-1]


def test_a_book_follows_from_its_snapshot_and_its_changes() -> None:
    async def followed() -> None:
        async with FakeExchange(**FAST) as exchange, plain_socket(exchange.websocket_url) as socket:
            await socket.join("obdiff", "BTCTRY")
            snapshot = await socket.next(431)
            sides = {side: {one["P"]: one["A"] for one in snapshot[side]} for side in ("AO", "BO")}
            sequence = snapshot["CS"]
            for step in range(1, 13):
                await exchange.trade("BTCTRY", str(3765490 + 37 * step))
                delta = await socket.next(432)
                assert delta["CS"] == sequence + 1
                sequence = delta["CS"]
                for side, levels in sides.items():
                    for change in delta[side]:
                        if change["CP"] == 3:
                            assert levels.pop(change["P"]) == change["A"]
                        else:
                            assert (change["P"] in levels) == (change["CP"] == 0)
                            levels[change["P"]] = change["A"]
            await socket.join("orderbook", "BTCTRY")
            whole = await socket.next(431)
            for side in ("AO", "BO"):
                assert sides[side] == {level["P"]: level["A"] for level in whole[side]}
                assert len(sides[side]) == 100
            assert int(whole["BO"][0]["P"]) < int(whole["AO"][0]["P"])

    asyncio.run(followed())


def test_the_ticker_repeats_itself_and_a_book_does_not() -> None:
    async def quiet() -> list[str]:
        async with FakeExchange(**FAST) as exchange, plain_socket(exchange.websocket_url) as socket:
            await socket.join("ticker", "BTCTRY")
            await socket.join("orderbook", "BTCTRY")
            await socket.join("obdiff", "BTCTRY")
            for kind in (431, 431, *[402] * 5):
                await socket.next(kind)
            return socket.texts

    texts = asyncio.run(quiet())
    tickers = [text for text in texts if text.startswith("[402,")]
    assert len(tickers) >= 5 and len(set(tickers)) == 1
    assert sum(text.startswith("[431,") for text in texts) == 2
    assert not any(text.startswith("[432,") for text in texts)
