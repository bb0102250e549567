"""Records of the journal, by series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from spark_crds.formats.archive import TICKS

from spark_engine.data.archive.segment import CandleRow, TickRow
from spark_engine.feeds.archive.records import CandleRecord, Entry, Span, TickRecord

UNCOMMITTED = 0  # the number of a row whose commit is not yet known


class SeriesKey(NamedTuple):
    """timeframe: of candles, or `TICKS`."""

    symbol: str
    timeframe: str


@dataclass(slots=True)
class Pending:
    """What a commit will add to a series."""

    venue_symbol: str
    price_scale: int = 0
    quantity_scale: int = 0
    ticks: list[TickRow] = field(default_factory=list)
    candles: list[CandleRow] = field(default_factory=list)
    covered: list[Span] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ticks) + len(self.candles)

    def add(self, entry: Entry, timeframe: str) -> None:
        self.venue_symbol = entry.venue_symbol
        self.price_scale = max(self.price_scale, entry.price_scale)
        self.quantity_scale = max(self.quantity_scale, entry.quantity_scale)
        if timeframe == TICKS:
            self.ticks += (tick_row(entry, tick) for tick in entry.ticks)
            self.covered += entry.covered_ticks
            return
        self.candles += (candle_row(candle) for candle in entry.candles if candle.timeframe == timeframe)
        self.covered += entry.covered


def series_of(entry: Entry) -> Iterator[SeriesKey]:
    """The series that a record says something about."""
    if entry.ticks or entry.covered_ticks:
        yield SeriesKey(entry.symbol, TICKS)
    named = {candle.timeframe for candle in entry.candles}
    for timeframe in entry.timeframes:
        if entry.covered or timeframe in named:
            yield SeriesKey(entry.symbol, timeframe)


def tick_row(entry: Entry, tick: TickRecord) -> TickRow:
    return TickRow(
        ts=tick.ts_ms,
        id=tick.id,
        price=tick.price,
        quantity=tick.quantity,
        price_scale=entry.price_scale,
        quantity_scale=entry.quantity_scale,
        side=tick.side,
        commit=UNCOMMITTED,
    )


def candle_row(candle: CandleRecord) -> CandleRow:
    return CandleRow(
        ts=candle.ts_ms,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
        trades=candle.trades,
        quality=candle.quality,
        source=candle.source,
        revision=candle.revision,
        commit=UNCOMMITTED,
        price_scale=candle.price_scale,
        quantity_scale=candle.quantity_scale,
    )
