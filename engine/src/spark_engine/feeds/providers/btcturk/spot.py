"""The provider `btcturk-spot`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar, get_args

import msgspec
from msgspec import Raw

from spark_engine.data.request import anchor_ms, timeframe_ms
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
from spark_engine.feeds.providers.btcturk import bodies, frames
from spark_engine.feeds.providers.listings import Listing, Listings
from spark_engine.feeds.providers.timeframes import check_timeframe
from spark_engine.feeds.providers.wire import UNREADABLE
from spark_engine.feeds.settings import Endpoints

NAME: Final = "btcturk-spot"
WEBSOCKET: Final = "wss://ws-feed-pro.btcturk.com/"
REST: Final = "https://api.btcturk.com"
GRAPH: Final = "https://graph-api.btcturk.com"

# Four fifths of what the venue allows an address. What it does not list is held to what it allows at least.
GENERAL: Final = RateLimit("btcturk-general", 60, 60.0, 60.0)
TRADES: Final = RateLimit("btcturk-trades", 72, 60.0, 60.0)
GRAPHS: Final = RateLimit("btcturk-graph", 480, 600.0, 600.0)

RESOLUTIONS: Final[Mapping[str, str]] = {
    "1m": "1",
    "5m": "5",
    "15m": "15",
    "30m": "30",
    "1h": "60",
    "4h": "240",
    "1d": "1D",
    "1w": "1W",
}
CHANNELS: Final[frozenset[str]] = frozenset(get_args(Channel))
JOIN: Final = 151
Frame = TypeVar("Frame", bound=frames.OfPair)
PRIVATE: Final = frozenset((111, 112, 113, 114, 201, 423, 441, 451, 452, 453))
SYSTEM: Final[Mapping[int, str]] = {801: "system-message", 802: "page-refresh"}


class BtcturkSpot:
    """`StreamProvider`. One socket carries every pair and every channel; only trades carry a time."""

    name = NAME
    connections_per_minute = 10  # the venue blocks an address at 15
    heartbeat_seconds: float | None = 1.0  # a ticker is sent every 750 ms, changed or not
    ticks_are_sequential = False
    joins_with_snapshot = True
    recent_ticks_most = 50
    history_bars_most = 4_320  # three days of minutes: the venue's advice, its limit is not known

    def __init__(self, endpoints: Endpoints) -> None:
        self._websocket = endpoints.websocket or WEBSOCKET
        self._rest = (endpoints.rest or REST).rstrip("/")
        self._graph = (endpoints.history or GRAPH).rstrip("/")
        self._listings = Listings(NAME)
        self._handlers: dict[int, Callable[[Raw], Sequence[Message]]] = {
            100: self._result,
            401: self._tickers,
            402: self._of_pair(frames.ticker, frames.quoted),
            421: self._of_pair(frames.trades, frames.latest),
            422: self._of_pair(frames.trade, frames.traded),
            428: _candle,
            431: self._of_pair(frames.full_book, frames.snapshot),
            432: self._of_pair(frames.book_change, frames.changed),
            991: _welcome,
        }

    def websocket_url(self, subscriptions: Sequence[Subscription]) -> str:  # noqa: ARG002 - one for all
        return self._websocket

    def subscribe(self, subscriptions: Sequence[Subscription]) -> list[str]:
        """One frame each: the venue ignores a list of pairs without a word."""
        self._listings.join(subscriptions)
        return [self._join(subscription, True) for subscription in subscriptions]

    def unsubscribe(self, subscriptions: Sequence[Subscription]) -> list[str]:
        self._listings.leave(subscriptions)
        return [self._join(subscription, False) for subscription in subscriptions]

    def _join(self, subscription: Subscription, join: bool) -> str:
        event = self._listings.venue_symbol(subscription.symbol)
        model = {"type": JOIN, "channel": subscription.channel, "event": event, "join": join}
        return msgspec.json.encode([JOIN, model]).decode()

    def use(self, instruments: Mapping[str, Instrument]) -> None:
        self._listings.use(instruments)

    def decode(self, frame: str | bytes) -> Sequence[Message]:
        try:
            kind, body = frames.route(frame)
            handler = self._handlers.get(kind)
            return handler(body) if handler is not None else (_other(kind),)
        except UNREADABLE as error:
            raise Malformed(first_line(error)) from None

    def _of_pair(
        self, read: Callable[[Raw], Frame], make: Callable[[Listing, Frame], Message]
    ) -> Callable[[Raw], Sequence[Message]]:
        def handle(body: Raw) -> Sequence[Message]:
            frame = read(body)
            listing = self._listings.asked.get(frame.pair)
            if listing is None or (frame.event != frame.pair and frame.event):
                return _not_asked(frame)
            return listing.messages(make, frame)

        return handle

    def _tickers(self, body: Raw) -> Sequence[Message]:
        asked = self._listings.asked
        messages: list[Message] = []
        for item in frames.tickers(body).items:
            listing = asked.get(item.pair)
            if listing is not None:
                messages += listing.messages(frames.quoted, item)
        return messages or (Notice("other-symbol", "all"),)

    def _result(self, body: Raw) -> Sequence[Message]:
        """Says nothing of data to come: the venue accepts pairs and channels that it does not have."""
        answer = frames.result(body)
        verb, _, target = answer.message.partition("|")
        channel, _, event = target.partition(":")
        subscription = None
        if channel in CHANNELS and event:
            subscription = Subscription(channel, self._listings.symbol(event))  # type: ignore[arg-type]
        return (Acknowledged(subscription, answer.ok, verb != "leave", answer.message[:200]),)

    def instruments(self) -> Request[Mapping[str, Instrument]]:
        return Request(f"{self._rest}/api/v2/server/exchangeinfo", {}, GENERAL, bodies.instruments)

    def server_time(self) -> Request[TimeMs]:
        return Request(f"{self._rest}/api/v2/server/time", {}, GENERAL, bodies.server_time)

    def recent_ticks(self, symbol: str) -> Request[Ticks]:
        """Raises `InvalidSpec` for a symbol that `use` did not name."""
        listing = self._listings.of(symbol)
        parameters = {"pairSymbol": listing.instrument.venue_symbol, "last": str(self.recent_ticks_most)}
        return Request(
            f"{self._rest}/api/v2/trades", parameters, TRADES, partial(bodies.recent_ticks, listing)
        )

    def history(self, symbol: str, timeframe: str, from_ms: int, to_ms: int) -> Request[History]:
        """A bar without trades is not in the answer. Raises `InvalidSpec` for an unknown symbol or timeframe.

        `from` and `to` go out on bar boundaries, as some have found necessary, with the first bar after the
        end, as it is not documented whether `to` is meant; the answer is cut to what was asked.
        """
        listing = self._listings.of(symbol)
        check_timeframe(timeframe, RESOLUTIONS)
        parameters = {
            "symbol": listing.instrument.venue_symbol,
            "resolution": RESOLUTIONS[timeframe],
            "from": str(_boundary_ms(timeframe, from_ms) // 1000),
            "to": str(_boundary_ms(timeframe, to_ms) // 1000),
        }
        parse = partial(bodies.history, listing, timeframe, from_ms, to_ms)
        return Request(f"{self._graph}/v1/klines/history", parameters, GRAPHS, parse)


def _boundary_ms(timeframe: str, time_ms: int) -> int:
    """The first bar open at or after `time_ms`; not before 0, which the venue refuses."""
    step, anchor = timeframe_ms(timeframe), anchor_ms(timeframe)
    return max(0, anchor - (anchor - time_ms) // step * step)


def _candle(body: Raw) -> Sequence[Message]:  # noqa: ARG001 - only counted
    return (Notice("candle"),)


def _welcome(body: Raw) -> Sequence[Message]:
    greeting = frames.welcome(body)
    return (Notice("welcome", f"version {greeting.current:.40}, at least {greeting.min:.40}"),)


def _not_asked(frame: frames.OfPair) -> Sequence[Message]:
    mixed = frame.event and frame.event != frame.pair
    return (Notice("other-symbol", f"{frame.pair} for {frame.event:.64}" if mixed else frame.pair),)


def _other(kind: int) -> Notice:
    if kind in SYSTEM:
        return Notice(SYSTEM[kind])
    return Notice("private" if kind in PRIVATE else "unknown-type", f"{kind}"[:40])
