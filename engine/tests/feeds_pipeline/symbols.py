"""One symbol of a venue, and what its feed tells."""

# ruff: noqa: ARG002 - an observer is told more than is counted here

from __future__ import annotations

from collections import Counter

from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick
from spark_engine.feeds.pipeline.batch import Batch
from spark_engine.feeds.pipeline.observer import GapReason, LateAction, Silent
from spark_engine.feeds.pipeline.rules import SymbolRules
from spark_engine.feeds.pipeline.symbol import SymbolFeed
from spark_engine.feeds.provider import Ticks

BEGIN = 1_774_742_400_000  # a whole minute
MINUTE = 60_000
FIRST_MINUTE = Interval(BEGIN, BEGIN + MINUTE)
MOST = 5  # trades that the venue tells at most
GRACE = 2_000
AMEND = 120_000


class Told(Silent):
    """Counts by word."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def on_duplicates(self, symbol: str, count: int) -> None:
        self.counts["duplicates"] += count

    def on_gap(self, symbol: str, reason: GapReason, length_ms: int) -> None:
        self.counts[f"gap {reason}"] += 1

    def on_recovered(self, symbol: str, ticks: int) -> None:
        self.counts["recovered"] += ticks

    def on_late(self, symbol: str, action: LateAction) -> None:
        self.counts[action] += 1


class Symbol:
    """A feed with what it gave to the archive so far."""

    def __init__(self, *, sequential: bool = False) -> None:
        rules = SymbolRules(("1m", "5m"), GRACE, AMEND, sequential, MOST)
        instrument = Instrument(
            symbol="BTCTRY", venue_symbol="BTCTRY", base="BTC", quote="TRY", price_scale=0, quantity_scale=2
        )
        self.told = Told()
        self.feed = SymbolFeed(instrument, rules, self.told)
        self.batches: list[Batch] = []

    def joined(self, *ticks: MarketTick, at: int) -> None:
        self.feed.joined(Ticks("BTCTRY", ticks, snapshot=True), BEGIN + at)

    def streamed(self, *ticks: MarketTick, at: int) -> None:
        self.feed.streamed(Ticks("BTCTRY", ticks), BEGIN + at)

    def recent(self, *ticks: MarketTick, asked: int) -> int:
        return self.feed.recent(Ticks("BTCTRY", ticks, snapshot=True), BEGIN + asked, BEGIN + asked + 50)

    def proved(self, until: int) -> None:
        self.feed.proved(BEGIN + until)

    def close(self, until: int) -> None:
        self.feed.close(BEGIN + until)

    def take(self) -> Batch:
        batch = self.feed.take()
        self.batches.append(batch)
        return batch

    @property
    def ids(self) -> list[str]:
        """Of all ticks given to the archive."""
        self.take()
        return [tick.id for batch in self.batches for tick in batch.ticks]

    @property
    def covered_ticks(self) -> list[tuple[int, int]]:
        """Told to the archive, since BEGIN."""
        self.take()
        spans = [span for batch in self.batches for span in batch.covered_ticks]
        return [(span.from_ms - BEGIN, span.to_ms - BEGIN) for span in spans]


def trade(number: int, at: int, price: int = 100) -> MarketTick:
    """Trade `number`, `at` ms after BEGIN."""
    return MarketTick("BTCTRY", str(number), BEGIN + at, price, 1, 1)


def history(at: int, *, volume: int = 10, high: int = 100) -> Candle:
    return Candle(
        symbol="BTCTRY", timeframe="1m", ts_ms=BEGIN + at, open=100, high=high, low=100, close=100,
        volume=volume, price_scale=0, quantity_scale=2, source="history",
    )  # fmt: skip


def bars(one: Symbol, timeframe: str = "1m") -> list[Candle]:
    one.take()
    return [bar for batch in one.batches for bar in batch.candles if bar.timeframe == timeframe]
