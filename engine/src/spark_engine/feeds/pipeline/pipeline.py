"""All symbols of a feed: frames in, batches for the archive out, and what the edges should do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from spark_engine.feeds.clock.lag import LagWindow
from spark_engine.feeds.clock.offset import Clock
from spark_engine.feeds.connection.subscriptions import Bounds, Subscriptions
from spark_engine.feeds.market import Instrument
from spark_engine.feeds.pipeline.batch import Batch
from spark_engine.feeds.pipeline.observer import Observer
from spark_engine.feeds.pipeline.symbol import SymbolFeed, SymbolRules
from spark_engine.feeds.provider import (
    Acknowledged,
    Book,
    Channel,
    Malformed,
    Message,
    Notice,
    Quoted,
    Rescaled,
    StreamProvider,
    Subscription,
    Ticks,
)
from spark_engine.feeds.sequence.books import BookSequence
from spark_engine.feeds.settings import FeedSettings

MS: Final = 1_000_000
FIRST_DATA_SECONDS: Final = 10.0
SILENT_HEARTBEATS: Final = 8.0  # a ticker that misses so many is dead, whatever else still talks
DOUBT_SECONDS: Final = 5.0  # a last price without its trade for so long: the trades may be lost
JOINS_IN_VAIN: Final = 3
MISSES_IN_A_ROW: Final = 2
OFFLINE_CLOSE_MS: Final = 1_000  # without a connection nothing more can come for a bar
SILENT_CLOSE_MS: Final = 5_000  # with one, a frame may still


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a turn asks of the edges. `silent`: the connection talks, and not of what was joined."""

    resubscribe: tuple[Subscription, ...] = ()
    recent: tuple[str, ...] = ()
    silent: str = ""


@dataclass(slots=True)
class SymbolState:
    """doubted_since: the ticker names a last price that no trade had. missed: answers of REST in a row with
    trades that the live socket had not told."""

    feed: SymbolFeed
    books: dict[Channel, BookSequence] = field(default_factory=dict)
    last_message_ns: int | None = None
    doubted_since: float | None = None
    missed: int = 0
    lag: LagWindow = field(default_factory=LagWindow)


class Pipeline:
    """`now_ns`: the host's wall clock. `now`: monotonic seconds. Instruments by canonical symbol."""

    def __init__(
        self,
        settings: FeedSettings,
        provider: StreamProvider,
        instruments: Mapping[str, Instrument],
        clock: Clock,
        observer: Observer,
    ) -> None:
        self._settings = settings
        self._provider = provider
        self._clock = clock
        self._observer = observer
        rules = SymbolRules(
            timeframes=settings.timeframes,
            grace_ms=settings.grace_ms,
            amend_ms=settings.amend_ms,
            sequential=provider.ticks_are_sequential,
            snapshot_most=provider.recent_ticks_most,
        )
        self.subscriptions = tuple(
            Subscription(channel, symbol) for symbol in instruments for channel in settings.channels
        )
        self.states = Subscriptions(self.subscriptions, _bounds(settings, provider))
        self.symbols = {
            symbol: SymbolState(SymbolFeed(instrument, rules, observer))
            for symbol, instrument in instruments.items()
        }
        self.lag = LagWindow()
        self.last_data_ns: int | None = None
        self._last_frame_ns: int | None = None
        self._data_at: float | None = None  # None: no connection
        self._wanted = _Wanted()

    def opened(self, now: float) -> None:
        """Connected; the subscriptions are on their way."""
        self._data_at = now
        self.states.on_requested(now)

    def closed(self) -> None:
        self._data_at = None
        self.states.on_disconnected()
        for state in self.symbols.values():
            state.feed.disconnected()
            state.doubted_since = None
            for book in state.books.values():
                book.restart()

    def frame(self, frame: str | bytes, received_ns: int, now: float) -> bool:
        """One frame of the socket. Whether it held market data."""
        self._last_frame_ns = received_ns
        try:
            messages = self._provider.decode(frame)
        except Malformed:
            self._observer.on_malformed("frame")
            return False
        data = False
        for message in messages:
            data |= self._message(message, received_ns, now)
        if data:
            self.last_data_ns = received_ns
            self._data_at = now
        return data

    def recent(self, message: Ticks, asked_ns: int, now_ns: int) -> None:
        """The venue's latest trades of a symbol over REST, asked for at `asked_ns`."""
        state = self.symbols[message.symbol]
        if self._data_at is not None and not state.feed.live and not self._provider.joins_with_snapshot:
            state.feed.joined(message, self._venue_ms(now_ns))
            return
        missed = state.feed.recent(message, self._venue_ms(asked_ns), self._venue_ms(now_ns))
        state.missed = state.missed + 1 if missed else 0
        if missed and self._data_at is not None:
            trades = Subscription("trade", message.symbol)
            if state.missed >= MISSES_IN_A_ROW:
                self._wanted.silent = f"{message.symbol}: trades are made and not told"
            else:
                self._wanted.resubscribe.append(trades)

    def turn(self, now_ns: int, now: float) -> Wanted:
        """What time brings: proofs, closed bars, doubts. To be called a few times a second."""
        self._prove(now_ns)
        if self._data_at is not None:
            self._look_for_silence(now)
            self._look_for_doubts(now)
        wanted, self._wanted = self._wanted, _Wanted()
        return Wanted(tuple(wanted.resubscribe), tuple(dict.fromkeys(wanted.recent)), wanted.silent)

    def take(self) -> list[Batch]:
        """What is to be archived since the last call."""
        batches = (state.feed.take() for state in self.symbols.values())
        return [batch for batch in batches if batch]

    def venue_ms(self, now_ns: int) -> int:
        return self._venue_ms(now_ns)

    def _venue_ms(self, now_ns: int) -> int:
        return (now_ns + self._clock.offset_ns(now_ns)) // MS

    def _message(self, message: Message, received_ns: int, now: float) -> bool:
        match message:
            case Ticks():
                self._ticks(message, received_ns, now)
            case Quoted():
                self._quoted(message, received_ns, now)
            case Book():
                self._book(message, received_ns, now)
            case Acknowledged():
                self._acknowledged(message, now)
                return False
            case Rescaled():
                self.symbols[message.instrument.symbol].feed.rescaled(message.instrument)
                return False
            case Notice():
                self._observer.on_notice(message.kind)
                return False
        return True

    def _ticks(self, message: Ticks, received_ns: int, now: float) -> None:
        state = self.symbols[message.symbol]
        state.last_message_ns = received_ns
        self.states.on_data(Subscription("trade", message.symbol), now)
        if message.snapshot:
            state.feed.joined(message, self._venue_ms(received_ns))
            return
        for tick in state.feed.streamed(message, self._venue_ms(received_ns)):
            if self._clock.observe_transit(received_ns, tick.ts_ms):
                lag = self._clock.lag_ms(received_ns, tick.ts_ms)
                self.lag.add(received_ns, lag)
                state.lag.add(received_ns, lag)
                self._observer.on_tick(message.symbol, lag)
        if state.feed.wants_recent:
            self._wanted.recent.append(message.symbol)

    def _quoted(self, message: Quoted, received_ns: int, now: float) -> None:
        state = self.symbols[message.quote.symbol]
        state.last_message_ns = received_ns
        state.feed.quote = message.quote
        self.states.on_data(Subscription("ticker", message.quote.symbol), now)
        last = state.feed.last_tick
        if last is None or message.quote.last in (None, last.price):
            state.doubted_since = None
        elif state.doubted_since is None:
            state.doubted_since = now

    def _book(self, message: Book, received_ns: int, now: float) -> None:
        state = self.symbols[message.symbol]
        state.last_message_ns = received_ns
        subscription = Subscription(message.channel, message.symbol)
        self.states.on_data(subscription, now)
        chain = state.books.setdefault(message.channel, BookSequence()).accept(message)
        if chain == "broken":
            self._observer.on_sequence_break(message.symbol)
            self._wanted.resubscribe.append(subscription)

    def _acknowledged(self, message: Acknowledged, now: float) -> None:
        self.states.on_acknowledged(message, now)
        subscription = message.subscription
        if (
            not self._provider.joins_with_snapshot
            and message.accepted
            and message.joined
            and (subscription is None or subscription.channel == "trade")
        ):
            named = self.symbols if subscription is None else (subscription.symbol,)
            self._wanted.recent += [name for name in named if name in self.symbols]

    def _prove(self, now_ns: int) -> None:
        """How far the trades are known, and the bars that end there."""
        venue_ms = self._venue_ms(now_ns)
        proved_ms = venue_ms - OFFLINE_CLOSE_MS
        if self._data_at is not None and self._last_frame_ns is not None:
            proved_ms = max(self._venue_ms(self._last_frame_ns), proved_ms - SILENT_CLOSE_MS)
            for state in self.symbols.values():
                if state.doubted_since is None:
                    state.feed.proved(self._venue_ms(self._last_frame_ns) - self._settings.grace_ms)
        for state in self.symbols.values():
            state.feed.close(proved_ms)

    def _look_for_silence(self, now: float) -> None:
        bound = _silence(self._settings, self._provider)
        if bound is not None and self._data_at is not None and now - self._data_at >= bound:
            self._wanted.silent = f"no market data for {bound:g} s over an open connection"
            return
        for overdue in self.states.overdue(now):
            if overdue.ever and overdue.joins >= JOINS_IN_VAIN:
                which = overdue.subscription
                self._wanted.silent = f"{which.channel} of {which.symbol} has fallen silent"
            else:
                self._wanted.resubscribe.append(overdue.subscription)
                self.states.on_requested(now, [overdue.subscription])

    def _look_for_doubts(self, now: float) -> None:
        for symbol, state in self.symbols.items():
            if state.doubted_since is not None and now - state.doubted_since >= DOUBT_SECONDS:
                state.doubted_since = now
                self._wanted.recent.append(symbol)


@dataclass(slots=True)
class _Wanted:
    resubscribe: list[Subscription] = field(default_factory=list)
    recent: list[str] = field(default_factory=list)
    silent: str = ""


def _silence(settings: FeedSettings, provider: StreamProvider) -> float | None:
    """Seconds after which a subscribed ticker is dead."""
    if provider.heartbeat_seconds is None or "ticker" not in settings.channels:
        return None
    return SILENT_HEARTBEATS * provider.heartbeat_seconds


def _bounds(settings: FeedSettings, provider: StreamProvider) -> dict[Channel, Bounds]:
    """Nobody promises that a pair trades, or that its book changes."""
    quiet = Bounds(first=FIRST_DATA_SECONDS, silence=None)
    return {
        "ticker": Bounds(first=FIRST_DATA_SECONDS, silence=_silence(settings, provider)),
        "trade": quiet if provider.joins_with_snapshot else Bounds(first=None, silence=None),
        "orderbook": quiet,
        "obdiff": quiet,
    }
