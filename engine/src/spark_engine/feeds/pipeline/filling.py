"""What the venue's history is asked for, and what its answer settles. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from spark_engine.feeds.candles.builder import CandleBuilder
from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.market import Candle, Interval, Quality
from spark_engine.feeds.pipeline.knowledge import Knowledge
from spark_engine.feeds.pipeline.rules import MINUTE_MS

MOST_PARTIAL: Final = 1440


class Filling:
    """`after_ms`: how long after its end a bar is asked for. `patience_ms`: how long after its end a bar that
    the history does not have, or has otherwise, is asked for again; then ours stays, as PARTIAL as it is."""

    def __init__(self, knowledge: Knowledge, builder: CandleBuilder, after_ms: int, patience_ms: int) -> None:
        self._knowledge = knowledge
        self._builder = builder
        self._after_ms = after_ms
        self._patience_ms = patience_ms
        self._partial: set[int] = set()  # minutes given out so

    def given(self, minute: Candle) -> None:
        if minute.quality is not Quality.PARTIAL:
            self._partial.discard(minute.ts_ms)
            return
        self._partial.add(minute.ts_ms)
        if len(self._partial) > MOST_PARTIAL:
            self._partial.discard(min(self._partial))

    def wanted(self, now_ms: int, closed_to_ms: int) -> list[Interval]:
        """Whole minutes that are closed: the history's word on an open one would be lost."""
        until_ms = min((now_ms - self._after_ms) // MINUTE_MS * MINUTE_MS, closed_to_ms)
        wanted = IntervalSet(
            Interval(gap.from_ms // MINUTE_MS * MINUTE_MS, -(-gap.to_ms // MINUTE_MS) * MINUTE_MS)
            for gap in self._knowledge.missing
        )
        begin = wanted.from_ms
        return [] if begin is None else wanted.clip(begin, until_ms)

    def filled(
        self, interval: Interval, candles: Sequence[Candle], now_ms: int
    ) -> tuple[list[Candle], list[Interval]]:
        """(bars to be written, times of which all bars are known now)."""
        replaced = [self._builder.replace(candle) for candle in candles]
        revised = [candle for candle in replaced if candle is not None]
        for candle in revised:
            self.given(candle)
        settled = IntervalSet([interval])
        for minute in sorted(self._partial):
            if interval.from_ms <= minute < interval.to_ms:
                settled.remove(minute, minute + MINUTE_MS)
                if now_ms >= minute + MINUTE_MS + self._patience_ms:
                    self._knowledge.missing.remove(minute, minute + MINUTE_MS)
        for part in settled:
            self._knowledge.filled(part.from_ms, part.to_ms)
        return revised, list(settled)

    def archived(self, interval: Interval, candles: Sequence[Candle]) -> IntervalSet:
        """Others brought these bars into the archive: what we gave out as PARTIAL is over. The minutes of
        `interval` that are PARTIAL all the same."""
        for candle in candles:
            if candle.ts_ms in self._partial and (known := self._builder.replace(candle)) is not None:
                self.given(known)
        minutes = (minute for minute in self._partial if interval.from_ms <= minute < interval.to_ms)
        return IntervalSet(Interval(minute, minute + MINUTE_MS) for minute in minutes)
