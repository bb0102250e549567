"""What a symbol hands to the archive in one piece."""

from __future__ import annotations

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
