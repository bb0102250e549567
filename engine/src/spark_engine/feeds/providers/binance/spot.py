"""The provider `binance-spot`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from spark_engine.errors import first_line
from spark_engine.feeds.market import Instrument, TimeMs
from spark_engine.feeds.provider import (
    Acknowledged,
    Channel,
    History,
    Malformed,
    Message,
    Notice,
    RateLimit,
    Request,
    Subscription,
    Ticks,
)
from spark_engine.feeds.providers.binance import bodies, frames
from spark_engine.feeds.providers.listings import Listing, Listings
from spark_engine.feeds.providers.timeframes import check_timeframe
from spark_engine.feeds.providers.wire import UNREADABLE
from spark_engine.feeds.settings import Endpoints

NAME: Final = "binance-spot"
WEBSOCKET: Final = "wss://stream.binance.com:9443/stream"
REST: Final = "https://api.binance.com"

# The venue allows an address a weight of 6,000 a minute. Of these a request weighs 20 at most, 25, and 2.
GENERAL: Final = RateLimit("binance-general", 60, 60.0, 120.0)
TRADES: Final = RateLimit("binance-trades", 60, 60.0, 120.0)
KLINES: Final = RateLimit("binance-klines", 600, 60.0, 120.0)

TIMEFRAMES: Final = ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w")
STREAMS: Final[Mapping[Channel, str]] = {
    "ticker": "bookTicker",
    "trade": "trade",
    "orderbook": "depth20@100ms",
    "obdiff": "depth@100ms",
}
STREAMS_A_FRAME: Final = 200  # the venue takes 5 frames a second and 1,024 streams a connection
MOST_PENDING: Final = 1_000

OfSymbol = TypeVar("OfSymbol", frames.Trade, frames.BookTicker)
Handler = Callable[[Listing, Raw], Sequence[Message]]


class BinanceSpot:
    """`StreamProvider`. `endpoints.websocket` must be a combined-stream path: it ends in `/stream`."""

    name = NAME
    connections_per_minute = 30  # the venue allows 300 in five minutes
    heartbeat_seconds: float | None = None
    ticks_are_sequential = True
    joins_with_snapshot = False
    recent_ticks_most = 1_000
    history_bars_most = 1_000

    def __init__(self, endpoints: Endpoints) -> None:
        self._websocket = endpoints.websocket or WEBSOCKET
        self._rest = (endpoints.rest or REST).rstrip("/")
        self._history = (endpoints.history or endpoints.rest or REST).rstrip("/")
        self._listings = Listings(NAME)
        self._streams: dict[str, tuple[Handler, Listing]] = {}
        self._chains: dict[str, frames.BookChain] = {}
        self._requests = 0
        self._pending: dict[int, tuple[bool, tuple[Subscription, ...]]] = {}
        self._handlers: Mapping[Channel, Handler] = {
            "ticker": _of_symbol(frames.book_ticker, frames.quoted),
            "trade": _of_symbol(frames.trade, frames.traded),
            "orderbook": _best,
            "obdiff": self._changed,
        }

    def websocket_url(self, subscriptions: Sequence[Subscription]) -> str:  # noqa: ARG002 - they come as frames
        return self._websocket

    def subscribe(self, subscriptions: Sequence[Subscription]) -> list[str]:
        self._listings.join(subscriptions)
        for subscription in subscriptions:
            if subscription.channel == "obdiff":
                self._chains[self._listings.venue_symbol(subscription.symbol)] = frames.BookChain()
        self._route()
        return self._requested(True, subscriptions)

    def unsubscribe(self, subscriptions: Sequence[Subscription]) -> list[str]:
        self._listings.leave(subscriptions)
        self._route()
        return self._requested(False, subscriptions)

    def use(self, instruments: Mapping[str, Instrument]) -> None:
        self._listings.use(instruments)
        self._route()

    def _route(self) -> None:
        self._streams = {
            _stream(channel, symbol): (handler, listing)
            for symbol, listing in self._listings.asked.items()
            for channel, handler in self._handlers.items()
        }

    def _requested(self, join: bool, subscriptions: Sequence[Subscription]) -> list[str]:
        texts = []
        for begin in range(0, len(subscriptions), STREAMS_A_FRAME):
            part = tuple(subscriptions[begin : begin + STREAMS_A_FRAME])
            self._requests += 1
            self._pending[self._requests] = join, part
            self._pending.pop(self._requests - MOST_PENDING, None)
            streams = [_stream(each.channel, self._listings.venue_symbol(each.symbol)) for each in part]
            method = "SUBSCRIBE" if join else "UNSUBSCRIBE"
            request = {"method": method, "params": streams, "id": self._requests}
            texts.append(msgspec.json.encode(request).decode())
        return texts

    def decode(self, frame: str | bytes) -> Sequence[Message]:
        try:
            envelope = frames.envelope(frame)
            found = self._streams.get(envelope.stream)
            if found is None:
                return self._no_data(envelope)
            handler, listing = found
            return handler(listing, envelope.data)
        except UNREADABLE as error:
            raise Malformed(first_line(error)) from None

    def _no_data(self, envelope: frames.Envelope) -> Sequence[Message]:
        if envelope.stream:
            channel = envelope.stream.partition("@")[2]
            kind = "other-symbol" if channel in STREAMS.values() else "unknown-stream"
            return (Notice(kind, envelope.stream[:64]),)
        if envelope.id is None and envelope.error is None and envelope.code is None:
            return (Notice("unknown-type"),)
        return self._answered(envelope)

    def _answered(self, envelope: frames.Envelope) -> Sequence[Message]:
        """One answer for all streams of a request."""
        refused = envelope.error or (frames.Refusal(envelope.code, envelope.msg) if envelope.code else None)
        detail = f"{refused.msg:.200} (code {refused.code})" if refused else ""
        join, subscriptions = self._pending.pop(envelope.id or 0, (True, ()))
        return [
            Acknowledged(subscription, refused is None, join, detail)
            for subscription in subscriptions or (None,)
        ]

    def _changed(self, listing: Listing, body: Raw) -> Sequence[Message]:
        frame = frames.book_change(body)
        if frame.symbol != listing.instrument.venue_symbol:
            return (Notice("other-symbol", frame.symbol),)
        chain = self._chains.setdefault(frame.symbol, frames.BookChain())
        return listing.messages(chain.changed, frame)

    def instruments(self) -> Request[Mapping[str, Instrument]]:
        parameters = {"showPermissionSets": "false"}  # long lists of no use here
        return Request(f"{self._rest}/api/v3/exchangeInfo", parameters, GENERAL, bodies.instruments)

    def server_time(self) -> Request[TimeMs]:
        return Request(f"{self._rest}/api/v3/time", {}, GENERAL, bodies.server_time)

    def recent_ticks(self, symbol: str) -> Request[Ticks]:
        """Raises `InvalidSpec` for a symbol that `use` did not name."""
        listing = self._listings.of(symbol)
        parameters = {"symbol": listing.instrument.venue_symbol, "limit": str(self.recent_ticks_most)}
        return Request(
            f"{self._rest}/api/v3/trades", parameters, TRADES, partial(bodies.recent_ticks, listing)
        )

    def history(self, symbol: str, timeframe: str, from_ms: int, to_ms: int) -> Request[History]:
        """Raises `InvalidSpec` for an unknown symbol or timeframe."""
        listing = self._listings.of(symbol)
        check_timeframe(timeframe, TIMEFRAMES)
        parameters = {
            "symbol": listing.instrument.venue_symbol,
            "interval": timeframe,
            "startTime": str(from_ms),
            "endTime": str(to_ms - 1),
            "limit": str(self.history_bars_most),
        }
        parse = partial(bodies.history, listing, timeframe, from_ms, to_ms)
        return Request(f"{self._history}/api/v3/klines", parameters, KLINES, parse)


def _stream(channel: Channel, venue_symbol: str) -> str:
    return f"{venue_symbol.lower()}@{STREAMS[channel]}"


def _of_symbol(read: Callable[[Raw], OfSymbol], make: Callable[[Listing, OfSymbol], Message]) -> Handler:
    def handle(listing: Listing, body: Raw) -> Sequence[Message]:
        frame = read(body)
        if frame.symbol != listing.instrument.venue_symbol:
            return (Notice("other-symbol", frame.symbol),)
        return listing.messages(make, frame)

    return handle


def _best(listing: Listing, body: Raw) -> Sequence[Message]:
    return listing.messages(frames.best, frames.best_levels(body))
