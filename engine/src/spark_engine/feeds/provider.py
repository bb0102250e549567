"""What a venue must say about itself. Pure: frames and bodies in, values out; others own sockets and clocks.

A streaming venue is a `StreamProvider`; one that only publishes files (BIST) is a `FileProvider` of
`spark_engine.feeds.providers.bist_files`. To add one: a module in `providers/`, a line in its registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

from spark_engine.feeds.market import Candle, Instrument, MarketTick, Quote, TimeMs

Channel = Literal["ticker", "trade", "orderbook", "obdiff"]
T = TypeVar("T")


class Malformed(Exception):
    """A frame or body that is not what the venue's protocol says. The message says what is wrong, briefly."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One channel of one symbol (canonical)."""

    channel: Channel
    symbol: str


@dataclass(frozen=True, slots=True)
class Ticks:
    """Trades of one symbol, oldest first. `snapshot`: the venue's latest ones, sent on joining (may repeat
    what was seen); a complete one reaches back to the beginning of trading or holds all the venue keeps.
    `instrument`: whose scales the ticks are in, always there with `recent_ticks`, where no `Rescaled` can
    come before them; it may be wider than what the stream has said so far."""

    symbol: str
    ticks: tuple[MarketTick, ...]
    snapshot: bool = False
    instrument: Instrument | None = None


@dataclass(frozen=True, slots=True)
class Book:
    """A book message. `sequence` rises by one a message per subscription; `snapshot` starts the count."""

    symbol: str
    channel: Channel
    sequence: int
    snapshot: bool
    quote: Quote | None = None  # best prices where the message alone says them (a snapshot)


@dataclass(frozen=True, slots=True)
class Quoted:
    """A ticker message."""

    quote: Quote


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The venue's answer to a subscribe or unsubscribe frame. It does not prove that data will come."""

    subscription: Subscription | None
    accepted: bool
    joined: bool = True
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rescaled:
    """A price or quantity had more decimals than the instrument: `instrument` is the wider one from here on.

    Comes before the ticks that need it; the provider itself uses it from then on.
    """

    instrument: Instrument


@dataclass(frozen=True, slots=True)
class Notice:
    """A frame that carries no market data: a greeting, a system message, an unknown type. Counted by kind."""

    kind: str
    detail: str = ""


Message: TypeAlias = Ticks | Book | Quoted | Acknowledged | Rescaled | Notice


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `requests` in `seconds`; once overrun a venue blocks for `block_seconds`. Shared by name."""

    name: str
    requests: int
    seconds: float
    block_seconds: float


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One GET. `parse` turns the body of a 200 into a value, or raises `Malformed`."""

    url: str
    parameters: Mapping[str, str]
    limit: RateLimit
    parse: Callable[[bytes], T]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """A page of candles, oldest first, the forming one left out by whoever knows the time."""

    candles: tuple[Candle, ...]


class StreamProvider(Protocol):
    """A venue with a WebSocket and REST. Made with the instruments of the feed, which it may widen."""

    @property
    def name(self) -> str: ...

    @property
    def connections_per_minute(self) -> int:
        """How often one address may connect, with room to spare."""

    @property
    def heartbeat_seconds(self) -> float | None:
        """A subscribed ticker sends at least this often even when nothing changes; None: no such promise."""

    @property
    def ticks_are_sequential(self) -> bool:
        """Trade ids of a symbol are integers that rise by exactly one."""

    @property
    def joins_with_snapshot(self) -> bool:
        """Joining the trades of a symbol brings its latest ones first; else REST must be asked."""

    @property
    def recent_ticks_most(self) -> int:
        """How many trades `recent_ticks` and the snapshot on joining reach back at most."""

    def websocket_url(self, subscriptions: Sequence[Subscription]) -> str: ...

    def subscribe(self, subscriptions: Sequence[Subscription]) -> list[str]:
        """The text frames that join."""

    def unsubscribe(self, subscriptions: Sequence[Subscription]) -> list[str]: ...

    def decode(self, frame: str | bytes) -> Sequence[Message]:
        """Raises `Malformed`. Frames of symbols that were not asked for come back as a `Notice`."""

    def use(self, instruments: Mapping[str, Instrument]) -> None:
        """Instruments by canonical symbol, as `instruments` answered; before the first `decode`."""

    def instruments(self) -> Request[Mapping[str, Instrument]]:
        """All that the venue trades, by canonical symbol."""

    def server_time(self) -> Request[TimeMs]: ...

    def recent_ticks(self, symbol: str) -> Request[Ticks]: ...

    def history(self, symbol: str, timeframe: str, from_ms: int, to_ms: int) -> Request[History]:
        """Bars that open in [from_ms, to_ms). At most `history_bars_most` of them."""

    @property
    def history_bars_most(self) -> int: ...
