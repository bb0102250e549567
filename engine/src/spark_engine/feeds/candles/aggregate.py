"""Larger bars from smaller ones, amended when those are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from msgspec.structs import replace

from spark_engine.data.request import timeframe_ms
from spark_engine.feeds.candles.bars import Grid, grid
from spark_engine.feeds.candles.bucket import Bucket
from spark_engine.feeds.candles.coverage import IntervalSet, interval_set
from spark_engine.feeds.candles.window import NEVER, Window
from spark_engine.feeds.market import Candle, Interval, Quality

SETTLE_MS: Final = 60_000  # how often finer bars are settled


def aggregate(
    candles: Sequence[Candle], timeframe: str, covered: IntervalSet | Iterable[Interval]
) -> list[Candle]:
    """Bars of `timeframe` from finer ones in order of time, each once, in its latest revision.

    PARTIAL if one of the finer bars is, or if a part of the time is neither covered nor that of a COMPLETE
    bar. Revisions are 0. ValueError where a finer bar is no whole part of the larger.
    """
    larger, known = grid(timeframe), interval_set(covered)
    bars = []
    for begin, group in groupby(candles, key=lambda candle: larger.begin(candle.ts_ms)):
        bucket = Bucket(begin)
        for part in group:
            _require_part(part, larger)
            bucket.put(part)
        bars.append(_judged(bucket, larger, known))
    return bars


class Aggregator:
    """Larger bars of one symbol as finer ones come. `grace_ms` and `amend_ms` as those of their builder.

    Memory does not grow with the bar's length: finer bars that are final are kept as one. A revision of such
    a one changes nothing here and is counted: `aggregate` makes the larger bar from the archive.
    """

    def __init__(self, timeframe: str, *, grace_ms: int = 2_000, amend_ms: int = 600_000) -> None:
        """ValueError for negative times; `InvalidSpec` for what is no timeframe."""
        self._grid = grid(timeframe)
        self._window = Window(self._grid, grace_ms, amend_ms)
        self._buckets: dict[int, Bucket] = {}
        self._changed: set[int] = set()  # closed ones, since they were given out
        self._settle_at = NEVER
        self.late_ignored = 0

    @property
    def timeframe(self) -> str:
        return self._grid.timeframe

    def add(self, candle: Candle) -> None:
        """A finer bar, or a revision of one. Where the larger bar is closed, the next `close` or `recheck`
        gives it out revised: once, however many of its parts have changed.

        ValueError for a bar that is no whole part of the larger.
        """
        bucket = self._place(candle)
        if bucket is None:
            self.late_ignored += 1
        elif bucket.closed:
            self._changed.add(bucket.begin)

    def close(self, until_ms: int, covered: IntervalSet | Iterable[Interval]) -> list[Candle]:
        """Bars that ended by `until_ms` less the grace, and revised ones, in order of time.

        To be called after the finer bars of that time were added. `covered`: as for `CandleBuilder.close`,
        but back to the begin of the larger bar.
        """
        self._window.see(covered)
        self._window.advance(until_ms)
        given = self._given_out(self._changed, 1)
        self._changed.clear()
        due = [bucket for begin, bucket in self._buckets.items() if self._window.is_closed(begin)]
        given += self._given_out([bucket.begin for bucket in due if not bucket.closed], 0)
        self._settle(until_ms)
        return sorted(given, key=lambda candle: candle.ts_ms)

    def recheck(self, covered: IntervalSet | Iterable[Interval]) -> list[Candle]:
        """Revised bars, in order of time: of changed finer ones, or whose quality is another now. To be
        called after the finer bars of newly covered times were added."""
        self._window.see(covered)
        other = {begin for begin, bucket in self._buckets.items() if self._is_other(bucket)}
        given = self._given_out(self._changed | other, 1)
        self._changed.clear()
        return given

    def restore(
        self,
        candles: Iterable[Candle],
        closed: Iterable[Candle],
        covered: IntervalSet | Iterable[Interval],
    ) -> None:
        """What was archived, before the first bar: finer bars from the begin of the first larger bar that is
        open or can still be amended, and the `closed` larger ones of that time, all in their latest revision.

        A closed bar that its finer ones contradict was not amended in time: the next `close` gives it out.
        Of the first bar before that time the begin may not be among `candles`: then it stays as it is.
        """
        self._window.see(covered)
        for candle in candles:
            self._place(candle)
        self._window.advance(max((bucket.last for bucket in self._buckets.values()), default=NEVER))
        first = min(self._buckets, default=NEVER)
        if first + self._grid.step_ms <= self._window.final_to and first not in self._buckets[first].parts:
            del self._buckets[first]
        for candle in closed:
            self._window.closed_to = max(self._window.closed_to, candle.ts_ms + self._grid.step_ms)
            bucket = self._buckets.get(candle.ts_ms)
            if bucket is not None:
                bucket.closed, bucket.published = True, candle
                self._changed.add(bucket.begin)
        self._window.known_from = min(self._buckets, default=NEVER)

    def _place(self, candle: Candle) -> Bucket | None:
        """Into its bucket; None where that is final, or the part of it."""
        _require_part(candle, self._grid)
        begin = self._grid.begin(candle.ts_ms)
        bucket = self._buckets.get(begin)
        if bucket is None:
            if self._window.is_final(begin):
                return None
            bucket = self._buckets[begin] = Bucket(begin)
            bucket.closed = self._window.is_closed(begin)
        return bucket if bucket.put(candle) else None

    def _given_out(self, begins: Iterable[int], by: int) -> list[Candle]:
        """The bars that are not as they were given out last; `by`: how much their revision grows."""
        candles = [self._revised(self._buckets[begin], by) for begin in sorted(begins)]
        return [candle for candle in candles if candle is not None]

    def _revised(self, bucket: Bucket, by: int) -> Candle | None:
        before, bucket.closed = bucket.published, True
        revision = 0 if before is None else before.revision
        now = replace(_judged(bucket, self._grid, self._window.covered), revision=revision)
        if now == before:
            return None
        bucket.published = replace(now, revision=revision + by)
        return bucket.published

    def _is_other(self, bucket: Bucket) -> bool:
        known, covered = bucket.published, self._window.covered
        if known is None or (self._window.since_ms or 0) >= bucket.begin + self._grid.step_ms:
            return False
        return _is_whole(bucket, self._grid, covered) != (known.quality is Quality.COMPLETE)

    def _settle(self, until_ms: int) -> None:
        """Final bars are let go; of the others, final parts become one."""
        settled_ms = self._window.settled_ms(until_ms)
        if settled_ms < self._settle_at:
            return
        self._settle_at = settled_ms + SETTLE_MS
        held = {begin: bucket.published for begin, bucket in self._buckets.items()}
        for begin in self._window.give_up(held):
            del self._buckets[begin]
        for bucket in self._buckets.values():
            bucket.settle(settled_ms, self.timeframe, self._window.covered)


def _require_part(part: Candle, larger: Grid) -> None:
    step_ms = timeframe_ms(part.timeframe)
    if larger.step_ms % step_ms or larger.begin(part.ts_ms) + larger.step_ms < part.ts_ms + step_ms:
        raise ValueError(f"bars of {larger.timeframe} cannot be made of one of {part.timeframe}")


def _judged(bucket: Bucket, larger: Grid, covered: IntervalSet) -> Candle:
    whole = _is_whole(bucket, larger, covered)
    candle = bucket.combined(larger.timeframe)
    return replace(candle, quality=Quality.COMPLETE if whole else Quality.PARTIAL)


def _is_whole(bucket: Bucket, larger: Grid, covered: IntervalSet) -> bool:
    """No finer bar is PARTIAL, and all time between them is known."""
    if any(part.quality is not Quality.COMPLETE for part in bucket.parts.values()):
        return False
    return bucket.knows(bucket.begin, bucket.begin + larger.step_ms, covered)
