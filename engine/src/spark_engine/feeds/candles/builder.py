"""Bars of ticks, whatever order they come in."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from spark_engine.feeds.candles.bar import Bar
from spark_engine.feeds.candles.bars import grid, rescaled, scale_factor
from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.candles.history import contains, mended
from spark_engine.feeds.candles.window import NEVER, Window
from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick, Quality


class CandleBuilder:
    """Bars of one symbol. Ticks come in any order, each once (`TickSequence`).

    A bar is given out by `close` once `grace_ms` have passed since its end. For `amend_ms` after that a late
    tick amends it: the revised bar, its revision one higher, is given out at once. A tick later than that
    changes nothing and is counted, unless its bar is PARTIAL or of a time that the feed missed (`Window`). A
    bar without a trade is not given out; one that gets its first trade after its time begins with revision 1.
    """

    def __init__(
        self, instrument: Instrument, timeframe: str = "1m", *, grace_ms: int, amend_ms: int
    ) -> None:
        """ValueError for negative times; `InvalidSpec` for what is no timeframe."""
        self.instrument = instrument
        self._grid = grid(timeframe)
        self._step = self._grid.step_ms
        self._window = Window(self._grid, grace_ms, amend_ms)
        self._bars: dict[int, Bar] = {}
        self._open: set[int] = set()
        self._at = Bar(NEVER)  # of the last tick: the next is most often of the same
        self._owed: list[Candle] = []
        self.amended = 0  # ticks that revised a closed bar
        self.late_ignored = 0  # ticks too late for that, or that a bar of the venue's history cannot hold
        self.disagreements = 0  # bars where the venue's history contradicts our ticks, which were kept
        self.last_disagreement: tuple[Candle | None, Candle] | None = None  # ours, the venue's

    def add(self, tick: MarketTick) -> Candle | None:
        """The revised bar where the tick amends a closed one.

        A bar that the venue's history gave already counts the tick and stays.
        """
        bar = self._at
        if not 0 <= tick.ts_ms - bar.begin < self._step:
            found = self._bar(tick.ts_ms)
            if found is None:
                self.late_ignored += 1
                return None
            self._at = bar = found
        bar.take(tick)
        return self._amended(bar) if bar.closed else None

    def close(self, until_ms: int, covered: IntervalSet | Iterable[Interval]) -> list[Candle]:
        """Bars that ended by `until_ms` less the grace, in order of time; COMPLETE iff wholly covered.

        `until_ms`: the venue's clock; one that runs backwards closes nothing. `covered`: in which every tick
        is known, as far back as anything may still be filled in; bars before its begin are final.
        """
        self._window.see(covered)
        further = self._window.advance(until_ms)
        given, self._owed = self._owed, []
        for begin in sorted(begin for begin in self._open if self._window.is_closed(begin)):
            self._open.discard(begin)
            given.append(self._published(self._bars[begin], 0))
        if further:
            self._give_up()
        return sorted(given, key=lambda candle: candle.ts_ms)

    def recheck(self, covered: IntervalSet | Iterable[Interval]) -> list[Candle]:
        """Revised bars of ticks whose quality is another now, in order of time. To be called after the ticks
        of newly covered times were added."""
        self._window.see(covered)
        changed = [bar for bar in self._bars.values() if self._changes(bar)]
        return [
            self._published(bar, bar.published.revision + 1)
            for bar in sorted(changed, key=lambda bar: bar.begin)
            if bar.published is not None
        ]

    def of_ticks(self, begin: int) -> Candle | None:
        """The bar that the ticks make, whatever was given out; None without a tick or if it is not held."""
        bar = self._bars.get(begin)
        return None if bar is None or not bar.trades else self._candle(bar, 0)

    def replace(self, history: Candle, *, lacking: bool = False) -> Candle | None:
        """The bar to write after the venue's own word of it (`mended`); None: nothing, or not closed yet.

        `lacking`: ours may not have all trades, whatever it was given out as. A final bar that was given out
        is not held any more: it stays, unless it is such a one; then the venue's takes its place, and the
        archive counts the revision on.
        ValueError where `history` has more decimals than the instrument.
        """
        history = rescaled(history, self.instrument.price_scale, self.instrument.quantity_scale)
        begin = history.ts_ms
        bar = self._bars.get(begin)
        if not self._window.is_closed(begin) or (bar is not None and not bar.closed):
            return None
        if bar is None and self._window.was_given(begin):
            whole = history.quality is Quality.COMPLETE
            return replace(history, source="merged", revision=1) if lacking and whole else None
        ours = None if bar is None else bar.published
        if lacking and ours is not None and ours.source == "ticks":
            ours = replace(ours, quality=Quality.PARTIAL)
        result = mended(ours, history)
        if result.disagrees or (ours is None and self._window.is_seen(begin)):
            self.disagreements += 1
            self.last_disagreement = ours, history
        if result.candle is not None:
            self._closed_bar(begin).published = result.candle
        elif bar is not None:
            bar.contradicted = result.disagrees
        return result.candle

    def rescale(self, instrument: Instrument) -> None:
        """Ticks have more decimals from here on. ValueError for fewer."""
        prices = scale_factor(self.instrument.price_scale, instrument.price_scale)
        quantities = scale_factor(self.instrument.quantity_scale, instrument.quantity_scale)
        self.instrument = instrument
        for bar in self._bars.values():
            bar.rescale(prices, quantities)
            if bar.published is not None:
                bar.published = rescaled(bar.published, instrument.price_scale, instrument.quantity_scale)
        self._owed = [
            rescaled(candle, instrument.price_scale, instrument.quantity_scale) for candle in self._owed
        ]

    def restore(self, ticks: Iterable[MarketTick], closed: Iterable[Candle]) -> None:
        """What was archived, before the first tick: `closed` bars in their latest revision, and all ticks
        since the first of them or later.

        A closed bar of which more ticks are here than it counts was not amended in time: the next `close`
        gives it out. One of which fewer are here keeps its open and close.
        """
        for tick in ticks:
            self._bars.setdefault(begin := self._grid.begin(tick.ts_ms), Bar(begin)).take(tick)
        for candle in closed:
            self._restore(rescaled(candle, self.instrument.price_scale, self.instrument.quantity_scale))
        held = [begin for begin, bar in self._bars.items() if bar.closed]
        self._window.known_from = min(held, default=NEVER)
        self._open.update(begin for begin, bar in self._bars.items() if not bar.closed)

    def _bar(self, ts_ms: int) -> Bar | None:
        begin = self._grid.begin(ts_ms)
        if begin not in self._bars and self._window.is_final(begin):
            return None
        if begin not in self._open and self._window.is_closed(begin):
            return self._closed_bar(begin)
        self._open.add(begin)
        return self._bars.setdefault(begin, Bar(begin))

    def _closed_bar(self, begin: int) -> Bar:
        bar = self._bars.setdefault(begin, Bar(begin))
        bar.closed = True
        return bar

    def _amended(self, bar: Bar) -> Candle | None:
        before = bar.published
        if before is not None and before.source != "ticks":
            self.late_ignored += not contains(before, self._candle(bar, 0))  # it was not whole yet
            return None
        self.amended += 1
        revised = self._published(bar, 1 if before is None else before.revision + 1)
        if before is not None:
            revised = bar.published = replace(revised, quality=before.quality)
        return revised

    def _published(self, bar: Bar, revision: int) -> Candle:
        bar.closed = True
        bar.published = self._candle(bar, revision)
        return bar.published

    def _candle(self, bar: Bar, revision: int) -> Candle:
        whole = self._window.is_seen(bar.begin)
        return Candle(
            symbol=self.instrument.symbol,
            timeframe=self._grid.timeframe,
            ts_ms=bar.begin,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            price_scale=self.instrument.price_scale,
            quantity_scale=self.instrument.quantity_scale,
            trades=bar.trades,
            quality=Quality.COMPLETE if whole else Quality.PARTIAL,
            revision=revision,
        )

    def _changes(self, bar: Bar) -> bool:
        known = bar.published
        if known is None or known.source != "ticks":
            return False
        seen = self._window.is_seen(bar.begin)
        if known.quality is not Quality.COMPLETE:
            return seen and not bar.contradicted
        since_ms = self._window.since_ms
        return not seen and since_ms is not None and since_ms <= bar.begin

    def _restore(self, candle: Candle) -> None:
        bar = self._closed_bar(candle.ts_ms)
        bar.published = candle
        self._window.closed_to = max(self._window.closed_to, candle.ts_ms + self._step)
        if candle.source != "ticks":
            return
        if bar.trades < (candle.trades or 0):
            bar.adopt(candle)
        elif bar.trades > (candle.trades or 0):
            self._owed.append(replace(self._published(bar, candle.revision + 1), quality=candle.quality))
            bar.published = self._owed[-1]

    def _give_up(self) -> None:
        for begin in self._window.give_up({begin: bar.published for begin, bar in self._bars.items()}):
            del self._bars[begin]
        self._at = Bar(NEVER)
