"""The ticks of one bar, summed up."""

from __future__ import annotations

from spark_engine.feeds.market import Candle, MarketTick
from spark_engine.feeds.sequence.memory import id_key


class Bar:
    """`closed`: its time is over. `published`: as given out last. `contradicted`: by the venue's own bar."""

    __slots__ = (
        "begin",
        "close",
        "closed",
        "contradicted",
        "first",
        "high",
        "last",
        "low",
        "open",
        "published",
        "trades",
        "volume",
    )

    def __init__(self, begin: int) -> None:
        self.begin = begin
        self.open = self.high = self.low = self.close = 0
        self.volume = self.trades = 0
        self.first: MarketTick | None = None
        self.last: MarketTick | None = None  # None though there are trades: open and close stay as they are
        self.closed = self.contradicted = False
        self.published: Candle | None = None

    def take(self, tick: MarketTick) -> None:
        price = tick.price
        if not self.trades:
            self.open = self.high = self.low = self.close = price
            self.first = self.last = tick
        else:
            if price > self.high:
                self.high = price
            elif price < self.low:
                self.low = price
            if self.last is not None and self.first is not None:
                if not _before(tick, self.last):
                    self.last, self.close = tick, price
                if _before(tick, self.first):
                    self.first, self.open = tick, price
        self.volume += tick.quantity
        self.trades += 1

    def adopt(self, candle: Candle) -> None:
        """Sums of a bar whose ticks are not at hand."""
        self.open, self.high, self.low, self.close = candle.open, candle.high, candle.low, candle.close
        self.volume, self.trades = candle.volume, candle.trades or 1
        self.first = self.last = None

    def rescale(self, prices: int, quantities: int) -> None:
        self.open, self.high = self.open * prices, self.high * prices
        self.low, self.close = self.low * prices, self.close * prices
        self.volume *= quantities


def _before(tick: MarketTick, other: MarketTick) -> bool:
    """Whether `tick` came first: by time, by numeric id, as they arrived."""
    if tick.ts_ms != other.ts_ms:
        return tick.ts_ms < other.ts_ms
    return id_key(tick.id) < id_key(other.id)
