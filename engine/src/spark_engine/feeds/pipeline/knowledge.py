"""Of which times of one symbol everything is known. Pure; ms of the venue's clock.

Ticks are known where a connection lived that began with the latest trades, or where REST's latest trades
joined what was seen. They are confirmed once REST said the same afterwards, or the ids leave no room for
doubt, or, where REST does not reach back that far, the venue's bar of the minute is the one that they make;
only that is told to the archive, and it is never taken back. What is lost is asked of the venue's history of
bars.
"""

from __future__ import annotations

from collections.abc import Sequence

from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.candles.window import NEVER
from spark_engine.feeds.market import Interval, TimeMs


class Knowledge:
    """`bars`: in which every bar that exists is known. `missing`: what history is still to give. `unproved`:
    ticks that only the socket told, beyond the reach of REST. `to_ms`: the end of the known ticks, None
    before the first."""

    def __init__(self) -> None:
        self.bars = IntervalSet()
        self.missing = IntervalSet()
        self.unproved = IntervalSet()
        self.to_ms: TimeMs | None = None
        self._ticks = IntervalSet()
        self._vouched = IntervalSet()  # the venue's latest trades on joining told them, as REST would
        self._lost = IntervalSet()  # ticks that are lost, or in doubt, whatever a connection proves
        self._confirmed_to: TimeMs | None = None
        self._bars_due = IntervalSet()  # confirmed, and their bars not yet closed

    @property
    def from_ms(self) -> TimeMs | None:
        """The begin of the known ticks."""
        return self._ticks.from_ms

    def restore(self, ticks: Sequence[Interval], bars: Sequence[Interval], since_ms: TimeMs | None) -> None:
        """What the archive holds. What is missing in it since `since_ms` is asked for again."""
        told = IntervalSet(bars)
        self.bars = IntervalSet((*ticks, *bars))
        for interval in ticks:
            self._ticks.add(interval.from_ms, interval.to_ms)
            self.to_ms = self._confirmed_to = interval.to_ms
            for part in told.missing(interval.from_ms, interval.to_ms):
                self._bars_due.add(part.from_ms, part.to_ms)
        known = list(self.bars)
        if since_ms is not None and known:
            for hole in self.bars.missing(max(since_ms, known[0].from_ms), known[-1].to_ms):
                self.missing.add(hole.from_ms, hole.to_ms)

    def has(self, from_ms: TimeMs, to_ms: TimeMs) -> bool:
        """Whether every tick of that time is believed to be here."""
        return self._ticks.covered(from_ms, to_ms)

    def add(self, from_ms: TimeMs, to_ms: TimeMs) -> None:
        """Every tick seems to be here, but for those that are known to be lost."""
        for part in self._lost.missing(from_ms, to_ms):
            self._ticks.add(part.from_ms, part.to_ms)
            self.bars.add(part.from_ms, part.to_ms)
        self.to_ms = max(to_ms, self.to_ms or to_ms)

    def doubt(self, from_ms: TimeMs, to_ms: TimeMs) -> None:
        """What was believed to be known is not, and will not be until it is `found`."""
        self._ticks.remove(from_ms, to_ms)
        self.bars.remove(from_ms, to_ms)
        self.unproved.remove(from_ms, to_ms)
        self._lost.add(from_ms, to_ms)

    def lose(self, from_ms: TimeMs, to_ms: TimeMs) -> None:
        """The ticks are not to be had any more."""
        self.doubt(from_ms, to_ms)
        self.missing.add(from_ms, to_ms)

    def found(self, from_ms: TimeMs, to_ms: TimeMs) -> None:
        """The ticks in doubt are here."""
        self._lost.remove(from_ms, to_ms)
        if self.to_ms is not None and from_ms < self.to_ms:
            self.add(from_ms, min(to_ms, self.to_ms))

    def filled(self, from_ms: TimeMs, to_ms: TimeMs) -> None:
        """The bars are here, from history."""
        self.missing.remove(from_ms, to_ms)
        self.bars.add(from_ms, to_ms)

    def doubtful_from(self, last_seen_ms: TimeMs) -> TimeMs | None:
        """A later connection does not join the last tick seen: from when on ticks may be missing."""
        if self.to_ms is None:
            return None
        return min(self.to_ms, max(self._unconfirmed_from(), last_seen_ms))

    def confirm(self, until_ms: TimeMs) -> list[Interval]:
        """The times whose ticks can be told to the archive now."""
        known = self._unconfirmed(until_ms)
        confirmed = [
            part for interval in known for part in self.unproved.missing(interval.from_ms, interval.to_ms)
        ]
        for interval in confirmed:
            self._bars_due.add(interval.from_ms, interval.to_ms)
        if known:
            self._confirmed_to = known[-1].to_ms
            self._vouched.remove(NEVER, self._confirmed_to)
            self._lost.remove(NEVER, self._confirmed_to)
        return confirmed

    def vouch(self, from_ms: TimeMs, to_ms: TimeMs) -> None:
        """The venue's latest trades, told on joining, are all of that time."""
        self._vouched.add(from_ms, to_ms)

    def set_apart(self, until_ms: TimeMs) -> None:
        """REST does not reach back before that: what is not confirmed by then is the socket's word alone."""
        for known in self._unconfirmed(until_ms):
            for part in self._vouched.missing(known.from_ms, known.to_ms):
                self.unproved.add(part.from_ms, part.to_ms)

    def prove(self, part: Interval) -> None:
        """The venue's bar says the same as the ticks: they can be told to the archive."""
        self.unproved.remove(part.from_ms, part.to_ms)
        self._bars_due.add(part.from_ms, part.to_ms)

    def bars_told(self, closed_to_ms: TimeMs) -> list[Interval]:
        """The confirmed times whose bars are closed, each once: a bar that exists must be archived no later
        than the word that its time is covered. Where history is still to give it, that gives the word."""
        due = self._bars_due.clip(NEVER, closed_to_ms)
        told = [part for each in due for part in self.missing.missing(each.from_ms, each.to_ms)]
        self._bars_due.remove(NEVER, closed_to_ms)
        return told

    def _unconfirmed(self, until_ms: TimeMs) -> list[Interval]:
        """What is known before `until_ms` and not confirmed."""
        return self._ticks.clip(self._unconfirmed_from(), until_ms)

    def _unconfirmed_from(self) -> TimeMs:
        if self._confirmed_to is not None:
            return self._confirmed_to
        return NEVER if self._ticks.from_ms is None else self._ticks.from_ms
