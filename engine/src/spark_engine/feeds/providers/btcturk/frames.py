"""Frames of BTCTurk's socket, `[type, {model}]`, and what they say. Fields of no use here are not decoded."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct, field

from spark_engine.feeds.market import UNKNOWN_SIDE, MarketTick, Quote
from spark_engine.feeds.provider import Book, Malformed, Quoted, Ticks
from spark_engine.feeds.providers.bounds import Count, Identity, Millis, Name
from spark_engine.feeds.providers.btcturk.sides import SOCKET_SIDES
from spark_engine.feeds.providers.listings import Listing


class Result(Struct, gc=False):
    """100: the answer to a join or leave. `message`: `join|trade:BTCTRY`."""

    ok: bool
    message: str


class Welcome(Struct, gc=False):
    """991: the first frame on every socket."""

    current: str = ""
    min: str = ""


class OfPair(Struct, gc=False, kw_only=True):
    """`event` repeats the pair; only the items of 401 have none."""

    pair: Name = field(name="PS")
    event: str = ""


class Ticker(OfPair, gc=False, kw_only=True):
    """402, and an item of 401. Prices and amounts are decimal strings."""

    bid: str | None = field(name="B", default=None)
    ask: str | None = field(name="A", default=None)
    bid_amount: str | None = field(name="BA", default=None)
    ask_amount: str | None = field(name="AA", default=None)
    last: str | None = field(name="LA", default=None)


class Tickers(Struct):
    """401: the tickers of all pairs."""

    items: list[Ticker]


class Trade(OfPair, gc=False, kw_only=True):
    """422. `D` is ms in a string, though the documentation says number."""

    id: Identity = field(name="I")
    time: Millis = field(name="D")
    price: str = field(name="P")
    amount: str = field(name="A")
    side: int = field(name="S", default=-1)


class TradeItem(Struct, gc=False):
    id: Identity = field(name="I")
    time: Millis = field(name="D")
    price: str = field(name="P")
    amount: str = field(name="A")
    side: int = field(name="S", default=-1)


class Trades(OfPair, kw_only=True):
    """421: the latest trades, on joining. The pair is in `symbol` here."""

    pair: Name = field(name="symbol")
    items: list[TradeItem]


class Level(Struct, gc=False):
    price: str = field(name="P")
    amount: str = field(name="A")


class FullBook(OfPair, kw_only=True):
    """431. Levels stay undecoded but for the best, which come first."""

    sequence: Count = field(name="CS")
    channel: Literal["orderbook", "obdiff"]
    asks: list[Raw] = field(name="AO")
    bids: list[Raw] = field(name="BO")


class BookChange(OfPair, gc=False, kw_only=True):
    """432."""

    sequence: Count = field(name="CS")
    channel: Literal["orderbook", "obdiff"] = "obdiff"


# Not strict: numbers may come as strings.
route: Final = msgspec.json.Decoder(tuple[int, Raw]).decode
result: Final = msgspec.json.Decoder(Result).decode
welcome: Final = msgspec.json.Decoder(Welcome).decode
ticker: Final = msgspec.json.Decoder(Ticker).decode
tickers: Final = msgspec.json.Decoder(Tickers).decode
trade: Final = msgspec.json.Decoder(Trade, strict=False).decode
trades: Final = msgspec.json.Decoder(Trades, strict=False).decode
full_book: Final = msgspec.json.Decoder(FullBook, strict=False).decode
book_change: Final = msgspec.json.Decoder(BookChange, strict=False).decode
level: Final = msgspec.json.Decoder(Level).decode


def quoted(listing: Listing, frame: Ticker) -> Quoted:
    """Without time: the venue sends none. A price of 0 is an empty side."""
    price, quantity = listing.price, listing.quantity
    return Quoted(
        Quote(
            listing.instrument.symbol,
            price(frame.bid) or None if frame.bid is not None else None,
            price(frame.ask) or None if frame.ask is not None else None,
            quantity(frame.bid_amount) if frame.bid_amount is not None else None,
            quantity(frame.ask_amount) if frame.ask_amount is not None else None,
            price(frame.last) or None if frame.last is not None else None,
        )
    )


def traded(listing: Listing, frame: Trade) -> Ticks:
    return Ticks(listing.instrument.symbol, (_tick(listing, frame),))


def latest(listing: Listing, frame: Trades) -> Ticks:
    """Sorted: the venue sends the newest first, but has been seen to do otherwise."""
    ticks = sorted((_tick(listing, item) for item in frame.items), key=in_order)
    return Ticks(listing.instrument.symbol, tuple(ticks), snapshot=True)


def in_order(tick: MarketTick) -> tuple[int, int, str]:
    """By time, then by id as a number."""
    return tick.ts_ms, len(tick.id), tick.id


def _tick(listing: Listing, item: Trade | TradeItem) -> MarketTick:
    price, quantity = listing.price(item.price), listing.quantity(item.amount)
    if not price or not quantity:
        raise Malformed(f"trade {item.id} of price {item.price:.40} and amount {item.amount:.40}")
    return MarketTick(
        listing.instrument.symbol,
        item.id,
        item.time,
        price,
        quantity,
        SOCKET_SIDES.get(item.side, UNKNOWN_SIDE),
    )


def snapshot(listing: Listing, frame: FullBook) -> Book:
    bid = level(frame.bids[0]) if frame.bids else None
    ask = level(frame.asks[0]) if frame.asks else None
    quote = Quote(
        listing.instrument.symbol,
        listing.price(bid.price) if bid else None,
        listing.price(ask.price) if ask else None,
        listing.quantity(bid.amount) if bid else None,
        listing.quantity(ask.amount) if ask else None,
    )
    return Book(listing.instrument.symbol, frame.channel, frame.sequence, True, quote)


def changed(listing: Listing, frame: BookChange) -> Book:
    return Book(listing.instrument.symbol, frame.channel, frame.sequence, False)
