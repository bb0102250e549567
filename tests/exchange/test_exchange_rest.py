"""REST bodies, quirks and limits against what others captured of the venue."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from tests.exchange import Activity, Clock, FakeExchange
from tests.exchange.conftest import Captured, shape
from tests.exchange.plain import Got, get

AT = datetime(2026, 9, 23, 3, 20, 30, tzinfo=UTC)
BUSY = {"symbols": ("BTCTRY", "ETHTRY", "USDTTRY"), "history_minutes": 8}


def ask(*paths: str, clock: Clock | None = None, **options: object) -> list[Got]:
    """Of an exchange whose clock stands still, with eight minutes of history."""

    async def asked() -> list[Got]:
        standing = clock or Clock(at=AT, manual=True)
        async with FakeExchange(clock=standing, **{**BUSY, **options}) as exchange:
            return [await get(exchange.rest_url + path) for path in paths]

    return asyncio.run(asked())


def path_of(captured: Captured, name: str) -> str:
    parts = urlsplit(captured[name]["request"].split(" ")[1])
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@pytest.mark.parametrize(
    "name",
    ["ping", "ticker unknown pair", "orderbook unknown pair", "orderbook without pair", "unknown path"],
)
def test_what_does_not_depend_on_the_market_is_the_captured_text(captured: Captured, name: str) -> None:
    [got] = ask(path_of(captured, name))
    assert (got.status, got.text) == (captured[name]["status"], captured[name]["body"])


@pytest.mark.parametrize("name", ["server time", "ticker one pair", "orderbook", "trades"])
def test_names_their_order_and_types_are_the_captured_ones(captured: Captured, name: str) -> None:
    [got] = ask(path_of(captured, name))
    assert shape(got.json()) == shape(json.loads(captured[name]["body"]))


def test_bars_have_the_captured_shape(captured: Captured) -> None:
    end = int(AT.timestamp())
    history, daily = ask(
        f"/v1/klines/history?symbol=BTCTRY&resolution=60&from={end - 7200}&to={end}",
        "/v1/ohlcs?pair=BTCTRY&from=0&to=9999999999",
    )
    assert shape(history.json()) == shape(json.loads(captured["klines"]["body"]))
    assert shape(daily.json()) == shape(json.loads(captured["ohlcs (daily only)"]["body"]))
    assert all(isinstance(price, float) for price in history.json()["c"])
    assert daily.json()[0]["time"] % 86_400 == 0


def test_over_the_limit_the_answer_is_the_documented_text(captured: Captured) -> None:
    expected = captured["rate limited"]
    *_, refused = ask(*["/v1/ohlcs?pair=BTCTRY"] * 121)
    assert (refused.status, refused.text) == (expected["status"], expected["body"])
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_server_time_tells_milliseconds_rounded_and_text_with_seven_decimals() -> None:
    at = datetime(2026, 9, 23, 3, 20, 0, 26_805, tzinfo=UTC)
    [got] = ask("/api/v2/server/time", clock=Clock(at=at, manual=True))
    told = '{"serverTime":1790133600027,"serverTime2":"2026-09-23T03:20:00.0268050+00:00"}'
    assert got.text == told


def test_a_pair_may_be_spelt_in_any_case_and_with_a_line() -> None:
    for got in ask("/api/v2/ticker?pairSymbol=btc_try", "/api/v2/trades?pairSymbol=BTC_TRY&last=1"):
        assert [row["pair"] for row in got.json()["data"]] == ["BTCTRY"]


def test_codes_and_numbers_are_spelt_as_each_endpoint_does() -> None:
    book, trades, ticker, information = (
        got.json()
        for got in ask(
            "/api/v2/orderbook?pairSymbol=BTCTRY&limit=500",
            "/api/v2/trades?pairSymbol=BTCTRY&last=1000",
            "/api/v2/ticker",
            "/api/v2/server/exchangeinfo",
        )
    )
    assert book["code"] == "SUCCESS"
    assert [trades["code"], ticker["code"], information["code"]] == [0, 0, 0]
    assert {type(value) for level in book["data"]["bids"] for value in level} == {str}
    assert len(book["data"]["bids"]) == len(book["data"]["asks"]) == 100
    assert len(trades["data"]) == 50
    assert [row["pair"] for row in ticker["data"]] == ["BTCTRY", "ETHTRY", "USDTTRY"]
    assert {row["status"] for row in information["data"]["symbols"]} == {"TRADING"}


def test_trades_are_the_ledgers_newest_first_with_their_exact_numbers() -> None:
    async def asked() -> None:
        async with FakeExchange(clock=Clock(at=AT, manual=True), **BUSY) as exchange:
            rows = (await get(exchange.rest_url + "/api/v2/trades?pairSymbol=BTCTRY&last=50")).json()["data"]
            newest = exchange.ledger.latest("BTCTRY", 50)
            assert [row["tid"] for row in rows] == [trade.id for trade in newest]
            assert [row["date"] for row in rows] == [trade.time_ms for trade in newest]
            assert [float(row["amount"]) for row in rows] == [float(trade.amount) for trade in newest]
            sides = {trade.side: row["side"] for trade, row in zip(newest, rows, strict=True)}
            assert sides == {0: "sell", 1: "buy"}

    asyncio.run(asked())


def test_a_quiet_minute_has_no_bar_and_the_last_bar_is_still_forming() -> None:
    async def asked() -> None:
        clock = Clock(at=datetime(2026, 9, 23, 3, 20, tzinfo=UTC), manual=True)
        async with FakeExchange(("BTCTRY",), clock=clock, activity=Activity(0)) as exchange:
            first = clock.now_ms() // 1000
            await exchange.trade("BTCTRY", "3765490", "0.5")
            await exchange.advance(121)
            await exchange.trade("BTCTRY", "3765500", "0.25")
            span = f"from={first}&to={first + 180}"
            url = f"{exchange.rest_url}/v1/klines/history?symbol=BTCTRY&resolution=1&{span}"
            forming = (await get(url)).json()
            assert forming["t"] == [first, first + 120]
            await exchange.trade("BTCTRY", "3765400", "0.25")
            formed = (await get(url)).json()
            assert (forming["c"][-1], formed["c"][-1]) == (3765500.0, 3765400.0)
            assert (formed["h"][-1], formed["l"][-1], formed["v"][-1]) == (3765500.0, 3765400.0, 0.5)

    asyncio.run(asked())


def test_bars_may_carry_the_noise_of_a_32_bit_float() -> None:
    async def asked() -> list[float]:
        clock = Clock(at=AT, manual=True)
        async with FakeExchange(("BATTRY",), clock=clock, float_noise=True) as exchange:
            for price in ("6.023", "6.008", "6.019"):
                await exchange.trade("BATTRY", price)
                clock.step(60_000)
            query = "/v1/klines/history?symbol=BATTRY&resolution=1&from=0&to=9999999999"
            closes: list[float] = (await get(exchange.rest_url + query)).json()["c"]
            return closes

    assert asyncio.run(asked()) == [6.0229997634888, 6.0079998970032, 6.0190000534058]


@pytest.mark.parametrize(
    "query",
    [
        "symbol=BTCTRY&resolution=1&from=-5&to=9",
        "symbol=BTCTRY&resolution=soon&from=1&to=9",
        "resolution=1&from=1&to=9",
        "symbol=BTCTRY&resolution=1&from=1",
    ],
)
def test_a_senseless_request_for_bars_is_refused_with_400(query: str) -> None:
    [got] = ask(f"/v1/klines/history?{query}")
    assert (got.status, got.json()["message"]) == (400, "INVALID_REQUEST_ERROR")


def test_bars_of_an_unknown_pair_or_an_empty_range_are_empty_arrays() -> None:
    for got in ask(
        "/v1/klines/history?symbol=NOPETRY&resolution=1&from=1&to=9999999999",
        "/v1/klines/history?symbol=BTCTRY&resolution=1&from=1&to=9",
    ):
        assert got.json() == {"s": "ok", "t": [], "h": [], "o": [], "l": [], "c": [], "v": []}


def test_the_graph_host_blocks_for_as_long_as_its_period() -> None:
    async def asked() -> float:
        async with FakeExchange(period_scale=0.004, live=False) as exchange:
            path = exchange.rest_url + "/v1/klines/history?symbol=BTCTRY&resolution=1&from=1&to=9"
            began = time.monotonic()
            exchange.rest.graph_limiter.refuse()
            for _ in range(599):
                exchange.rest.graph_limiter.refuse()
            refused = await get(path)
            assert (refused.status, refused.json()["period"], refused.json()["limit"]) == (429, "10m", "600")
            assert (await get(exchange.rest_url + "/api/v2/trades?pairSymbol=BTCTRY")).status == 200
            while (await get(path)).status == 429:
                await asyncio.sleep(0.05)
            return time.monotonic() - began

    assert asyncio.run(asked()) >= 2.35  # ten minutes, scaled


def limited(paths: Sequence[str], most: int) -> list[int]:
    return [got.status for got in ask(*(paths[number % len(paths)] for number in range(most + 1)))]


def test_each_endpoint_has_a_limit_of_its_own() -> None:
    assert limited(["/api/v2/trades?pairSymbol=BTCTRY&last=1"], 90) == [200] * 90 + [429]


def test_the_information_of_the_exchange_is_kept_at_the_edge() -> None:
    async def asked() -> list[int]:
        clock = Clock(at=AT, manual=True)
        found = []
        for seconds in (30.0, 0.0):
            async with FakeExchange(("BTCTRY",), clock=clock, edge_cache_seconds=seconds) as exchange:
                for _ in range(2):
                    got = (await get(exchange.rest_url + "/api/v2/server/exchangeinfo")).json()
                    found.append(got["data"]["serverTime"])
                    clock.step(1000)
        return found

    first, kept, fresh, later = asyncio.run(asked())
    assert kept == first
    assert later == fresh + 1000
