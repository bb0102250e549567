"""Larger bars from what an archive holds, after smaller ones of an old time have changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from msgspec.structs import replace

from spark_engine.data.request import anchor_ms, timeframe_ms
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.backfill.convert import Piece
from spark_engine.feeds.candles.aggregate import aggregate
from spark_engine.feeds.candles.bars import grid, rescaled
from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.market import Candle, Instrument, Interval

MINUTE: Final = "1m"


class Draft:
    """The bars of one symbol as the archive has them, and on top of them those that it is to get next."""

    def __init__(self, archive: Archive, symbol: str, covered: IntervalSet) -> None:
        self._archive = archive
        self._symbol = symbol
        self._covered = covered
        self._written: dict[str, dict[int, Candle]] = {}

    def written(self) -> tuple[Candle, ...]:
        return tuple(chain.from_iterable(bars.values() for bars in self._written.values()))

    def write(self, candles: Iterable[Candle]) -> None:
        for candle in candles:
            self._written.setdefault(candle.timeframe, {})[candle.ts_ms] = candle

    def candles(self, timeframe: str, span: Interval) -> list[Candle]:
        """Those that open in `span`, oldest first."""
        held = self._archive.candles(self._symbol, timeframe, span.from_ms, span.to_ms)
        bars = {candle.ts_ms: candle for candle in held}
        written = self._written.get(timeframe, {})
        bars |= {ts_ms: bar for ts_ms, bar in written.items() if span.from_ms <= ts_ms < span.to_ms}
        return [bars[ts_ms] for ts_ms in sorted(bars)]

    def aggregate(self, timeframe: str, source: str, span: Interval) -> None:
        """Writes those bars of `timeframe` in `span`, a part of its grid, that are new or not the same."""
        made = aggregate(self.candles(source, span), timeframe, self._covered)
        known = {candle.ts_ms: candle for candle in self.candles(timeframe, span)} if made else {}
        for bar in made:
            before = known.get(bar.ts_ms)
            if before is None:
                self.write((bar,))
            elif not same_bar(before, bar):
                self.write((replace(bar, revision=before.revision + 1),))


def larger_timeframes(timeframes: Iterable[str], base: str) -> tuple[tuple[str, str], ...]:
    """(timeframe, what it is made of), shortest first: of the longest before it that divides it, so that
    weeks are made of days, and days of hours, where there are such. Weeks divide nothing but weeks."""
    longer = sorted((each for each in set(timeframes) if each != base), key=timeframe_ms)
    known, found = [base], []
    for timeframe in longer:
        length, anchor = timeframe_ms(timeframe), anchor_ms(timeframe)
        parts = [
            each
            for each in known
            if length % timeframe_ms(each) == 0 and (anchor - anchor_ms(each)) % timeframe_ms(each) == 0
        ]
        found.append((timeframe, parts[-1] if parts else base))
        known.append(timeframe)
    return tuple(found)


def windows(timeframe: str, spans: Iterable[Interval], until_ms: int | None = None) -> list[Interval]:
    """The bars of `timeframe` that reach into `spans`, each once; none before 1970, nor one that ends
    after `until_ms`."""
    larger = grid(timeframe)
    begins: set[int] = set()
    for span in spans:
        begins.update(range(larger.begin(span.from_ms), span.to_ms, larger.step_ms))
    ends = ((begin, begin + larger.step_ms) for begin in sorted(begins))
    return [
        Interval(begin, end) for begin, end in ends if begin >= 0 and (until_ms is None or end <= until_ms)
    ]


def reaggregate(
    archive: Archive,
    instrument: Instrument,
    timeframes: Sequence[str],
    interval: Interval,
    *,
    base: str = MINUTE,
    until_ms: int | None = None,
) -> int:
    """Makes the larger bars that reach into `interval` again, of what the archive holds of `base`; one that
    ends after `until_ms` is left to whoever makes it. Returns how many are new or revised.

    Blocking. Raises as `Archive.append`.
    """
    covered = IntervalSet(archive.coverage(instrument.symbol, base))
    draft = Draft(archive, instrument.symbol, covered)
    for timeframe, source in larger_timeframes(timeframes, base):
        for span in IntervalSet(windows(timeframe, (interval,), until_ms)):
            draft.aggregate(timeframe, source, span)
    candles = draft.written()
    if candles:
        archive.append(Piece(instrument, candles))
    return len(candles)


def same_bar(known: Candle, made: Candle) -> bool:
    """But for the revision, and for zeros at the end."""
    price = max(known.price_scale, made.price_scale)
    quantity = max(known.quantity_scale, made.quantity_scale)
    return rescaled(replace(known, revision=0), price, quantity) == rescaled(
        replace(made, revision=0), price, quantity
    )
