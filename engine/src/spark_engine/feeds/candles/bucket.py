"""The finer bars of one larger bar, few of them however long it is."""

from __future__ import annotations

from spark_engine.data.request import timeframe_ms
from spark_engine.feeds.candles.bars import combined
from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.market import Candle, Quality


class Bucket:
    """`parts`: finer bars, or stretches of them that are settled and kept as one, by begin.

    A stretch has no time in it of which anything could still come.
    """

    __slots__ = ("begin", "closed", "ends", "filled", "last", "parts", "published")

    def __init__(self, begin: int) -> None:
        self.begin = begin
        self.parts: dict[int, Candle] = {}
        self.ends: dict[int, int] = {}
        self.last = begin  # end of the last part: most bars come in order, and then none overlaps
        self.filled = IntervalSet()  # time of which the venue's history gave the bars
        self.closed = False
        self.published: Candle | None = None

    def put(self, candle: Candle) -> bool:
        """False for a bar within a settled stretch."""
        begin, end = candle.ts_ms, candle.ts_ms + timeframe_ms(candle.timeframe)
        if begin < self.last and any(
            first < end and begin < last and (first, last) != (begin, end)
            for first, last in self.ends.items()
        ):
            return False
        self.parts[begin], self.ends[begin] = candle, end
        self.last = max(self.last, end)
        if candle.quality is Quality.COMPLETE and candle.source != "ticks":
            self.filled.add(begin, end)
        return True

    def combined(self, timeframe: str) -> Candle:
        return combined([self.parts[ts] for ts in sorted(self.parts)], timeframe, self.begin)

    def knows(self, from_ms: int, to_ms: int, covered: IntervalSet) -> bool:
        """Whether all of the time is covered, by ticks or by history."""
        return all(self.filled.covered(gap.from_ms, gap.to_ms) for gap in covered.missing(from_ms, to_ms))

    def settle(self, before_ms: int, timeframe: str, covered: IntervalSet) -> None:
        """Whole neighbours that ended by `before_ms` become one."""
        stretch: int | None = None
        for begin in sorted(begin for begin, end in self.ends.items() if end <= before_ms):
            if self.parts[begin].quality is not Quality.COMPLETE:
                stretch = None
            elif stretch is None or not self.knows(self.ends[stretch], begin, covered):
                stretch = begin
            else:
                self.parts[stretch] = combined(
                    [self.parts[stretch], self.parts.pop(begin)], timeframe, stretch
                )
                self.ends[stretch] = self.ends.pop(begin)
