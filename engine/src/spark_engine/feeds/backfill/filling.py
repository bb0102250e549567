"""The history of one symbol on its way into an archive. Blocking: to be called where the archive may be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from spark_engine.data.request import timeframe_ms
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.backfill.convert import Piece
from spark_engine.feeds.backfill.larger import MINUTE, Draft, larger_timeframes, windows
from spark_engine.feeds.backfill.pages import paged
from spark_engine.feeds.backfill.plan import HistoryRequest, Order, Plan
from spark_engine.feeds.candles.bars import grid, rescaled
from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.candles.history import mended, says_the_same
from spark_engine.feeds.market import Candle, Instrument, Interval, Quality

CHUNK_BARS: Final = 40_000  # of larger bars that are owed, in memory at a time


@dataclass(frozen=True, slots=True)
class Page:
    """What of one answer went into the archive. bars: time that was missing, in bars of the base. candles:
    the venue's, in that time. disagreements: bars of which our ticks prove that the venue's are wrong."""

    request: HistoryRequest
    candles: tuple[Candle, ...]
    bars: int
    disagreements: int = 0


class Filling:
    """Bars within `span` of one symbol: those of the shortest of `timeframes`, the longer ones made of them.

    The archive must be open with all of `timeframes`: what a page covers and the larger bars that become
    whole by it are acknowledged together, so that no crash parts them.
    """

    def __init__(self, instrument: Instrument, span: Interval, timeframes: Sequence[str]) -> None:
        self.instrument = instrument
        self.base = MINUTE if MINUTE in timeframes else min(timeframes, key=timeframe_ms)
        bars = grid(self.base)
        self.span = Interval(bars.begin(span.from_ms), bars.begin(span.to_ms))
        self._larger = larger_timeframes(timeframes, self.base)
        self._covered = IntervalSet()
        self._left: dict[str, set[Interval]] = {timeframe: set() for timeframe, _ in self._larger}

    def owed(self, archive: Archive) -> list[Interval]:
        """Times of which the archive has the base and not all of the longer bars, in pieces for `make`."""
        symbol = self.instrument.symbol
        self._covered = IntervalSet(archive.coverage(symbol, self.base))
        lacking = IntervalSet()
        for timeframe, _ in self._larger:
            known = IntervalSet(archive.coverage(symbol, timeframe))
            for hole in known.missing(self.span.from_ms, self.span.to_ms):
                for part in self._covered.clip(hole.from_ms, hole.to_ms):
                    lacking.add(part.from_ms, part.to_ms)
        most = CHUNK_BARS * timeframe_ms(self.base)
        return [
            Interval(begin, min(begin + most, part.to_ms))
            for part in lacking
            for begin in range(part.from_ms, part.to_ms, most)
        ]

    def make(self, archive: Archive, span: Interval) -> int:
        """The longer bars of a time whose base is there. How many are new."""
        draft = self._draft(archive)
        self._aggregate(draft, (span,))
        archive.append(Piece(self.instrument, draft.written(), (span,)))
        return len(draft.written())

    def plan(self, bars_most: int, order: Order = "newest") -> Plan:
        """After `owed`."""
        return paged(self._covered, self.span, self.base, bars_most, order)

    def take(self, archive: Archive, request: HistoryRequest, candles: Iterable[Candle]) -> Page:
        """One answer: on return it is acknowledged. Raises as `Archive.append`."""
        found = tuple(candle for candle in candles if _inside(candle, request.missing))
        draft = self._draft(archive)
        known = {candle.ts_ms: candle for candle in draft.candles(self.base, request.span)}
        merges = [_merged(known.get(candle.ts_ms), candle) for candle in found]
        draft.write(candle for candle, _ in merges if candle is not None)
        for hole in request.missing:
            self._covered.add(hole.from_ms, hole.to_ms)
        self._aggregate(draft, request.missing)
        archive.append(Piece(self.instrument, draft.written(), request.missing))
        bars = sum(hole.to_ms - hole.from_ms for hole in request.missing) // timeframe_ms(self.base)
        return Page(request, found, bars, sum(disagrees for _, disagrees in merges))

    def end(self, archive: Archive) -> int:
        """Longer bars of which a part could not be had, marked so. How many are new or revised."""
        draft = self._draft(archive)
        for timeframe, source in self._larger:
            for window in sorted(self._left[timeframe]):
                draft.aggregate(timeframe, source, window)
            self._left[timeframe].clear()
        if draft.written():
            archive.append(Piece(self.instrument, draft.written()))
        return len(draft.written())

    def _draft(self, archive: Archive) -> Draft:
        return Draft(archive, self.instrument.symbol, self._covered)

    def _aggregate(self, draft: Draft, spans: Iterable[Interval]) -> None:
        """The bars that are whole now; others may become so."""
        listed = tuple(spans)
        for timeframe, source in self._larger:
            whole = IntervalSet()
            for window in windows(timeframe, listed, self.span.to_ms):
                if self._covered.covered(window.from_ms, window.to_ms):
                    whole.add(window.from_ms, window.to_ms)
                    self._left[timeframe].discard(window)
                else:
                    self._left[timeframe].add(window)
            for span in whole:
                draft.aggregate(timeframe, source, span)


def _inside(candle: Candle, holes: Iterable[Interval]) -> bool:
    return any(hole.from_ms <= candle.ts_ms < hole.to_ms for hole in holes)


def _merged(ours: Candle | None, history: Candle) -> tuple[Candle | None, bool]:
    """What is to be written, and whether the two contradict each other. Of a time that is not covered:
    nothing has proved that a bar of our ticks has all of them, whatever it was believed to be."""
    if ours is None:
        return replace(history, source="history", revision=0), False
    price = max(ours.price_scale, history.price_scale)
    quantity = max(ours.quantity_scale, history.quantity_scale)
    ours, history = rescaled(ours, price, quantity), rescaled(history, price, quantity)
    if ours.source == "ticks" and not says_the_same(ours, history):
        ours = replace(ours, quality=Quality.PARTIAL)
    result = mended(ours, history)
    return result.candle, result.disagrees
