"""Bodies of Binance's REST answers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from spark_engine.feeds.market import BUY, SELL, Candle, Instrument, MarketTick
from spark_engine.feeds.provider import History, Malformed, Ticks
from spark_engine.feeds.providers.bounds import Count, Millis, Name, Scale
from spark_engine.feeds.providers.decimals import decimals_of
from spark_engine.feeds.providers.listings import Listing
from spark_engine.feeds.providers.wire import decoded

T = TypeVar("T")


class Refusal(Struct, gc=False):
    code: int
    msg: str


class ServerTime(Struct, rename="camel", gc=False):
    server_time: Millis


class Filter(Struct, rename="camel", gc=False):
    filter_type: str = ""
    tick_size: str = "0"
    step_size: str = "0"


class Pair(Struct, rename="camel"):
    symbol: Name
    status: str
    base_asset: Name
    quote_asset: Name
    base_asset_precision: Scale
    quote_precision: Scale
    filters: list[Filter]


class ExchangeInfo(Struct):
    symbols: list[Pair]


class RestTrade(Struct, rename="camel", gc=False):
    id: Count
    price: str
    qty: str
    time: Millis
    is_buyer_maker: bool


# Open time, open, high, low, close, volume, close time, quote volume, number of trades, and three of no use.
Kline: TypeAlias = tuple[Millis, str, str, str, str, str, int, str, Count, str, str, str]

_refusal: Final = msgspec.json.Decoder(Refusal)
_server_time: Final = msgspec.json.Decoder(ServerTime)
_exchange_info: Final = msgspec.json.Decoder(ExchangeInfo)
_trades: Final = msgspec.json.Decoder(list[RestTrade])
_klines: Final = msgspec.json.Decoder(list[Kline])


def server_time(body: bytes) -> int:
    """ms UTC."""
    return _accepted(_server_time, body).server_time


def instruments(body: bytes) -> Mapping[str, Instrument]:
    return {pair.symbol: _instrument(pair) for pair in _accepted(_exchange_info, body).symbols}


def _instrument(pair: Pair) -> Instrument:
    steps = {each.filter_type: each for each in pair.filters}
    price, lot = steps.get("PRICE_FILTER"), steps.get("LOT_SIZE")
    return Instrument(
        symbol=pair.symbol,
        venue_symbol=pair.symbol,
        base=pair.base_asset,
        quote=pair.quote_asset,
        price_scale=_scale(price.tick_size if price else "0", pair.quote_precision),
        quantity_scale=_scale(lot.step_size if lot else "0", pair.base_asset_precision),
        trading=pair.status == "TRADING",
    )


def _scale(step: str, precision: int) -> int:
    """A step of 0 is a filter that is switched off."""
    return decimals_of(step) if step.strip("0.") else precision


def recent_ticks(listing: Listing, body: bytes) -> Ticks:
    """Oldest first, as the venue sends them."""
    return listing.read(_latest, _accepted(_trades, body))


def _latest(listing: Listing, trades: list[RestTrade]) -> Ticks:
    ticks = sorted((_tick(listing, trade) for trade in trades), key=lambda tick: (tick.ts_ms, int(tick.id)))
    return Ticks(listing.instrument.symbol, tuple(ticks), snapshot=True, instrument=listing.instrument)


def _tick(listing: Listing, trade: RestTrade) -> MarketTick:
    price, quantity = listing.price(trade.price), listing.quantity(trade.qty)
    if not price or not quantity:
        raise Malformed(f"trade {trade.id} of price {trade.price:.40} and quantity {trade.qty:.40}")
    side = SELL if trade.is_buyer_maker else BUY
    return MarketTick(listing.instrument.symbol, str(trade.id), trade.time, price, quantity, side)


def history(listing: Listing, timeframe: str, from_ms: int, to_ms: int, body: bytes) -> History:
    """Bars that open in [from_ms, to_ms), exact: where they need it, `listing` widens for the stream as well,
    since a feed takes all of a symbol at the scales that its history has shown. The flat rows that the venue
    writes where nobody traded are no bars."""
    klines = _accepted(_klines, body)
    if any(after[0] <= before[0] for before, after in pairwise(klines)):
        raise Malformed("times that do not ascend")
    asked = [kline for kline in klines if from_ms <= kline[0] < to_ms and _traded(kline)]
    return History(
        listing.read(lambda scaled, rows: tuple(_candle(scaled, timeframe, row) for row in rows), asked)
    )


def _traded(kline: Kline) -> bool:
    return kline[8] > 0 or kline[5].strip("0.") != ""


def _candle(listing: Listing, timeframe: str, kline: Kline) -> Candle:
    opened, high, low, close = (listing.price(text) for text in kline[1:5])
    if not 0 < low <= min(opened, close) or high < max(opened, close):
        raise Malformed(f"bar {kline[0]} with open {opened}, high {high}, low {low}, close {close}")
    return Candle(
        symbol=listing.instrument.symbol,
        timeframe=timeframe,
        ts_ms=kline[0],
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=listing.quantity(kline[5]),
        price_scale=listing.price_scale,
        quantity_scale=listing.quantity_scale,
        trades=kline[8],
        source="history",
    )


def _accepted(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Raises `Malformed`, with the venue's words where it refuses."""
    try:
        return decoded(decoder, body)
    except Malformed:
        refusal = _refused(body)
        if refusal is None:
            raise
        raise Malformed(f"the venue says {refusal.msg!r:.200} (code {refusal.code})") from None


def _refused(body: bytes) -> Refusal | None:
    try:
        return decoded(_refusal, body)
    except Malformed:
        return None
