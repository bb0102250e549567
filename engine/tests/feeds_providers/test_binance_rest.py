"""Binance's REST answers and the requests that ask for them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from spark_engine.errors import InvalidSpec
from spark_engine.feeds.market import BUY, SELL, Candle, Instrument, Interval, MarketTick
from spark_engine.feeds.pipeline.observer import Silent
from spark_engine.feeds.pipeline.rules import SymbolRules
from spark_engine.feeds.pipeline.symbol import SymbolFeed
from spark_engine.feeds.provider import Malformed, Rescaled, StreamProvider, Ticks
from spark_engine.feeds.providers.registry import stream_provider
from spark_engine.feeds.settings import Endpoints

Join = Callable[..., StreamProvider]
MINUTE = 60_000
PAIR = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "baseAssetPrecision": 8,
    "quoteAsset": "USDT",
    "quotePrecision": 8,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001000", "stepSize": "0.00001000"},
        {"filterType": "ICEBERG_PARTS", "limit": 10},
    ],
}
TRADES = (
    b'[{"id":28457,"price":"61685.99000000","qty":"12.00000000","quoteQty":"48.000012","time":1499865549590,'
    b'"isBuyerMaker":true,"isBestMatch":true},{"id":28458,"price":"61686.00000000","qty":"0.50000000",'
    b'"quoteQty":"2","time":1499865549590,"isBuyerMaker":false,"isBestMatch":true}]'
)


def kline(
    open_ms: int, close: str = "105.10", volume: str = "148976.11427815", trades: int = 308
) -> list[object]:
    row: list[object] = [
        open_ms,
        "100.00",
        "110.00",
        "90.50",
        close,
        volume,
        open_ms + MINUTE - 1,
        "2434.19",
        trades,
    ]
    return [*row, "1756.87", "28.46", "17928899.62"]


@pytest.fixture
def venue(join: Join) -> StreamProvider:
    return join("binance-spot", "BTCUSDT")


def test_the_server_time_is_in_milliseconds(venue: StreamProvider) -> None:
    assert venue.server_time().url == "https://api.binance.com/api/v3/time"
    assert venue.server_time().parse(b'{"serverTime":1499827319559}') == 1499827319559


def test_scales_are_those_of_the_steps(venue: StreamProvider) -> None:
    off = {"filterType": "PRICE_FILTER", "tickSize": "0.00000000"}
    without = {**PAIR, "symbol": "NEWUSDT", "status": "BREAK", "filters": [off]}
    found = venue.instruments().parse(json.dumps({"timezone": "UTC", "symbols": [PAIR, without]}).encode())
    assert found["BTCUSDT"] == Instrument(
        symbol="BTCUSDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_scale=2, quantity_scale=5
    )
    assert (found["NEWUSDT"].price_scale, found["NEWUSDT"].quantity_scale) == (8, 8)
    assert not found["NEWUSDT"].trading


def test_recent_trades_are_ticks(venue: StreamProvider) -> None:
    request = venue.recent_ticks("BTCUSDT")
    assert request.url == "https://api.binance.com/api/v3/trades"
    assert request.parameters == {"symbol": "BTCUSDT", "limit": "1000"}
    found = request.parse(TRADES)
    assert found.snapshot
    assert found.instrument is not None
    assert found.ticks == (
        MarketTick("BTCUSDT", "28457", 1499865549590, 6168599, 1200000000, SELL),
        MarketTick("BTCUSDT", "28458", 1499865549590, 6168600, 50000000, BUY),
    )


def test_candles_are_asked_for_up_to_but_without_the_end(venue: StreamProvider) -> None:
    request = venue.history("BTCUSDT", "1m", 0, 60 * MINUTE)
    assert request.url == "https://api.binance.com/api/v3/klines"
    assert request.parameters == {
        "symbol": "BTCUSDT",
        "interval": "1m",
        "startTime": "0",
        "endTime": "3599999",
        "limit": "1000",
    }


def test_candles_are_exact_and_know_their_trades(venue: StreamProvider) -> None:
    body = json.dumps([kline(0), kline(MINUTE), kline(2 * MINUTE)]).encode()
    candles = venue.history("BTCUSDT", "1m", 0, 2 * MINUTE).parse(body).candles
    assert [bar.ts_ms for bar in candles] == [0, MINUTE]
    assert candles[0] == Candle(
        symbol="BTCUSDT",
        timeframe="1m",
        ts_ms=0,
        open=10000,
        high=11000,
        low=9050,
        close=10510,
        volume=14897611427815,
        price_scale=2,
        quantity_scale=8,
        trades=308,
        source="history",
    )


def test_minutes_without_trades_are_no_candles(venue: StreamProvider) -> None:
    """As of a halt, on 2023-03-24: the last price four times, and nothing else."""
    still = [MINUTE, *["28080.00000000"] * 4, "0.00000000", 2 * MINUTE - 1, "0.00000000", 0, "0", "0", "0"]
    unsure = kline(2 * MINUTE, trades=0)
    candles = venue.history("BTCUSDT", "1m", 0, 3 * MINUTE).parse(
        json.dumps([kline(0), still, unsure]).encode()
    )
    assert [bar.ts_ms for bar in candles.candles] == [0, 2 * MINUTE]


def test_finer_candles_widen_the_stream_as_well(venue: StreamProvider) -> None:
    body = json.dumps([kline(0), kline(MINUTE, close="105.125")]).encode()
    candles = venue.history("BTCUSDT", "1m", 0, 2 * MINUTE).parse(body).candles
    assert [(bar.close, bar.price_scale) for bar in candles] == [(105100, 3), (105125, 3)]
    frame = '{"stream":"btcusdt@bookTicker","data":{"s":"BTCUSDT","b":"1.00","B":"1","a":"2.00","A":"1"}}'
    rescaled, _ = venue.decode(frame)
    assert isinstance(rescaled, Rescaled)
    assert (rescaled.instrument.price_scale, rescaled.instrument.quantity_scale) == (3, 8)


def test_a_trade_after_finer_history_keeps_its_price(venue: StreamProvider) -> None:
    listed = venue.recent_ticks("BTCUSDT").parse(TRADES).instrument
    assert listed is not None
    feed = SymbolFeed(listed, SymbolRules(("1m",), 0, 0, sequential=True, snapshot_most=1000), Silent())
    feed.joined(Ticks("BTCUSDT", (), snapshot=True), 0)
    page = venue.history("BTCUSDT", "1m", 0, MINUTE).parse(json.dumps([kline(0, close="105.125")]).encode())
    feed.filled(Interval(0, MINUTE), page.candles, 2 * MINUTE)
    trade = (
        '{"stream":"btcusdt@trade","data":{"s":"BTCUSDT","t":7,"p":"105.50000000","q":"1.00000000",'
        '"T":120000,"m":false}}'
    )
    for message in venue.decode(trade):
        if isinstance(message, Rescaled):
            feed.rescaled(message.instrument)
        elif isinstance(message, Ticks):
            feed.streamed(message, 2 * MINUTE)
    batch = feed.take()
    assert [tick.price / 10**batch.instrument.price_scale for tick in batch.ticks] == [105.5]
    assert venue.recent_ticks("BTCUSDT").parse(TRADES).instrument == batch.instrument


@pytest.mark.parametrize(
    "rows",
    [
        [kline(MINUTE), kline(0)],
        [kline(0), kline(0)],
        [kline(0)[:8]],
        [kline(0, close="111.00")],
        [kline(0, close="90.00")],
        [kline(0, close="-1")],
        [kline(0, volume="NaN")],
        {"bars": []},
    ],
)
def test_corrupt_candles_are_malformed(venue: StreamProvider, rows: object) -> None:
    with pytest.raises(Malformed):
        venue.history("BTCUSDT", "1m", 0, 10 * MINUTE).parse(json.dumps(rows).encode())


@pytest.mark.parametrize("ask", ["server_time", "instruments", "recent_ticks", "history"])
def test_a_refusal_is_malformed_with_the_words_of_the_venue(venue: StreamProvider, ask: str) -> None:
    arguments = {"recent_ticks": ("BTCUSDT",), "history": ("BTCUSDT", "1m", 0, MINUTE)}.get(ask, ())
    request = getattr(venue, ask)(*arguments)
    with pytest.raises(Malformed, match=r"Invalid symbol.*-1121"):
        request.parse(b'{"code":-1121,"msg":"Invalid symbol."}')
    for body in (b"", b"<html>", b"[" * 100_000, b"\xff", b"null", b"[1]"):
        with pytest.raises(Malformed):
            request.parse(body)


def test_an_unknown_symbol_or_timeframe_names_its_field(venue: StreamProvider) -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.symbols: binance-spot has no instrument 'NOPE'"):
        venue.history("NOPE", "1m", 0, MINUTE)
    with pytest.raises(InvalidSpec, match=r"spec\.timeframes: must be one of 1m, .*; is '7m'"):
        venue.history("BTCUSDT", "7m", 0, MINUTE)


def test_addresses_can_be_others() -> None:
    endpoints = Endpoints(websocket="ws://127.0.0.1:1/stream", rest="http://127.0.0.1:2/")
    venue = stream_provider("binance-spot", endpoints)
    assert venue.websocket_url([]) == "ws://127.0.0.1:1/stream"
    assert venue.server_time().url == "http://127.0.0.1:2/api/v3/time"


@pytest.mark.parametrize("name", ["binance", "", "BTCTURK-SPOT"])
def test_an_unknown_provider_says_which_there_are(name: str) -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.provider: must be one of binance-spot, btcturk-spot; is"):
        stream_provider(name)


@pytest.mark.parametrize("name", ["binance-spot", "btcturk-spot"])
def test_a_provider_goes_by_the_name_it_was_asked_for(name: str) -> None:
    assert stream_provider(name).name == name
