"""BTCTurk's REST answers with all their quirks, and the requests that ask for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spark_engine.errors import InvalidSpec
from spark_engine.feeds.market import BUY, SELL, UNKNOWN_SIDE, Candle, Instrument, MarketTick
from spark_engine.feeds.provider import History, Malformed, Rescaled, StreamProvider, Ticks
from spark_engine.feeds.providers.registry import stream_provider
from spark_engine.feeds.settings import Endpoints

Join = Callable[..., StreamProvider]
HOUR = 3_600_000
KLINES = (
    b'{"s":"ok","t":[1787684400,1787688000,1787691600],"h":[3809691.0,3796611.0,3766118.0],'
    b'"o":[3802189.0,3796611.0,3761019.0],"l":[3787859.0,3760727.0,3756760.0],'
    b'"c":[3796125.0,3761074.0,3766118.0],"v":[0.54581564,0.61832473,0.13949894]}'
)
TRADES = (
    b'{"data":[{"pair":"BTCTRY","pairNormalized":"BTC_TRY","numerator":"BTC","denominator":"TRY",'
    b'"date":1618828421497,"tid":"637544252214980918","price":"462585.00","amount":"0.01618411","side":"sell"},'
    b'{"pair":"BTCTRY","pairNormalized":"BTC_TRY","numerator":"BTC","denominator":"TRY",'
    b'"date":1618828421000,"tid":"637544252214980917","price":"462584.00","amount":"0.00000001","side":"buy"}],'
    b'"success":true,"message":null,"code":0}'
)
PAIR = {
    "id": 1,
    "name": "BTCTRY",
    "nameNormalized": "BTC_TRY",
    "status": "TRADING",
    "numerator": "BTC",
    "denominator": "TRY",
    "numeratorScale": 8,
    "denominatorScale": 0,
    "hasFraction": False,
    "filters": [{"filterType": "PRICE_FILTER", "minPrice": "0.1", "tickSize": "10"}],
    "orderMethods": ["MARKET", "LIMIT"],
}


@pytest.fixture
def venue(join: Join) -> StreamProvider:
    return join("btcturk-spot", "BTCTRY")


def bars(
    venue: StreamProvider, body: bytes, timeframe: str = "1h", from_ms: int = 0, to_ms: int = 10**15
) -> Any:
    return venue.history("BTCTRY", timeframe, from_ms, to_ms).parse(body).candles


def test_the_server_time_has_no_envelope(venue: StreamProvider) -> None:
    request = venue.server_time()
    assert request.url == "https://api.btcturk.com/api/v2/server/time"
    body = b'{"serverTime":1790133600027,"serverTime2":"2026-09-23T03:20:00.0268053+00:00"}'
    assert request.parse(body) == 1790133600027


def test_instruments_have_the_scales_of_exchange_info(venue: StreamProvider) -> None:
    request = venue.instruments()
    halted = {**PAIR, "name": "ADATRY", "numerator": "ADA", "numeratorScale": 4, "denominatorScale": 3}
    body = {"data": {"timeZone": "UTC", "symbols": [PAIR, {**halted, "status": "BREAK"}], "currencies": []}}
    found = request.parse(json.dumps({**body, "success": True, "message": None, "code": 0}).encode())
    assert request.url == "https://api.btcturk.com/api/v2/server/exchangeinfo"
    assert list(found) == ["BTCTRY", "ADATRY"]
    assert found["BTCTRY"] == Instrument(
        symbol="BTCTRY", venue_symbol="BTCTRY", base="BTC", quote="TRY", price_scale=0, quantity_scale=8
    )
    assert (found["ADATRY"].price_scale, found["ADATRY"].quantity_scale) == (3, 4)
    assert not found["ADATRY"].trading


def test_recent_trades_come_oldest_first_in_the_scales_they_name(venue: StreamProvider) -> None:
    request = venue.recent_ticks("BTCTRY")
    assert request.url == "https://api.btcturk.com/api/v2/trades"
    assert request.parameters == {"pairSymbol": "BTCTRY", "last": "50"}
    found = request.parse(TRADES)
    assert found.ticks == (
        MarketTick("BTCTRY", "637544252214980917", 1618828421000, 462584, 1, BUY),
        MarketTick("BTCTRY", "637544252214980918", 1618828421497, 462585, 1618411, SELL),
    )
    assert found.snapshot
    assert found.instrument is not None
    assert (found.instrument.price_scale, found.instrument.quantity_scale) == (0, 8)


def test_a_trade_is_the_same_whichever_way_it_came(venue: StreamProvider) -> None:
    rest = venue.recent_ticks("BTCTRY").parse(TRADES).ticks[1]
    frame = (
        '[422,{"D":"1618828421497","I":"637544252214980918","A":"0.0161841100","P":"462585.0000000000",'
        '"PS":"BTCTRY","S":0,"channel":"trade","event":"BTCTRY","type":422}]'
    )
    (ticks,) = venue.decode(frame)
    assert isinstance(ticks, Ticks)
    assert ticks.ticks == (rest,)


def test_a_side_that_is_no_word_of_the_venue_is_not_known(venue: StreamProvider) -> None:
    found = venue.recent_ticks("BTCTRY").parse(TRADES.replace(b'"sell"', b'"ask"').replace(b'"buy"', b"null"))
    assert [tick.side for tick in found.ticks] == [UNKNOWN_SIDE, UNKNOWN_SIDE]


def test_finer_recent_trades_widen_the_stream_as_well(venue: StreamProvider) -> None:
    found = venue.recent_ticks("BTCTRY").parse(TRADES.replace(b"0.01618411", b"0.0161841155"))
    assert found.instrument is not None
    assert found.instrument.quantity_scale == 10
    assert [tick.quantity for tick in found.ticks] == [100, 161841155]
    ticker = '[402,{"B":"1","A":"2","BA":"0.5","AA":"0.5","PS":"BTCTRY","event":"BTCTRY"}]'
    rescaled, _ = venue.decode(ticker)
    assert rescaled == Rescaled(found.instrument)
    assert len(venue.decode(ticker)) == 1


def test_trades_of_another_pair_are_malformed(venue: StreamProvider) -> None:
    with pytest.raises(Malformed, match="ETHTRY"):
        venue.recent_ticks("BTCTRY").parse(TRADES.replace(b'"pair":"BTCTRY"', b'"pair":"ETHTRY"'))


def test_candles_are_asked_for_in_seconds_on_bar_boundaries(venue: StreamProvider) -> None:
    request = venue.history("BTCTRY", "1h", 10 * HOUR - 5, 12 * HOUR)
    assert request.url == "https://graph-api.btcturk.com/v1/klines/history"
    assert request.parameters == {"symbol": "BTCTRY", "resolution": "60", "from": "36000", "to": "43200"}
    late = venue.history("BTCTRY", "1h", 10 * HOUR + 1, 12 * HOUR + 1)
    assert (late.parameters["from"], late.parameters["to"]) == ("39600", "46800")
    assert venue.history("BTCTRY", "1h", -5 * HOUR, 0).parameters["from"] == "0"


def test_weeks_begin_on_mondays(venue: StreamProvider) -> None:
    monday, week = 4 * 24 * HOUR, 7 * 24 * HOUR
    request = venue.history("BTCTRY", "1w", monday + 1, monday + 2 * week)
    assert request.parameters["from"] == str((monday + week) // 1000)
    assert request.parameters["to"] == str((monday + 2 * week) // 1000)


@pytest.mark.parametrize(
    ("timeframe", "resolution"),
    [
        ("1m", "1"),
        ("5m", "5"),
        ("15m", "15"),
        ("30m", "30"),
        ("1h", "60"),
        ("4h", "240"),
        ("1d", "1D"),
        ("1w", "1W"),
    ],
)
def test_every_timeframe_has_the_resolution_of_the_venue(
    venue: StreamProvider, timeframe: str, resolution: str
) -> None:
    assert venue.history("BTCTRY", timeframe, 0, HOUR).parameters["resolution"] == resolution


def test_candles_come_oldest_first_and_say_that_they_are_history(venue: StreamProvider) -> None:
    first, *_, last = bars(venue, KLINES)
    assert first == Candle(
        symbol="BTCTRY",
        timeframe="1h",
        ts_ms=1787684400000,
        open=3802189,
        high=3809691,
        low=3787859,
        close=3796125,
        volume=54581564,
        price_scale=0,
        quantity_scale=8,
        source="history",
    )
    assert last.ts_ms == 1787691600000


def test_candles_outside_of_what_was_asked_are_left_out(venue: StreamProvider) -> None:
    found = bars(venue, KLINES, from_ms=1787684400001, to_ms=1787691600000)
    assert [bar.ts_ms for bar in found] == [1787688000000]


def test_the_noise_of_floats_is_rounded_away(join: Join) -> None:
    venue = join("btcturk-spot", "ADATRY")
    body = (
        b'{"s":"ok","t":[60,240],"o":[6.0229997634888,6.0079998970032],"h":[6.0229997634888,6.0079998970032],'
        b'"l":[6.0229997634888,6.0079998970032],"c":[6.0229997634888,6.0079998970032],"v":[1.1,12.00004999]}'
    )
    found = venue.history("ADATRY", "1m", 0, HOUR).parse(body).candles
    assert [(bar.close, bar.volume) for bar in found] == [(6023, 11000), (6008, 120000)]


def test_minutes_without_trades_are_simply_absent(venue: StreamProvider) -> None:
    assert venue.history("BTCTRY", "1m", 0, HOUR).parse(
        b'{"s":"ok","t":[],"h":[],"o":[],"l":[],"c":[],"v":[]}'
    ) == History(())


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b'"v":[0.54581564,', b'"v":[', "unequal lengths"),
        (b',"v":[0.54581564,0.61832473,0.13949894]', b"", "missing required field `v`"),
        (b'"s":"ok"', b'"s":"no_data"', "status 'no_data'"),
        (b"1787688000", b"1787684400", "do not ascend"),
        (b"1787688000", b"1787688001", "multiple of 1h"),
        (b"3809691.0", b"1.0", "high 1,"),
        (b"3787859.0", b"0", "low 0,"),
        (b"3787859.0", b"-1", "no price"),
        (b"3787859.0", b"1e999999", "no price"),
        (b"0.54581564", b"1e99999999999999999999", None),
        (b"3787859.0", b"NaN", "malformed"),
        (b"3787859.0", b"null", "Expected"),
    ],
)
def test_corrupt_candles_are_malformed(
    venue: StreamProvider, before: bytes, after: bytes, words: str | None
) -> None:
    assert before in KLINES
    with pytest.raises(Malformed, match=words):
        bars(venue, KLINES.replace(before, after))


@pytest.mark.parametrize("ask", ["server_time", "instruments", "recent_ticks", "history"])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"success":false,"message":"Pair NOPEUSDT does not exists.","code":1037}', "NOPEUSDT.*1037"),
        (
            b'{"data":null,"success":false,"message":"SYSTEM_ERROR","code":1000,"extensions":null}',
            "SYSTEM_ERROR.*1000",
        ),
        (b'{"success":false,"message":null,"code":"ERROR"}', "'no'.*ERROR"),
        (b'{"data":null,"success":true,"message":null,"code":0}', None),
        (b"<html><body>503</body></html>", "malformed"),
        (b"", "truncated"),
        (b"[]", "Expected `object`"),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
        (b'{"data":' + b"[" * 100_000, None),
    ],
)
def test_a_refusal_with_status_200_is_malformed_with_the_words_of_the_venue(
    venue: StreamProvider, ask: str, body: bytes, words: str | None
) -> None:
    arguments = {"recent_ticks": ("BTCTRY",), "history": ("BTCTRY", "1m", 0, HOUR)}.get(ask, ())
    with pytest.raises(Malformed, match=words):
        getattr(venue, ask)(*arguments).parse(body)


def test_an_unknown_symbol_or_timeframe_names_its_field(venue: StreamProvider) -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.symbols: btcturk-spot has no instrument 'NOPETRY'"):
        venue.recent_ticks("NOPETRY")
    with pytest.raises(InvalidSpec, match=r"spec\.timeframes: must be one of 1m, 5m, .*; is '2m'"):
        venue.history("BTCTRY", "2m", 0, HOUR)


def test_addresses_can_be_others() -> None:
    endpoints = Endpoints(
        websocket="ws://127.0.0.1:1/", rest="http://127.0.0.1:2/", history="http://127.0.0.1:3"
    )
    venue = stream_provider("btcturk-spot", endpoints)
    assert venue.websocket_url([]) == "ws://127.0.0.1:1/"
    assert venue.server_time().url == "http://127.0.0.1:2/api/v2/server/time"
    venue.use({})
    assert stream_provider("btcturk-spot").websocket_url([]) == "wss://ws-feed-pro.btcturk.com/"


def test_requests_stay_below_what_the_venue_allows(venue: StreamProvider) -> None:
    trades, graph = venue.recent_ticks("BTCTRY").limit, venue.history("BTCTRY", "1m", 0, HOUR).limit
    assert (trades.requests < 90, trades.seconds, trades.block_seconds) == (True, 60, 60)
    assert (graph.requests < 600, graph.seconds, graph.block_seconds) == (True, 600, 600)
    assert venue.connections_per_minute == 10


def test_every_collected_body_is_read(venue: StreamProvider, market_data: Callable[[str], Path]) -> None:
    lines = [json.loads(line) for line in market_data("btcturk_frames.jsonl").read_text().splitlines()[1:]]
    bodies = {line["name"]: line["body"].encode() for line in lines if line["transport"] == "rest"}
    assert venue.server_time().parse(bodies["server time"]) == 1790133600027
    assert len(venue.recent_ticks("BTCTRY").parse(bodies["trades"]).ticks) == 1
    assert len(bars(venue, bodies["klines"])) == 3
    with pytest.raises(Malformed):  # closes only
        bars(venue, bodies["klines float noise"])
    for name in ("orderbook unknown pair", "orderbook without pair", "system error", "rate limited"):
        with pytest.raises(Malformed, match="the venue says"):
            venue.instruments().parse(bodies[name])
