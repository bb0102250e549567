"""Frames of Binance's combined streams, `{"stream":…,"data":…}`, and what they say."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from spark_engine.feeds.market import BUY, SELL, MarketTick, Quote
from spark_engine.feeds.provider import Book, Malformed, Quoted, Ticks
from spark_engine.feeds.providers.bounds import Count, Millis, Name
from spark_engine.feeds.providers.listings import Listing


class Refusal(Struct, gc=False):
    code: int = 0
    msg: str = ""


class Envelope(Struct):
    """An event has `stream` and `data`; the answer to a request has `id`, and `error` if it was refused."""

    stream: str = ""
    data: Raw = Raw()
    id: int | None = None
    error: Refusal | None = None
    code: int | None = None
    msg: str = ""


class Trade(Struct, gc=False):
    """`m`: the buyer was the maker. `t` rises by one a trade of the symbol."""

    symbol: Name = field(name="s")
    id: Count = field(name="t")
    price: str = field(name="p")
    quantity: str = field(name="q")
    time: Millis = field(name="T")
    buyer_is_maker: bool = field(name="m")


class BookTicker(Struct, gc=False):
    """The spot market sends no time with it."""

    symbol: Name = field(name="s")
    bid: str = field(name="b")
    bid_quantity: str = field(name="B")
    ask: str = field(name="a")
    ask_quantity: str = field(name="A")
    time: Millis | None = field(name="T", default=None)


class BookChange(Struct, gc=False):
    """Updates `first` to `last` of the book."""

    symbol: Name = field(name="s")
    first: Count = field(name="U")
    last: Count = field(name="u")


class BestLevels(Struct):
    """The best 20 levels a side. It names no symbol; only its stream does."""

    sequence: Count = field(name="lastUpdateId")
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


envelope: Final = msgspec.json.Decoder(Envelope).decode
trade: Final = msgspec.json.Decoder(Trade).decode
book_ticker: Final = msgspec.json.Decoder(BookTicker).decode
book_change: Final = msgspec.json.Decoder(BookChange).decode
best_levels: Final = msgspec.json.Decoder(BestLevels).decode


def traded(listing: Listing, frame: Trade) -> Ticks:
    price, quantity = listing.price(frame.price), listing.quantity(frame.quantity)
    if not price or not quantity:
        raise Malformed(f"trade {frame.id} of price {frame.price:.40} and quantity {frame.quantity:.40}")
    symbol, side = listing.instrument.symbol, SELL if frame.buyer_is_maker else BUY
    return Ticks(symbol, (MarketTick(symbol, str(frame.id), frame.time, price, quantity, side),))


def quoted(listing: Listing, frame: BookTicker) -> Quoted:
    """A price of 0 is an empty side."""
    price, quantity = listing.price, listing.quantity
    return Quoted(
        Quote(
            listing.instrument.symbol,
            price(frame.bid) or None,
            price(frame.ask) or None,
            quantity(frame.bid_quantity),
            quantity(frame.ask_quantity),
            None,
            frame.time,
        )
    )


def best(listing: Listing, frame: BestLevels) -> Book:
    bid, bid_quantity = _level(listing, frame.bids)
    ask, ask_quantity = _level(listing, frame.asks)
    quote = Quote(listing.instrument.symbol, bid, ask, bid_quantity, ask_quantity)
    return Book(listing.instrument.symbol, "orderbook", frame.sequence, True, quote)


def _level(listing: Listing, levels: list[tuple[str, str]]) -> tuple[int | None, int | None]:
    if not levels:
        return None, None
    price, quantity = levels[0]
    return listing.price(price), listing.quantity(quantity)


class BookChain:
    """Messages counted where the venue counts updates: a count of one more means that none is missing.

    The first message after joining starts the count; one whose updates do not join on skips a number.
    """

    __slots__ = ("_count", "_last")

    def __init__(self) -> None:
        self._last: int | None = None
        self._count = 0

    def changed(self, listing: Listing, frame: BookChange) -> Book:
        if frame.first > frame.last:
            raise Malformed(f"updates from {frame.first} to {frame.last}")
        first = self._last is None
        if self._last is None or frame.last > self._last:
            follows = self._last is None or frame.first <= self._last + 1
            self._count += 0 if first else 1 if follows else 2
            self._last = frame.last
        return Book(listing.instrument.symbol, "obdiff", self._count, first)
