"""What a symbol hands to the archive in one piece."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick


@dataclass(frozen=True, slots=True)
class Batch:
    """covered: in which every bar that exists is known. covered_ticks: in which every tick is."""

    instrument: Instrument
    ticks: tuple[MarketTick, ...] = ()
    candles: tuple[Candle, ...] = ()
    covered: tuple[Interval, ...] = ()
    covered_ticks: tuple[Interval, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ticks or self.candles or self.covered or self.covered_ticks)


class Gathering:
    """A batch in the making, but for its bars."""

    __slots__ = ("covered", "covered_ticks", "ticks")

    def __init__(self) -> None:
        self.ticks: list[MarketTick] = []
        self.covered: list[Interval] = []
        self.covered_ticks: list[Interval] = []

    def batch(self, instrument: Instrument, candles: Iterable[Candle]) -> Batch:
        """Of a bar that was revised often, its last revision."""
        latest = {(candle.timeframe, candle.ts_ms): candle for candle in candles}
        return Batch(
            instrument,
            tuple(self.ticks),
            tuple(latest.values()),
            tuple(self.covered),
            tuple(self.covered_ticks),
        )
