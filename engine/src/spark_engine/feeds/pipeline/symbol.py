"""One symbol: ticks in any order and from two sides in, bars and a record of what is known out.

Three records of time are kept, of the venue's clock. `known`: every tick seems to be here, since the
connection lives. Confirmed: REST said the same afterwards, or the ids leave no room for doubt; only that is
told to the archive. `missing`: ticks that the venue no longer gives; its history of bars is asked instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from spark_engine.feeds.candles.aggregate import Aggregator
from spark_engine.feeds.candles.builder import CandleBuilder
from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick, Quote
from spark_engine.feeds.pipeline.batch import Batch
from spark_engine.feeds.pipeline.observer import GapReason, Observer
from spark_engine.feeds.provider import Ticks
from spark_engine.feeds.sequence.ticks import Accepted, Gap, TickSequence

MINUTE_MS: Final = 60_000
MINUTE: Final = "1m"
LEAST_REMEMBERED: Final = 1024
HISTORY_AFTER_MS: Final = 5_000  # the venue needs a moment to have a bar in its history


@dataclass(frozen=True, slots=True)
class SymbolRules:
    """`snapshot_most`: how many ticks a snapshot of the venue holds when it holds all that it can."""

    timeframes: tuple[str, ...]
    grace_ms: int
    amend_ms: int
    sequential: bool
    snapshot_most: int


class SymbolFeed:
    """Times are arguments: ms of the venue's clock."""

    def __init__(self, instrument: Instrument, rules: SymbolRules, observer: Observer) -> None:
        self.instrument = instrument
        self.quote: Quote | None = None
        self.gaps = 0
        self.duplicates = 0
        self._rules = rules
        self._observer = observer
        self._sequence = TickSequence(
            instrument.symbol,
            sequential=rules.sequential,
            remember=max(4 * rules.snapshot_most, LEAST_REMEMBERED),
        )
        self._builder = CandleBuilder(instrument, grace_ms=rules.grace_ms, amend_ms=rules.amend_ms)
        self._aggregators = tuple(
            Aggregator(timeframe, grace_ms=rules.grace_ms, amend_ms=rules.amend_ms)
            for timeframe in rules.timeframes
            if timeframe != MINUTE
        )
        self._known = IntervalSet()
        self._bars_known = IntervalSet()  # also where history gave the bars
        self._missing = IntervalSet()
        self._holes: list[Gap] = []  # of ids, until REST has filled them or could not
        self._live_from: int | None = None  # since when the present connection tells everything
        self._known_to: int | None = None
        self._confirmed_to: int | None = None
        self._batch = _Open()

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def last_tick(self) -> MarketTick | None:
        return self._sequence.last

    @property
    def live(self) -> bool:
        """The venue has said on this connection which trades were the latest."""
        return self._live_from is not None

    @property
    def known_to_ms(self) -> int | None:
        return self._known_to

    @property
    def wants_recent(self) -> bool:
        """Ids are missing: the venue's latest trades may fill them."""
        return bool(self._holes)

    def resume(
        self,
        ticks: Sequence[MarketTick],
        candles: Sequence[Candle],
        larger: Mapping[str, Sequence[Candle]],
        covered_ticks: Sequence[Interval],
        covered: Sequence[Interval],
    ) -> None:
        """What the archive holds of the latest time, oldest first. Before the first message.

        ticks: as many as a snapshot holds, and those of all minutes of `candles` that can be amended.
        candles: minutes since the begin of the first larger bar that is open, in their latest revision;
        larger: bars by timeframe, of the same time.
        """
        for interval in covered_ticks:
            self._known.add(interval.from_ms, interval.to_ms)
            self._known_to = self._confirmed_to = interval.to_ms
        for interval in (*covered_ticks, *covered):
            self._bars_known.add(interval.from_ms, interval.to_ms)
        self._sequence.restore(ticks)
        self._builder.restore(ticks, candles)
        for aggregator in self._aggregators:
            aggregator.restore(candles, larger.get(aggregator.timeframe, ()), self._bars_known)

    def joined(self, message: Ticks, now_ms: int) -> int:
        """The venue's latest trades, first thing on a connection. The number of ticks that were new."""
        accepted = self._accept(message, now_ms)
        if not message.ticks and self._sequence.last is not None:
            return 0  # it told nothing: whether something is missing shows with the next snapshot
        begin = self._known_to
        if begin is None or accepted.gap is not None:
            begin = self._first_known(message, now_ms)
            self._miss(self._lost_from(accepted.gap, begin), begin, "snapshot" if accepted.gap else None)
        elif accepted.fresh:
            self._observer.on_recovered(self.symbol, len(accepted.fresh))
        self._live_from = begin
        return len(accepted.fresh)

    def streamed(self, message: Ticks, now_ms: int) -> tuple[MarketTick, ...]:
        """Live trades. Those that were new."""
        accepted = self._accept(message, now_ms)
        self._observer.on_duplicates(self.symbol, accepted.duplicates)
        self.duplicates += accepted.duplicates
        if accepted.reordered:
            self._observer.on_reordered(self.symbol, accepted.reordered)
        if accepted.gap is not None:
            self._forget(accepted.gap, "sequence")
            self._holes.append(accepted.gap)
        return accepted.fresh

    def recent(self, message: Ticks, asked_ms: int, now_ms: int) -> int:
        """The venue's latest trades over REST, asked for at `asked_ms`.

        Confirms what is known until then but for the grace. The number of ticks that a live socket should
        have told and did not.
        """
        told_until = asked_ms - self._rules.grace_ms
        accepted = self._accept(message, now_ms)
        missed = sum(
            tick.ts_ms < told_until and self._known.covered(tick.ts_ms, tick.ts_ms + 1)
            for tick in accepted.fresh
        )
        if missed:
            self._observer.on_recovered(self.symbol, missed)
        if accepted.gap is not None:
            self._forget(accepted.gap, "missed")
            self._miss(accepted.gap.from_ms, accepted.gap.to_ms + 1, None)
        self._close_holes()
        if not self._rules.sequential and message.ticks:
            self._confirm(told_until)
        return missed

    def disconnected(self) -> None:
        self._sequence.interrupted()
        self._live_from = None

    def proved(self, until_ms: int) -> None:
        """The connection lived until then: no tick means no trade."""
        if self._live_from is None or until_ms <= self._live_from:
            return
        self._known.add(self._live_from, until_ms)
        self._bars_known.add(self._live_from, until_ms)
        self._known_to = max(until_ms, self._known_to or until_ms)

    def rescaled(self, instrument: Instrument) -> None:
        """Prices or quantities with more decimals from here on."""
        self.instrument = instrument
        self._builder.rescale(instrument)

    def close(self, until_ms: int) -> None:
        """Bars whose end and grace are over, and closed ones that have become better or worse since."""
        if self._live_from is None and self._known_to is None:
            return  # the venue has not told its latest trades yet: nothing can be late
        self._add(self._builder.close(until_ms, self._bars_known))
        self._add(self._builder.recheck(self._bars_known))
        for aggregator in self._aggregators:
            self._batch.candles += aggregator.close(until_ms, self._bars_known)
            self._batch.candles += aggregator.recheck(self._bars_known)
        if self._rules.sequential and self._sequence.last is not None and not self._holes:
            self._confirm(min(self._sequence.last.ts_ms, until_ms))

    def history_wanted(self, now_ms: int) -> list[Interval]:
        """Whole minutes of which ticks are missing and that the venue's history should have by now."""
        until_ms = (now_ms - self._rules.grace_ms - HISTORY_AFTER_MS) // MINUTE_MS * MINUTE_MS
        wanted = IntervalSet(
            Interval(gap.from_ms // MINUTE_MS * MINUTE_MS, -(-gap.to_ms // MINUTE_MS) * MINUTE_MS)
            for gap in self._missing
        )
        begin = min((gap.from_ms for gap in wanted), default=until_ms)
        return wanted.clip(begin, until_ms)

    def filled(self, interval: Interval, candles: Sequence[Candle]) -> None:
        """Bars of 1m that the venue's history has in `interval`, whole minutes; where it has none, nobody
        traded."""
        self._missing.remove(interval.from_ms, interval.to_ms)
        self._bars_known.add(interval.from_ms, interval.to_ms)
        self._batch.covered.append(interval)
        replaced = [self._builder.replace(candle) for candle in candles]
        self._add([candle for candle in replaced if candle is not None])
        self._observer.on_filled(self.symbol, len(candles))

    def take(self) -> Batch:
        """What is to be archived since the last call; of a bar that was amended often, its last revision."""
        taken, self._batch = self._batch, _Open()
        latest = {(candle.timeframe, candle.ts_ms): candle for candle in taken.candles}
        return Batch(
            self.instrument,
            tuple(taken.ticks),
            tuple(latest.values()),
            tuple(taken.covered),
            tuple(taken.covered_ticks),
        )

    def _accept(self, message: Ticks, now_ms: int) -> Accepted:
        if message.instrument is not None and message.instrument != self.instrument:
            self.rescaled(message.instrument)
        accepted = self._sequence.accept(message.ticks, message.snapshot, now_ms)
        self._batch.ticks += accepted.fresh
        ignored = self._builder.late_ignored
        for tick in accepted.fresh:
            amended = self._builder.add(tick)
            if amended is not None:
                self._observer.on_late(self.symbol, "amended")
                self._add([amended])
            elif self._builder.late_ignored > ignored:
                ignored = self._builder.late_ignored
                self._observer.on_late(self.symbol, "ignored")
                self._missing.add(tick.ts_ms, tick.ts_ms + 1)  # the bar comes from history
        return accepted

    def _add(self, minutes: Iterable[Candle]) -> None:
        for candle in minutes:
            self._batch.candles.append(candle)
            for aggregator in self._aggregators:
                aggregator.add(candle)

    def _first_known(self, message: Ticks, now_ms: int) -> int:
        """From when on a snapshot that joins nothing tells everything."""
        if not message.ticks:
            return now_ms
        oldest = min(tick.ts_ms for tick in message.ticks)
        whole = len(message.ticks) < self._rules.snapshot_most  # there never were more trades
        return oldest if whole else oldest + 1

    def _lost_from(self, gap: Gap | None, begin: int) -> int:
        if self._known_to is not None:
            return self._known_to
        return begin // MINUTE_MS * MINUTE_MS if gap is None else gap.from_ms

    def _miss(self, from_ms: int, to_ms: int, reason: GapReason | None) -> None:
        self._missing.add(from_ms, to_ms)
        if reason is not None:
            self.gaps += 1
            self._observer.on_gap(self.symbol, reason, max(0, to_ms - from_ms))

    def _forget(self, gap: Gap, reason: GapReason) -> None:
        """What was believed to be known is not."""
        self._known.remove(gap.from_ms, gap.to_ms + 1)
        self._bars_known.remove(gap.from_ms, gap.to_ms + 1)
        self.gaps += 1
        self._observer.on_gap(self.symbol, reason, gap.to_ms - gap.from_ms)

    def _close_holes(self) -> None:
        """REST has answered: what ids are missing still is lost as ticks."""
        open_ids = self._sequence.missing()
        for gap in self._holes:
            if any(first <= (gap.last_id or 0) and last >= (gap.first_id or 0) for first, last in open_ids):
                self._miss(gap.from_ms, gap.to_ms + 1, None)
            else:
                self._known.add(gap.from_ms, gap.to_ms + 1)
                self._bars_known.add(gap.from_ms, gap.to_ms + 1)
        self._holes.clear()

    def _confirm(self, until_ms: int) -> None:
        begin = self._confirmed_to
        if begin is None:
            begin = min((interval.from_ms for interval in self._known), default=until_ms)
        confirmed = self._known.clip(begin, until_ms)
        if confirmed:
            self._batch.covered += confirmed
            self._batch.covered_ticks += confirmed
            self._confirmed_to = confirmed[-1].to_ms


class _Open:
    __slots__ = ("candles", "covered", "covered_ticks", "ticks")

    def __init__(self) -> None:
        self.ticks: list[MarketTick] = []
        self.candles: list[Candle] = []
        self.covered: list[Interval] = []
        self.covered_ticks: list[Interval] = []
