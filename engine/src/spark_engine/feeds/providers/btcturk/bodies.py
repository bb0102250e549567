"""Bodies of BTCTurk's REST answers. An error may come with HTTP 200, and three hosts have three envelopes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from spark_engine.data.request import timeframe_ms
from spark_engine.feeds.market import UNKNOWN_SIDE, Candle, Instrument, MarketTick
from spark_engine.feeds.provider import History, Malformed, Ticks
from spark_engine.feeds.providers.bounds import Identity, Millis, Name, Scale, Seconds
from spark_engine.feeds.providers.btcturk.frames import in_order
from spark_engine.feeds.providers.btcturk.sides import REST_SIDES
from spark_engine.feeds.providers.decimals import rounded
from spark_engine.feeds.providers.listings import Listing
from spark_engine.feeds.providers.wire import decoded

T = TypeVar("T")


class Verdict(Struct, gc=False):
    """`code` is a number or a text, `message` null, empty, a code word or a sentence."""

    success: bool | None = None
    message: str | None = None
    code: int | str | None = None


class ServerTime(Struct, rename="camel", gc=False):
    server_time: Millis


class Pair(Struct, rename="camel", gc=False):
    """A symbol of exchangeinfo. Scales change over the years, so archives keep them with the data."""

    name: Name
    status: str
    numerator: Name
    denominator: Name
    numerator_scale: Scale
    denominator_scale: Scale


class Pairs(Struct):
    symbols: list[Pair]


class ExchangeInfo(Struct):
    data: Pairs


class RestTrade(Struct, gc=False):
    pair: str
    date: Millis
    tid: Identity
    price: str
    amount: str
    side: str | None = None


class RestTrades(Struct):
    data: list[RestTrade]


class Klines(Struct):
    """Parallel arrays: bar open in seconds, prices as floats, volume in base units."""

    s: str
    t: list[Seconds]
    o: list[Decimal]
    h: list[Decimal]
    l: list[Decimal]  # noqa: E741 - the venue's name
    c: list[Decimal]
    v: list[Decimal]


_verdict: Final = msgspec.json.Decoder(Verdict)
_server_time: Final = msgspec.json.Decoder(ServerTime)
_exchange_info: Final = msgspec.json.Decoder(ExchangeInfo)
_trades: Final = msgspec.json.Decoder(RestTrades, strict=False)
_klines: Final = msgspec.json.Decoder(Klines)


def server_time(body: bytes) -> int:
    """ms UTC."""
    return _accepted(_server_time, body).server_time


def instruments(body: bytes) -> Mapping[str, Instrument]:
    pairs = _accepted(_exchange_info, body).data.symbols
    return {
        pair.name: Instrument(
            symbol=pair.name,
            venue_symbol=pair.name,
            base=pair.numerator,
            quote=pair.denominator,
            price_scale=pair.denominator_scale,
            quantity_scale=pair.numerator_scale,
            trading=pair.status == "TRADING",
        )
        for pair in pairs
    }


def recent_ticks(listing: Listing, body: bytes) -> Ticks:
    """Oldest first, with the ids that the socket gives to the same trades."""
    return listing.read(_latest, _accepted(_trades, body))


def _latest(listing: Listing, answer: RestTrades) -> Ticks:
    ticks = sorted((_tick(listing, trade) for trade in answer.data), key=in_order)
    return Ticks(listing.instrument.symbol, tuple(ticks), snapshot=True, instrument=listing.instrument)


def _tick(listing: Listing, trade: RestTrade) -> MarketTick:
    if trade.pair != listing.instrument.venue_symbol:
        raise Malformed(f"a trade of {trade.pair:.40} in the answer for {listing.instrument.venue_symbol}")
    price, quantity = listing.price(trade.price), listing.quantity(trade.amount)
    if not price or not quantity:
        raise Malformed(f"trade {trade.tid} of price {trade.price:.40} and amount {trade.amount:.40}")
    side = REST_SIDES.get(trade.side or "", UNKNOWN_SIDE)
    return MarketTick(listing.instrument.symbol, trade.tid, trade.date, price, quantity, side)


def history(listing: Listing, timeframe: str, from_ms: int, to_ms: int, body: bytes) -> History:
    """Bars that open in [from_ms, to_ms). Prices carry the noise of 32-bit floats: rounded to the scales."""
    klines = _accepted(_klines, body)
    if klines.s != "ok":
        raise Malformed(f"status {klines.s!r:.40} instead of 'ok'")
    columns = (klines.o, klines.h, klines.l, klines.c, klines.v)
    if any(len(column) != len(klines.t) for column in columns):
        lengths = ", ".join(str(len(column)) for column in (klines.t, *columns))
        raise Malformed(f"arrays of unequal lengths: t, o, h, l, c, v have {lengths}")
    if any(after <= before for before, after in pairwise(klines.t)):
        raise Malformed("times that do not ascend")
    rows = zip(klines.t, *columns, strict=True)
    return History(
        tuple(
            _candle(listing, timeframe, seconds * 1000, prices, volume)
            for seconds, *prices, volume in rows
            if from_ms <= seconds * 1000 < to_ms
        )
    )


def _candle(listing: Listing, timeframe: str, ts_ms: int, prices: list[Decimal], volume: Decimal) -> Candle:
    instrument, scale = listing.instrument, listing.price_scale
    opened, high, low, close = (rounded(price, scale) for price in prices)
    if not 0 < low <= min(opened, close) or high < max(opened, close):
        raise Malformed(f"bar {ts_ms} with open {opened}, high {high}, low {low}, close {close}")
    step = timeframe_ms(timeframe)
    if not timeframe.endswith("w") and ts_ms % step:
        raise Malformed(f"bar {ts_ms} does not open on a multiple of {timeframe}")
    return Candle(
        symbol=instrument.symbol,
        timeframe=timeframe,
        ts_ms=ts_ms,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=rounded(volume, listing.quantity_scale),
        price_scale=scale,
        quantity_scale=listing.quantity_scale,
        source="history",
    )


def _accepted(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Raises `Malformed`, with the venue's words where it refuses."""
    verdict = decoded(_verdict, body)
    if verdict.success is False:
        raise Malformed(f"the venue says {verdict.message or 'no'!r:.200} (code {verdict.code!r:.40})")
    return decoded(decoder, body)
