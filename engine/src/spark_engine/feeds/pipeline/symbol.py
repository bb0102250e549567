"""One symbol: ticks in any order and from two sides in, bars and a record of what is known out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick, Quote
from spark_engine.feeds.pipeline.bars import SymbolBars
from spark_engine.feeds.pipeline.batch import Batch, Gathering
from spark_engine.feeds.pipeline.knowledge import Knowledge
from spark_engine.feeds.pipeline.observer import GapReason, Observer
from spark_engine.feeds.pipeline.rules import MINUTE_MS, SymbolRules, remembered
from spark_engine.feeds.provider import Ticks
from spark_engine.feeds.sequence.memory import sequential_id
from spark_engine.feeds.sequence.ticks import Accepted, Gap, TickSequence


class SymbolFeed:
    """Times are arguments: ms of the venue's clock."""

    def __init__(self, instrument: Instrument, rules: SymbolRules, observer: Observer) -> None:
        self.instrument = instrument
        self.quote: Quote | None = None
        self.gaps = 0
        self.duplicates = 0
        self.told = 0  # new ticks from the socket
        self._rules = rules
        self._observer = observer
        self._sequence = TickSequence(
            instrument.symbol,
            sequential=rules.sequential,
            remember=remembered(rules.snapshot_most),
        )
        self._knowledge = Knowledge()
        self._bars = SymbolBars(instrument, rules, self._knowledge)
        self._holes: list[Gap] = []  # of ids, until REST has filled them or could not
        self._ahead: dict[str, int] = {}  # ids that REST told and the socket did not yet, and their times
        self._live_from: int | None = None  # since when the present connection tells everything
        self._gathering = Gathering()

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
    def known_from_ms(self) -> int | None:
        """Since when ticks are known, of this run or of what it resumed."""
        return self._knowledge.from_ms

    @property
    def known_to_ms(self) -> int | None:
        return self._knowledge.to_ms

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

        ticks: as many as are `remembered`, and those of all minutes of `candles` that can be amended.
        candles: minutes since the begin of the first larger bar that is open, in their latest revision;
        larger: bars by timeframe, of the same time.
        """
        self._knowledge.restore(covered_ticks, covered, candles[0].ts_ms if candles else None)
        to_ms = self._knowledge.to_ms
        if to_ms is not None:  # what came later proves no continuity: there may have been a gap before it
            self._sequence.restore(tick for tick in ticks if tick.ts_ms < to_ms)
        gap = self._sequence.restore(ticks)
        if gap is not None:
            self._doubt(gap)
        self._bars.restore(ticks, candles, larger)

    def joined(self, message: Ticks, now_ms: int) -> int:
        """The venue's latest trades, first thing on a connection or after joining anew. The number of ticks
        that were new."""
        if self._says_nothing(message):
            return 0
        first = self._knowledge.to_ms is None
        accepted, self._live_from = self._latest(message, now_ms, "snapshot")
        if message.ticks:
            newest_ms = max(tick.ts_ms for tick in message.ticks)  # whatever our clock is worth by now
            self._knowledge.vouch(_reach(message), min(newest_ms, now_ms - self._rules.grace_ms))
        told = [self._ahead.pop(tick.id, None) for tick in message.ticks]
        recovered = len(accepted.fresh) + len(told) - told.count(None)
        if recovered and not first:
            self._observer.on_recovered(self.symbol, recovered)
        return len(accepted.fresh)

    def streamed(self, message: Ticks, now_ms: int) -> tuple[MarketTick, ...]:
        """Live trades. Those that were new."""
        accepted = self._accept(message, now_ms)
        self.told += len(accepted.fresh)
        duplicates = accepted.duplicates
        if duplicates and self._ahead:  # REST was quicker: the socket tells them once all the same
            duplicates -= sum(self._ahead.pop(tick.id, None) is not None for tick in message.ticks)
        if duplicates > 0:
            self._observer.on_duplicates(self.symbol, duplicates)
            self.duplicates += duplicates
        if accepted.reordered:
            self._observer.on_reordered(self.symbol, accepted.reordered)
        if accepted.gap is not None:
            self._count_gap("sequence", accepted.gap.to_ms - accepted.gap.from_ms)
            self._doubt(accepted.gap)
        return accepted.fresh

    def recent(self, message: Ticks, asked_ms: int, now_ms: int) -> int:
        """The venue's latest trades over REST, asked for at `asked_ms`: confirms what is known until then but
        for the grace, or, where it is behind what was seen, until its latest trade. Without a connection it
        is all that there is, and joins by itself.

        The number of ticks that a live socket should have told and did not.
        """
        if self._says_nothing(message):
            return 0
        told_until = known_until = asked_ms - self._rules.grace_ms
        if message.ticks and self._sequence.lacks(message.ticks, told_until):
            known_until = min(told_until, max(tick.ts_ms for tick in message.ticks))
        live, first = self.live, self._knowledge.to_ms is None
        accepted, begin = self._latest(message, now_ms, "missed" if live else "snapshot")
        self._ahead.update((tick.id, tick.ts_ms) for tick in accepted.fresh)
        missed = [one for one, ts_ms in self._ahead.items() if ts_ms < told_until]
        for one in missed:
            del self._ahead[one]
        if not live and begin < known_until:
            self._knowledge.add(begin, known_until)
        if missed and not first:
            self._observer.on_recovered(self.symbol, len(missed))
        self._close_holes(message)
        if not self._rules.sequential:
            if len(message.ticks) >= self._rules.snapshot_most:
                self._knowledge.set_apart(_reach(message))
            self._confirm(known_until)
        return len(missed) if live else 0

    def disconnected(self) -> None:
        self._sequence.interrupted()
        self._live_from = None

    def proved(self, until_ms: int) -> None:
        """The connection lived until then: no tick means no trade."""
        if self._live_from is None or until_ms <= self._live_from:
            return
        self._knowledge.add(self._live_from, until_ms)
        self._live_from = until_ms

    def rescaled(self, instrument: Instrument) -> None:
        """Prices or quantities with more decimals from here on."""
        price = 10 ** (instrument.price_scale - self.instrument.price_scale)
        quantity = 10 ** (instrument.quantity_scale - self.instrument.quantity_scale)
        self._bars.rescale(instrument)
        self.instrument = instrument
        self._gathering.ticks = [
            replace(tick, price=tick.price * price, quantity=tick.quantity * quantity)
            for tick in self._gathering.ticks
        ]

    def close(self, until_ms: int) -> None:
        """Bars whose end and grace are over, and closed ones that have become better or worse since."""
        if self._live_from is None and self._knowledge.to_ms is None:
            return  # the venue has not told its latest trades yet: nothing can be late
        self._count_missed(self._bars.close(until_ms))
        if self._rules.sequential and self._sequence.last is not None and not self._holes:
            self._confirm(min(self._sequence.last.ts_ms, until_ms))
        self._gathering.covered += self._knowledge.bars_told(self._bars.closed_to_ms)

    def history_wanted(self, now_ms: int) -> list[Interval]:
        """Whole minutes of which ticks are missing and that the venue's history should have by now."""
        return self._bars.history_wanted(now_ms)

    def filled(self, interval: Interval, candles: Sequence[Candle], now_ms: int) -> None:
        """Bars of 1m that the venue's history has in `interval`, whole minutes; where it has none, nobody
        traded, unless we know better: that is asked again later. Ticks that REST could not confirm are
        confirmed by the bar that they make, or lost."""
        for candle in candles:
            self._make_room(candle)
        proved, lost = self._bars.compare(interval, candles, now_ms)
        self._gathering.covered_ticks += proved
        self._count_missed(lost)
        bars, settled = self._bars.fill(interval, candles, now_ms)
        self._gathering.covered += settled
        self._observer.on_filled(self.symbol, bars)

    def backfilled(self, interval: Interval, candles: Sequence[Candle], end_ms: int) -> None:
        """Bars of 1m that were archived of a time before `end_ms`, where the feed's own begins: larger bars
        that were open then still need them."""
        self._bars.backfilled(interval, candles, end_ms)

    def take(self) -> Batch:
        """What is to be archived since the last call; of a bar that was amended often, its last revision."""
        taken, self._gathering = self._gathering, Gathering()
        candles, self._bars.given = self._bars.given, []
        return taken.batch(self.instrument, candles)

    def _accept(self, message: Ticks, now_ms: int) -> Accepted:
        if message.instrument is not None and message.instrument != self.instrument:
            self.rescaled(message.instrument)
        accepted = self._sequence.accept(message.ticks, message.snapshot, now_ms)
        self._gathering.ticks += accepted.fresh
        for tick in accepted.fresh:
            late = self._bars.add(tick)
            if late is not None:
                self._observer.on_late(self.symbol, late)
            if late == "ignored":
                self._knowledge.missing.add(tick.ts_ms, tick.ts_ms + 1)  # the bar comes from history
        return accepted

    def _says_nothing(self, message: Ticks) -> bool:
        """No trades, though there were some: a venue that is not itself."""
        return not message.ticks and self._sequence.last is not None

    def _latest(self, message: Ticks, now_ms: int, reason: GapReason) -> tuple[Accepted, int]:
        """The venue's latest trades, whoever told them, and since when they tell everything."""
        known_to = self._live_from if self._knowledge.to_ms is None else self._knowledge.to_ms
        first_ever = self._sequence.last is None
        accepted = self._accept(message, now_ms)
        gap = accepted.gap
        if known_to is not None and gap is None:
            if not (first_ever and self._may_lack(message, known_to)):
                return accepted, known_to
            gap = Gap("snapshot", self._knowledge.from_ms or known_to, _reach(message))
        begin = self._first_known(message, now_ms)
        lost_from = self._lost_from(gap, begin)
        self._knowledge.lose(lost_from, begin)
        if gap is not None:
            self._count_gap(reason, begin - lost_from)
        return accepted, begin

    def _may_lack(self, message: Ticks, since_ms: int) -> bool:
        """Trades since then, for want of room. No trade of before is known that it could hold."""
        return len(message.ticks) >= self._rules.snapshot_most and _reach(message) > since_ms

    def _first_known(self, message: Ticks, now_ms: int) -> int:
        """From when on a snapshot that joins nothing tells everything."""
        if not message.ticks:
            return now_ms
        whole = len(message.ticks) < self._rules.snapshot_most  # there never were more trades
        return _reach(message) - whole

    def _lost_from(self, gap: Gap | None, begin: int) -> int:
        if gap is None:
            return begin // MINUTE_MS * MINUTE_MS
        doubtful = self._knowledge.doubtful_from(gap.from_ms)
        return gap.from_ms if doubtful is None else doubtful

    def _count_gap(self, reason: GapReason, length_ms: int) -> None:
        self.gaps += 1
        self._observer.on_gap(self.symbol, reason, max(0, length_ms))

    def _count_missed(self, lost: Sequence[Interval]) -> None:
        for part in lost:
            self._count_gap("missed", part.to_ms - part.from_ms)

    def _doubt(self, gap: Gap) -> None:
        """Ids are missing, which REST may have."""
        self._knowledge.doubt(gap.from_ms, gap.to_ms + 1)
        self._holes.append(gap)

    def _close_holes(self, message: Ticks) -> None:
        """REST has answered: what ids are missing still, and are older than its latest, is lost as ticks."""
        open_ids = self._sequence.missing()
        waiting = []
        for gap in self._holes:
            first_id, last_id = gap.first_id or 0, gap.last_id or 0
            if not any(first <= last_id and last >= first_id for first, last in open_ids):
                self._knowledge.found(gap.from_ms, gap.to_ms + 1)
            elif all(sequential_id(tick.id) < last_id for tick in message.ticks):
                waiting.append(gap)
            else:
                self._knowledge.lose(gap.from_ms, gap.to_ms + 1)
        self._holes = waiting

    def _confirm(self, until_ms: int) -> None:
        self._gathering.covered_ticks += self._knowledge.confirm(until_ms)

    def _make_room(self, candle: Candle) -> None:
        """History may have more decimals than the ticks so far."""
        price = max(candle.price_scale, self.instrument.price_scale)
        quantity = max(candle.quantity_scale, self.instrument.quantity_scale)
        if (price, quantity) != (self.instrument.price_scale, self.instrument.quantity_scale):
            self.rescaled(replace(self.instrument, price_scale=price, quantity_scale=quantity))


def _reach(message: Ticks) -> int:
    """From when on a full answer tells everything: of the moment of its oldest trade there may be more."""
    return min(tick.ts_ms for tick in message.ticks) + 1
