"""What the journal keeps: everything of one symbol that was acknowledged at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec
from spark_crds.formats.archive import MOST_SCALE, NAME, TICKS
from spark_crds.patterns import TIMEFRAME_PATTERN

from spark_engine.data.archive.segment import SOURCES
from spark_engine.errors import InvalidData
from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick, Source

LAST_MS: Final = 253_402_300_799_999  # of the year 9999: dates have four digits
MOST: Final = (1 << 63) - 1
MOST_ID: Final = 200
TIMEFRAME: Final = re.compile(TIMEFRAME_PATTERN, re.ASCII)


class Acknowledgeable(Protocol):
    """What is appended in one piece. covered: time in which every bar that exists is known, by this piece
    or earlier ones, for every timeframe. covered_ticks: in which every tick is. Scales are `instrument`'s."""

    @property
    def instrument(self) -> Instrument: ...
    @property
    def ticks(self) -> Sequence[MarketTick]: ...
    @property
    def candles(self) -> Sequence[Candle]: ...
    @property
    def covered(self) -> Sequence[Interval]: ...
    @property
    def covered_ticks(self) -> Sequence[Interval]: ...


class TickRecord(NamedTuple):
    id: str
    ts_ms: int
    price: int
    quantity: int
    side: int


class CandleRecord(NamedTuple):
    timeframe: str
    ts_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    price_scale: int
    quantity_scale: int
    trades: int | None
    quality: int
    source: Source
    revision: int


Span = tuple[int, int]


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One record. timeframes: of the series that `covered` is about."""

    sequence: int
    symbol: str
    venue_symbol: str
    price_scale: int
    quantity_scale: int
    ticks: tuple[TickRecord, ...]
    candles: tuple[CandleRecord, ...]
    timeframes: tuple[str, ...]
    covered: tuple[Span, ...]
    covered_ticks: tuple[Span, ...]


def entry(sequence: int, piece: Acknowledgeable, timeframes: Sequence[str]) -> Entry:
    """Raises `InvalidData` for what no segment could hold: once journaled it would stop every flush."""
    instrument = piece.instrument
    found = Entry(
        sequence=sequence,
        symbol=_symbol(instrument),
        venue_symbol=instrument.venue_symbol or instrument.symbol,
        price_scale=_within(instrument.price_scale, MOST_SCALE, "price scale"),
        quantity_scale=_within(instrument.quantity_scale, MOST_SCALE, "quantity scale"),
        ticks=tuple(_tick(tick, instrument.symbol) for tick in piece.ticks),
        candles=tuple(_candle(candle, instrument.symbol) for candle in piece.candles),
        timeframes=tuple(sorted({*timeframes, *(candle.timeframe for candle in piece.candles)})),
        covered=_spans(piece.covered),
        covered_ticks=_spans(piece.covered_ticks),
    )
    for timeframe in found.timeframes:
        if TIMEFRAME.fullmatch(timeframe) is None:
            raise InvalidData(f"a timeframe of {found.symbol} must be such as 1m; is {timeframe[:40]!r}")
    return found


def _symbol(instrument: Instrument) -> str:
    if NAME.fullmatch(instrument.symbol) is None or instrument.symbol == TICKS:
        raise InvalidData(f"a symbol must be such as BTCTRY; is {instrument.symbol[:80]!r}")
    return instrument.symbol


def _tick(tick: MarketTick, symbol: str) -> TickRecord:
    _same(tick.symbol, symbol)
    try:
        size = len(tick.id.encode())
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= MOST_ID:
        raise InvalidData(f"the id of a tick of {symbol} must have 1 to {MOST_ID} bytes")
    if tick.side not in (-1, 0, 1):
        raise InvalidData(f"the side of tick {tick.id} of {symbol} must be -1, 0 or 1; is {tick.side}")
    what = "price or quantity of a tick"
    price, quantity = _within(tick.price, MOST, what), _within(tick.quantity, MOST, what)
    return TickRecord(tick.id, _within(tick.ts_ms, LAST_MS, "time"), price, quantity, tick.side)


def _candle(candle: Candle, symbol: str) -> CandleRecord:
    _same(candle.symbol, symbol)
    for number in (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.trades or 0):
        _within(number, MOST, "number of a candle")
    if candle.source not in SOURCES:
        raise InvalidData(f"the source of a candle must be one of {', '.join(SOURCES)}")
    return CandleRecord(
        timeframe=candle.timeframe,
        ts_ms=_within(candle.ts_ms, LAST_MS, "time"),
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
        price_scale=_within(candle.price_scale, MOST_SCALE, "price scale"),
        quantity_scale=_within(candle.quantity_scale, MOST_SCALE, "quantity scale"),
        trades=candle.trades,
        quality=int(candle.quality),
        source=candle.source,
        revision=_within(candle.revision, (1 << 30) - 1, "revision"),
    )


def _spans(intervals: Iterable[Interval]) -> tuple[Span, ...]:
    return tuple(
        (_within(each.from_ms, LAST_MS, "time"), _within(each.to_ms, LAST_MS, "time"))
        for each in intervals
        if each.from_ms < each.to_ms
    )


def _same(found: str, symbol: str) -> None:
    if found != symbol:
        raise InvalidData(f"appended under {symbol}, but of {found[:80]}")


def _within(number: int, most: int, what: str) -> int:
    if not 0 <= number <= most:
        raise InvalidData(f"a {what} must be from 0 to {most}; is {number}")
    return number
