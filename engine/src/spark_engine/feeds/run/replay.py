"""Plays a recording of a socket through a feed's pipeline into its archive, without sockets.

A recording has a frame a line: the nanoseconds since 1970 at which the recording host received it, a space,
the frame. Its times are the only clock: what comes out does not depend on when, or how fast, it is played.
"""

from __future__ import annotations

import gzip
import math
import time
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any, Final, cast

from msgspec.structs import replace as changed

from spark_engine.errors import InvalidData
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.backfill.convert import Piece
from spark_engine.feeds.backfill.larger import MINUTE, reaggregate, same_bar
from spark_engine.feeds.candles.bars import grid
from spark_engine.feeds.candles.builder import CandleBuilder
from spark_engine.feeds.clock.offset import Clock
from spark_engine.feeds.market import Instrument, Interval, MarketTick, Quality
from spark_engine.feeds.pipeline.observer import GapReason, Silent
from spark_engine.feeds.pipeline.pipeline import Pipeline
from spark_engine.feeds.pipeline.rules import MINUTE_MS
from spark_engine.feeds.provider import Message, StreamProvider, Ticks
from spark_engine.feeds.settings import FeedSettings

NS: Final = 1_000_000_000
MS: Final = 1_000_000
TURN_NS: Final = NS // 5
CLOSE_NS: Final = 120 * NS  # after the last frame its bars are closed, as far as they are known
STORE_TURNS: Final = 50
FLUSH_ROWS: Final = 100_000
ADVANCE_FRAMES: Final = 2_000
LONGEST_LINE: Final = 32 * 1024 * 1024
DIGITS: Final = 19  # of ns since 1970, from 2001 to 2286
ASTRAY_NS: Final = 60 * NS


@dataclass(slots=True)
class Replayed:
    """`raw_lags` by the host's clock as it was, `lags` by the compensated one, ms, of the same live ticks.
    notices: frames without market data. candles: bars by timeframe that the archive
    has of that time. offset_ms: as it was at the end."""

    frames: int = 0
    malformed: int = 0
    notices: int = 0
    ticks: int = 0
    duplicates: int = 0
    reordered: int = 0
    gaps: int = 0
    candles: dict[str, int] = field(default_factory=dict)
    raw_lags: array[float] = field(default_factory=lambda: array("d"))
    lags: array[float] = field(default_factory=lambda: array("d"))
    drift_ppm: float | None = None
    offset_ms: float = 0.0
    first_ns: int = 0
    last_ns: int = 0


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest that so many percent do not exceed; None of none."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(len(ordered) * percent / 100)) - 1] if ordered else None


def recorded(path: Path) -> Iterator[tuple[int, str]]:
    """(received ns, frame) of a file, packed by gzip or not. Raises `InvalidData`, naming the line.

    A line whose time lies far ahead of both its neighbours is refused before it is given out: a clock that
    was set goes on from there, and the bars of a time that never was would be closed.
    """
    before = 0
    held: tuple[int, str] | None = None
    for number, line in enumerate(_lines(path)):
        if held is not None:
            if held[0] - max(before, line[0]) > ASTRAY_NS:
                raise InvalidData(f"{path}: line {number:,} is far ahead in time of those around it")
            yield held
            before = held[0]
        held = line
    if held is not None:
        yield held


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as lines:
            while line := lines.readline(LONGEST_LINE):
                number += 1
                received, _, frame = line.rstrip(b"\r\n").partition(b" ")
                if not received.isdigit() or len(received) != DIGITS or not frame:
                    raise InvalidData(f"{path}: line {number:,} is not `<received ns> <frame>`")
                yield int(received), frame.decode()
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidData(f"{path}: cannot be read after line {number:,}: {error}") from None
    except UnicodeDecodeError:
        raise InvalidData(f"{path}: line {number:,} is no text") from None


def replay(
    frames: Iterable[tuple[int, str]],
    settings: FeedSettings,
    provider: StreamProvider,
    archive: Archive,
    *,
    speed: float | None = None,
    advance: Callable[[Replayed], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Replayed:
    """`speed`: so many times as fast as it was recorded, None: at once. `advance`: told now and then.

    Nobody tells the scales of prices here: they become as wide as the recording needs them. All is known of
    a symbol from its first trade on. Raises as `Archive.append`, and `InvalidData` where there is no frame.
    """
    player = _Player(settings, provider, archive)
    begun = clock()
    for received_ns, frame in frames:
        if speed is not None and player.result.frames:
            due = begun + (received_ns - player.result.first_ns) / NS / speed
            if (wait := due - clock()) > 0:
                sleep(wait)
        player.play(received_ns, frame)
        if player.result.frames % ADVANCE_FRAMES == 0:
            advance(player.result)
    if not player.result.frames:
        raise InvalidData("the recording has no frame")
    return player.end()


class _Player:
    def __init__(self, settings: FeedSettings, provider: StreamProvider, archive: Archive) -> None:
        self.result = Replayed()
        self._archive = archive
        self._settings = settings
        self._clock = Clock()
        self._received_ns = self._turned_ns = 0
        self._unstored = self._unflushed = 0
        instruments = {symbol: _instrument(archive, symbol) for symbol in settings.symbols}
        provider.use(instruments)
        joining = cast(StreamProvider, _Joining(provider, self._first))
        self._pipeline = Pipeline(settings, joining, instruments, self._clock, _Listener(self))
        provider.subscribe(self._pipeline.subscriptions)
        self._pipeline.opened(0.0)
        self._torn: set[tuple[str, int]] = set()  # minutes of which not all was recorded

    def play(self, received_ns: int, frame: str) -> None:
        result = self.result
        if not result.frames:
            result.first_ns = self._turned_ns = received_ns
        result.frames += 1
        result.last_ns = self._received_ns = received_ns
        self._pipeline.frame(frame, received_ns, self._seconds(received_ns))
        if received_ns - self._turned_ns >= TURN_NS:
            self._turn(received_ns)

    def end(self) -> Replayed:
        result = self.result
        self._turn(result.last_ns)
        self._pipeline.closed()
        self._turn(result.last_ns + CLOSE_NS)
        self._store()
        self._mend()
        result.drift_ppm = self._clock.drift_ppm
        result.offset_ms = self._clock.offset_ns(result.last_ns) / MS
        self._make_larger()
        return result

    def heard(self, lag_ms: float) -> None:
        self.result.ticks += 1
        if not math.isnan(lag_ms):
            self.result.lags.append(lag_ms)
            self.result.raw_lags.append(lag_ms - self._clock.offset_ns(self._received_ns) / MS)

    def _first(self, tick: MarketTick) -> None:
        """Of a symbol: before it the venue's time may not be known at all."""
        self._clock.observe_transit(self._received_ns, tick.ts_ms)

    def _make_larger(self) -> None:
        """Also of bars that another recording goes on with, or will."""
        first_ms, last_ms = (
            (ns + self._clock.offset_ns(ns)) // MS for ns in (self.result.first_ns, self.result.last_ns)
        )
        timeframes = self._settings.timeframes
        for symbol, state in self._pipeline.symbols.items():
            reaggregate(self._archive, state.feed.instrument, timeframes, Interval(first_ms, last_ms))
            for timeframe in timeframes:
                found = self._archive.candles(symbol, timeframe, grid(timeframe).begin(first_ms), last_ms)
                self.result.candles[timeframe] = self.result.candles.get(timeframe, 0) + len(found)

    def _turn(self, now_ns: int) -> None:
        self._turned_ns = now_ns
        self._pipeline.turn(now_ns, self._seconds(now_ns))
        self._unstored += 1
        if self._unstored >= STORE_TURNS:
            self._store()

    def _store(self) -> None:
        """Whole bars; of the others the archive may know more than this recording."""
        self._unstored = 0
        batches = []
        for batch in self._pipeline.take():
            whole = tuple(candle for candle in batch.candles if candle.quality is Quality.COMPLETE)
            torn = (candle for candle in batch.candles if candle.quality is not Quality.COMPLETE)
            self._torn.update((each.symbol, each.ts_ms) for each in torn if each.timeframe == MINUTE)
            self._unflushed += len(batch.ticks) + len(whole)
            batches.append(replaced(batch, candles=whole))
        if batches:
            self._archive.append_many(batches)
        if self._unflushed >= FLUSH_ROWS:
            self._unflushed = 0
            self._archive.flush()

    def _mend(self) -> None:
        """Minutes of which not all was recorded, of all ticks that the archive has of them."""
        for symbol, ts_ms in sorted(self._torn):
            instrument = _instrument(self._archive, symbol)
            builder = CandleBuilder(instrument, grace_ms=0, amend_ms=0)
            for tick in self._archive.ticks_since(symbol, ts_ms):
                if tick.ts_ms < ts_ms + MINUTE_MS:
                    builder.add(tick)
            held = self._archive.candles(symbol, MINUTE, ts_ms, ts_ms + 1)
            for made in builder.close(ts_ms + MINUTE_MS, self._archive.coverage(symbol)):
                if not held:
                    self._archive.append(Piece(instrument, (made,)))
                elif held[0].quality is not Quality.COMPLETE and not same_bar(held[0], made):
                    next_one = changed(made, revision=held[0].revision + 1)
                    self._archive.append(Piece(instrument, (next_one,)))

    def _seconds(self, now_ns: int) -> float:
        return (now_ns - self.result.first_ns) / NS


class _Joining:
    """The provider, which says before the first trade of a symbol that all from there on are told."""

    def __init__(self, provider: StreamProvider, first: Callable[[MarketTick], None]) -> None:
        self._provider = provider
        self._first = first
        self._joined: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    def decode(self, frame: str | bytes) -> Sequence[Message]:
        messages = self._provider.decode(frame)
        return [each for message in messages for each in self._after_joining(message)]

    def _after_joining(self, message: Message) -> Iterator[Message]:
        if isinstance(message, Ticks) and message.symbol not in self._joined and message.ticks:
            self._joined.add(message.symbol)
            if not message.snapshot:
                self._first(message.ticks[-1])
                yield Ticks(message.symbol, (), snapshot=True)
        yield message


class _Listener(Silent):
    def __init__(self, player: _Player) -> None:
        self._player = player
        self._result = player.result

    def on_tick(self, symbol: str, lag_ms: float) -> None:  # noqa: ARG002 - of all symbols together
        self._player.heard(lag_ms)

    def on_duplicates(self, symbol: str, count: int) -> None:  # noqa: ARG002
        self._result.duplicates += count

    def on_reordered(self, symbol: str, count: int) -> None:  # noqa: ARG002
        self._result.reordered += count

    def on_gap(self, symbol: str, reason: GapReason, length_ms: int) -> None:  # noqa: ARG002
        self._result.gaps += 1

    def on_malformed(self, kind: str) -> None:  # noqa: ARG002
        self._result.malformed += 1

    def on_notice(self, kind: str) -> None:  # noqa: ARG002
        self._result.notices += 1


def _instrument(archive: Archive, symbol: str) -> Instrument:
    """As wide as the archive has it."""
    price, quantity = archive.scales(symbol) or (0, 0)
    return Instrument(
        symbol=symbol, venue_symbol=symbol, base="", quote="", price_scale=price, quantity_scale=quantity
    )
