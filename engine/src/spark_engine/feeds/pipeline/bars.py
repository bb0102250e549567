"""The bars of one symbol: minutes of ticks or of history, and larger ones of minutes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from spark_engine.feeds.candles.aggregate import Aggregator
from spark_engine.feeds.candles.bars import grid
from spark_engine.feeds.candles.builder import CandleBuilder
from spark_engine.feeds.candles.window import NEVER
from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick
from spark_engine.feeds.pipeline.filling import Filling
from spark_engine.feeds.pipeline.knowledge import Knowledge
from spark_engine.feeds.pipeline.observer import LateAction
from spark_engine.feeds.pipeline.rules import MINUTE, MINUTE_MS, SymbolRules


class SymbolBars:
    """`given`: bars to be archived, in the order in which they came to be; whoever takes them empties it."""

    def __init__(self, instrument: Instrument, rules: SymbolRules, knowledge: Knowledge) -> None:
        self.given: list[Candle] = []
        self._grace_ms = rules.grace_ms
        self._knowledge = knowledge
        self._builder = CandleBuilder(instrument, grace_ms=rules.grace_ms, amend_ms=rules.amend_ms)
        self._aggregators = tuple(
            Aggregator(timeframe, grace_ms=rules.grace_ms, amend_ms=rules.amend_ms)
            for timeframe in rules.timeframes
            if timeframe != MINUTE
        )
        self._filling = Filling(
            knowledge, self._builder, rules.grace_ms + rules.history_after_ms, rules.amend_ms
        )
        self._until_ms = NEVER

    def restore(
        self,
        ticks: Sequence[MarketTick],
        candles: Sequence[Candle],
        larger: Mapping[str, Sequence[Candle]],
    ) -> None:
        """As `SymbolFeed.resume`. Bars before `candles` were given out long ago."""
        begin = candles[0].ts_ms if candles else NEVER
        self._builder.restore((tick for tick in ticks if tick.ts_ms >= begin), candles)
        for candle in candles:
            self._filling.given(candle)
        for aggregator in self._aggregators:
            aggregator.restore(candles, larger.get(aggregator.timeframe, ()), self._knowledge.bars)

    def add(self, tick: MarketTick) -> LateAction | None:
        """What became of a tick whose bar is closed."""
        ignored = self._builder.late_ignored
        amended = self._builder.add(tick)
        if amended is not None:
            self._give([amended])
            return "amended"
        return "ignored" if self._builder.late_ignored > ignored else None

    def rescale(self, instrument: Instrument) -> None:
        """ValueError for fewer decimals."""
        self._builder.rescale(instrument)

    def close(self, until_ms: int) -> list[Interval]:
        """Bars whose end and grace are over, and closed ones that have become better or worse since. The
        times whose ticks are given up."""
        self._until_ms = max(until_ms, self._until_ms)
        lost = self._filling.expired(self.closed_to_ms)
        self._roll_up()
        return lost

    @property
    def closed_to_ms(self) -> int:
        """The minutes until then are closed."""
        return (self._until_ms - self._grace_ms) // MINUTE_MS * MINUTE_MS

    def history_wanted(self, now_ms: int) -> list[Interval]:
        return self._filling.wanted(now_ms, self.closed_to_ms)

    def compare(
        self, interval: Interval, candles: Sequence[Candle], now_ms: int
    ) -> tuple[list[Interval], list[Interval]]:
        """Ticks that only the socket told, beside the venue's bars: (proved, lost). Before `fill`."""
        proved, lost = self._filling.compared(interval, candles, now_ms)
        if lost:
            self._roll_up()  # PARTIAL now: `fill` may replace them
        return proved, lost

    def fill(self, interval: Interval, candles: Sequence[Candle], now_ms: int) -> tuple[int, list[Interval]]:
        """What the history has of `interval`: (how many bars are new, times of which all are known now)."""
        revised, settled = self._filling.filled(interval, candles, now_ms)
        self._give(revised)
        self._roll_up()  # larger bars no later than the word that their time is covered
        return len(revised), settled

    def backfilled(self, interval: Interval, candles: Sequence[Candle], end_ms: int) -> None:
        """As `SymbolFeed.backfilled`. Larger bars that ended before are made of the archive."""
        unsettled = self._filling.archived(interval, candles)
        for aggregator in self._aggregators:
            begin = max(interval.from_ms, grid(aggregator.timeframe).begin(end_ms))
            for part in unsettled.missing(begin, interval.to_ms):
                self._knowledge.bars.add(part.from_ms, part.to_ms)
            for candle in candles:
                if candle.ts_ms >= begin:
                    aggregator.add(candle)

    def _roll_up(self) -> None:
        known = self._knowledge.bars
        self._give(self._builder.close(self._until_ms, known))
        self._give(self._builder.recheck(known))
        for aggregator in self._aggregators:
            self.given += aggregator.close(self._until_ms, known)
            self.given += aggregator.recheck(known)

    def _give(self, minutes: Iterable[Candle]) -> None:
        for candle in minutes:
            self.given.append(candle)
            self._filling.given(candle)
            for aggregator in self._aggregators:
                aggregator.add(candle)
