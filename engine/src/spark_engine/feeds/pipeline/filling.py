"""What the venue's history is asked for, and what its answer settles. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from spark_engine.feeds.candles.bars import rescaled
from spark_engine.feeds.candles.builder import CandleBuilder
from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.candles.history import contains, says_the_same
from spark_engine.feeds.candles.window import NEVER
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
            for gap in (*self._knowledge.missing, *self._knowledge.unproved)
        )
        begin = wanted.from_ms
        return [] if begin is None else wanted.clip(begin, until_ms)

    def compared(
        self, interval: Interval, candles: Sequence[Candle], now_ms: int
    ) -> tuple[list[Interval], list[Interval]]:
        """What only the socket told of `interval`, beside the venue's bars of it: (proved, lost). What is in
        neither waits for the rest of its minute, or for a history that is not behind ours."""
        proved: list[Interval] = []
        lost: list[Interval] = []
        unproved = self._knowledge.unproved.clip(interval.from_ms, interval.to_ms)
        if not unproved:
            return proved, lost
        price_scale = self._builder.instrument.price_scale
        quantity_scale = self._builder.instrument.quantity_scale
        history = {candle.ts_ms: rescaled(candle, price_scale, quantity_scale) for candle in candles}
        for minute, part in _minutes(unproved):
            whole = self._knowledge.has(minute, minute + MINUTE_MS)
            ended = (self._knowledge.to_ms or NEVER) >= minute + MINUTE_MS
            ours, theirs = self._builder.of_ticks(minute), history.get(minute)
            if whole and says_the_same(ours, theirs):
                proved.append(part)
            elif (ended and (not whole or contains(theirs, ours))) or self._is_over(minute, now_ms):
                lost.append(part)
        for part in proved:
            self._knowledge.prove(part)
        for part in lost:
            self._knowledge.lose(part.from_ms, part.to_ms)
        return proved, lost

    def expired(self, closed_to_ms: int) -> list[Interval]:
        """What history has not proved before its bars are final: it is lost, so that they wait as PARTIAL."""
        lost = self._knowledge.unproved.clip(NEVER, closed_to_ms - self._patience_ms + MINUTE_MS)
        for part in lost:
            self._knowledge.lose(part.from_ms, part.to_ms)
        return lost

    def filled(
        self, interval: Interval, candles: Sequence[Candle], now_ms: int
    ) -> tuple[list[Candle], list[Interval]]:
        """(bars to be written, times of which all bars are known now)."""
        replaced = [self._builder.replace(candle, lacking=self._lacks(candle)) for candle in candles]
        revised = [candle for candle in replaced if candle is not None]
        for candle in revised:
            self.given(candle)
        settled = IntervalSet([interval])
        for minute, _ in _minutes(self._knowledge.unproved.clip(interval.from_ms, interval.to_ms)):
            settled.remove(minute, minute + MINUTE_MS)
        for minute in sorted(self._partial):
            if interval.from_ms <= minute < interval.to_ms:
                settled.remove(minute, minute + MINUTE_MS)
                if self._is_over(minute, now_ms):
                    self._knowledge.missing.remove(minute, minute + MINUTE_MS)
        for part in settled:
            self._knowledge.filled(part.from_ms, part.to_ms)
        return revised, list(settled)

    def archived(self, interval: Interval, candles: Sequence[Candle]) -> IntervalSet:
        """Others brought these bars into the archive: what we gave out as PARTIAL, or miss, is over. The
        minutes of `interval` that are PARTIAL all the same."""
        for candle in candles:
            lacking = self._lacks(candle)
            if lacking or candle.ts_ms in self._partial:
                known = self._builder.replace(candle, lacking=lacking)
                if known is not None:
                    self.given(known)
        minutes = (minute for minute in self._partial if interval.from_ms <= minute < interval.to_ms)
        unsettled = IntervalSet(Interval(minute, minute + MINUTE_MS) for minute in minutes)
        for part in self._knowledge.missing.clip(interval.from_ms, interval.to_ms):
            for settled in unsettled.missing(part.from_ms, part.to_ms):
                self._knowledge.filled(settled.from_ms, settled.to_ms)
        return unsettled

    def _lacks(self, candle: Candle) -> bool:
        return bool(self._knowledge.missing.clip(candle.ts_ms, candle.ts_ms + MINUTE_MS))

    def _is_over(self, minute: int, now_ms: int) -> bool:
        return now_ms >= minute + MINUTE_MS + self._patience_ms


def _minutes(parts: Sequence[Interval]) -> Iterator[tuple[int, Interval]]:
    """Each part cut at whole minutes, with the minute it is of."""
    for part in parts:
        for minute in range(part.from_ms // MINUTE_MS * MINUTE_MS, part.to_ms, MINUTE_MS):
            yield minute, Interval(max(part.from_ms, minute), min(part.to_ms, minute + MINUTE_MS))
