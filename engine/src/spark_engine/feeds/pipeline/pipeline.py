"""All symbols of a feed: frames in, batches for the archive out, and what the edges should do about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from spark_engine.feeds.clock.lag import LagWindow
from spark_engine.feeds.clock.offset import Clock
from spark_engine.feeds.connection.subscriptions import Subscriptions
from spark_engine.feeds.market import Instrument, MarketTick
from spark_engine.feeds.pipeline.batch import Batch
from spark_engine.feeds.pipeline.observer import Observer
from spark_engine.feeds.pipeline.patience import Patience
from spark_engine.feeds.pipeline.rules import SymbolRules
from spark_engine.feeds.pipeline.silence import Silence
from spark_engine.feeds.pipeline.symbol import SymbolFeed
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
MISSES_IN_A_ROW: Final = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a turn asks of the edges. `silent`: the connection talks, and not of what was joined."""

    resubscribe: tuple[Subscription, ...] = ()
    recent: tuple[str, ...] = ()
    silent: str = ""


@dataclass(slots=True)
class SymbolState:
    """doubted_since: the ticker names a last price that no trade had. settled: one that REST knew no better.
    missed: answers of REST in a row with trades that the live socket had not told. joined_ns: when the venue
    said on this connection that the trades were joined."""

    feed: SymbolFeed
    books: dict[Channel, BookSequence] = field(default_factory=dict)
    last_message_ns: int | None = None
    doubted_since: float | None = None
    settled: int | None = None
    missed: int = 0
    joined_ns: int | None = None
    lag: LagWindow = field(default_factory=LagWindow)


class Pipeline:
    """`now_ns`: `local_ns` of the host. `now`: monotonic seconds. Instruments by canonical symbol."""

    def __init__(
        self,
        settings: FeedSettings,
        provider: StreamProvider,
        instruments: Mapping[str, Instrument],
        clock: Clock,
        observer: Observer,
        patience: Patience | None = None,
    ) -> None:
        self._settings = settings
        self._provider = provider
        self._clock = clock
        self._observer = observer
        self._patience = patience or Patience()
        rules = SymbolRules(
            timeframes=settings.timeframes,
            grace_ms=settings.grace_ms,
            amend_ms=settings.amend_ms,
            sequential=provider.ticks_are_sequential,
            snapshot_most=provider.recent_ticks_most,
            history_after_ms=self._patience.history_after_ms,
        )
        self.subscriptions = tuple(
            Subscription(channel, symbol) for symbol in instruments for channel in settings.channels
        )
        self.symbols = {
            symbol: SymbolState(SymbolFeed(instrument, rules, observer))
            for symbol, instrument in instruments.items()
        }
        self.lag = LagWindow()
        self.last_data_ns: int | None = None
        self._silence = Silence(self.subscriptions, provider, self._patience)
        self._last_frame_ns: int | None = None  # of the present connection
        self._wanted = _Wanted()

    @property
    def states(self) -> Subscriptions:
        return self._silence.states

    @property
    def connected(self) -> bool:
        return self._silence.since is not None

    def opened(self, now: float) -> None:
        """Connected; the subscriptions are on their way."""
        self._silence.opened(now)
        self._last_frame_ns = None

    def closed(self) -> None:
        self._silence.closed()
        self._last_frame_ns = None
        self._wanted = _Wanted()
        for state in self.symbols.values():
            state.feed.disconnected()
            state.doubted_since = state.joined_ns = None
            state.missed = 0
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
        return data

    def recent(self, message: Ticks, asked_ns: int, now_ns: int) -> None:
        """The venue's latest trades of a symbol over REST, asked for at `asked_ns`."""
        state = self.symbols[message.symbol]
        if self._joins(state, asked_ns):
            state.feed.joined(message, self._venue_ms(now_ns))
            return
        if not self._clock.known:
            return  # until when it tells everything is not known
        missed = state.feed.recent(message, self._venue_ms(asked_ns), self._venue_ms(now_ns))
        if state.doubted_since is not None and state.feed.quote is not None:
            state.settled, state.doubted_since = state.feed.quote.last, None
        state.missed = state.missed + 1 if missed else 0
        if missed and self.connected:
            if state.missed >= MISSES_IN_A_ROW:
                self._wanted.silent = f"{message.symbol}: trades are made and not told"
            else:
                self._wanted.resubscribe.append(Subscription("trade", message.symbol))

    def turn(self, now_ns: int, now: float) -> Wanted:
        """What time brings: proofs, closed bars, doubts. To be called a few times a second."""
        self._prove(now_ns)
        wanted, self._wanted = self._wanted, _Wanted()
        if not self.connected:
            return Wanted(recent=tuple(dict.fromkeys(wanted.recent)))
        again, silent = self._silence.look(now)
        self._look_for_doubts(wanted, now)
        resubscribe = tuple(dict.fromkeys((*wanted.resubscribe, *again)))
        self._silence.requested(resubscribe, now)
        return Wanted(resubscribe, tuple(dict.fromkeys(wanted.recent)), wanted.silent or silent)

    def take(self) -> list[Batch]:
        """What is to be archived since the last call."""
        batches = (state.feed.take() for state in self.symbols.values())
        return [batch for batch in batches if batch]

    def venue_ms(self, now_ns: int) -> int:
        """The venue's time."""
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
                self._acknowledged(message, received_ns, now)
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
        self._silence.data(Subscription("trade", message.symbol), now)
        if message.snapshot:
            state.feed.joined(message, self._venue_ms(received_ns))
            return
        for tick in state.feed.streamed(message, self._venue_ms(received_ns)):
            self._measure(state, tick, received_ns)
        if state.feed.wants_recent:
            self._wanted.recent.append(message.symbol)

    def _measure(self, state: SymbolState, tick: MarketTick, received_ns: int) -> None:
        if not self._clock.observe_transit(received_ns, tick.ts_ms):
            self._observer.on_tick(tick.symbol, math.nan)
            return
        lag = self._clock.lag_ms(received_ns, tick.ts_ms)
        self.lag.add(received_ns, lag)
        state.lag.add(received_ns, lag)
        self._observer.on_tick(tick.symbol, lag)

    def _quoted(self, message: Quoted, received_ns: int, now: float) -> None:
        state = self.symbols[message.quote.symbol]
        state.last_message_ns = received_ns
        state.feed.quote = message.quote
        self._silence.data(Subscription("ticker", message.quote.symbol), now)
        last = state.feed.last_tick
        if last is None or message.quote.last in (None, last.price, state.settled):
            state.doubted_since = None
        elif state.doubted_since is None:
            state.doubted_since = now

    def _book(self, message: Book, received_ns: int, now: float) -> None:
        state = self.symbols[message.symbol]
        state.last_message_ns = received_ns
        subscription = Subscription(message.channel, message.symbol)
        self._silence.data(subscription, now)
        chain = state.books.setdefault(message.channel, BookSequence()).accept(message)
        if chain == "broken":
            self._observer.on_sequence_break(message.symbol)
            self._wanted.resubscribe.append(subscription)

    def _acknowledged(self, message: Acknowledged, received_ns: int, now: float) -> None:
        self._silence.acknowledged(message, now)
        one = message.subscription
        if not (message.accepted and message.joined) or (one is not None and one.channel != "trade"):
            return
        for symbol in self.symbols if one is None else (one.symbol,):
            if symbol in self.symbols:
                self.symbols[symbol].joined_ns = received_ns
                if not self._provider.joins_with_snapshot:
                    self._wanted.recent.append(symbol)

    def _joins(self, state: SymbolState, asked_ns: int) -> bool:
        """Whether what REST was asked after the trades were joined begins what this connection tells."""
        if self._provider.joins_with_snapshot or not self.connected or state.feed.live:
            return False
        return state.joined_ns is not None and asked_ns >= state.joined_ns

    def _prove(self, now_ns: int) -> None:
        """How far the trades are known, and the bars that end there."""
        if not self._clock.known:
            return
        closed_ms = self._venue_ms(now_ns) - self._patience.offline_close_ms
        if self._last_frame_ns is not None:
            told_ms = self._venue_ms(self._last_frame_ns)
            closed_ms = max(told_ms, closed_ms - self._patience.silent_close_ms)
            for state in self.symbols.values():
                if state.doubted_since is None:
                    state.feed.proved(told_ms - self._settings.grace_ms)
        for state in self.symbols.values():
            state.feed.close(closed_ms)

    def _look_for_doubts(self, wanted: _Wanted, now: float) -> None:
        for symbol, state in self.symbols.items():
            since = state.doubted_since
            if since is not None and now - since >= self._patience.doubt_seconds:
                state.doubted_since = now
                wanted.recent.append(symbol)


@dataclass(slots=True)
class _Wanted:
    resubscribe: list[Subscription] = field(default_factory=list)
    recent: list[str] = field(default_factory=list)
    silent: str = ""
