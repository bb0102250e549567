"""Trades of one symbol: each once, in order, and where some are missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from spark_engine.feeds.market import MarketTick
from spark_engine.feeds.sequence.memory import IdKey, IdRuns, LatestIds, id_key, sequential_id

FUTURE_MS: Final = 5_000
OLD_MS: Final = 86_400_000
REMEMBER: Final = 512


@dataclass(frozen=True, slots=True)
class Gap:
    """Trades that exist, or may exist, and were not seen, between two that were.

    "sequence": the ids in [first_id, last_id] of which `missing` were not seen when the gap was found.
    "snapshot": the venue's latest trades did not reach back to the last one seen; how many is not known.
    """

    reason: Literal["sequence", "snapshot"]
    from_ms: int
    to_ms: int
    first_id: int | None = None
    last_id: int | None = None
    missing: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """fresh: not seen before, by time, then by numeric id, then as they came.

    reordered: of these, live ones that came after a later one. implausible: of `fresh`, those dated more than
    5 s ahead of `now_ms`, live ones older than a day, and any before 1970.
    """

    fresh: tuple[MarketTick, ...] = ()
    duplicates: int = 0
    reordered: int = 0
    gap: Gap | None = None
    implausible: tuple[MarketTick, ...] = ()


class TickSequence:
    """`sequential`: ids rise by exactly one, so a hole is seen at once and every id is known for ever.

    Otherwise the latest `remember` ids are known; it must be more than the venue's snapshot holds. A live
    trade that is lost there is only seen when a snapshot brings it.
    """

    def __init__(self, symbol: str, *, sequential: bool, remember: int = REMEMBER) -> None:
        if remember < 1:
            raise ValueError(f"remember must be at least 1; is {remember}")
        self.symbol = symbol
        self._runs = IdRuns(remember) if sequential else None
        self._latest = LatestIds(remember)
        self._newest: MarketTick | None = None  # of the plausible ones
        self._interrupted: tuple[int, MarketTick] | None = None

    @property
    def last(self) -> MarketTick | None:
        """The latest plausible trade by (ts, id)."""
        return self._newest

    def lacks(self, latest: Sequence[MarketTick], until_ms: int) -> bool:
        """Whether the venue's latest trades are older than what was seen of the time before `until_ms`. Where
        ids are sequential they tell more."""
        seen = self._latest.last_before(until_ms)
        return seen is not None and all(tick.ts_ms < seen[0] and tick.id != seen[1] for tick in latest)

    def missing(self) -> list[tuple[int, int]]:
        """(first, last) id of every hole that is still open; empty for a venue without sequential ids."""
        return [] if self._runs is None else self._runs.holes()

    def interrupted(self) -> None:
        """The connection was lost: only a snapshot that holds a trade seen before this proves continuity."""
        if self._interrupted is None and self._newest is not None:
            self._interrupted = (self._latest.count, self._newest)

    def restore(self, ticks: Iterable[MarketTick]) -> Gap | None:
        """What was archived before a restart, at least as much as a snapshot holds. Counts as interrupted.
        The ids that are missing in it above those of earlier calls, in one gap."""
        before, last_id = self._newest, None if self._runs is None else self._runs.last
        fresh = [tick for tick in ticks if self._remember(tick)]
        for tick in fresh:
            self._advance(tick)
        gap = None if self._runs is None else self._holes(self._runs, fresh, last_id, before)
        self.interrupted()
        return gap

    def accept(self, ticks: Sequence[MarketTick], snapshot: bool, now_ms: int | None = None) -> Accepted:
        """`now_ms`: the venue's time; without it only dates before 1970 are implausible.

        Raises ValueError, before anything is remembered, where a sequential venue sends an id that is no
        number.
        """
        if self._runs is not None:
            for tick in ticks:
                sequential_id(tick.id)
        before, seen = self._newest, self._latest.count
        last_id = None if self._runs is None else self._runs.last
        fresh, implausible, reordered = [], [], 0
        for tick in ticks:
            if not self._remember(tick):
                continue
            fresh.append(tick)
            if _implausible(tick, snapshot, now_ms):
                implausible.append(tick)
            elif not self._advance(tick, now_ms) and not snapshot:
                reordered += 1
        fresh.sort(key=_order)
        if self._runs is None:
            gap = self._unjoined(ticks, snapshot, seen, before)
        else:
            gap = self._holes(self._runs, fresh, last_id, before)
        duplicates = len(ticks) - len(fresh)
        return Accepted(tuple(fresh), duplicates, reordered, gap, tuple(implausible))

    def _remember(self, tick: MarketTick) -> bool:
        return self._latest.add(tick) if self._runs is None else self._runs.add(tick)

    def _advance(self, tick: MarketTick, now_ms: int | None = None) -> bool:
        """Whether the tick is the latest now. What was restored may be dated ahead: nobody knew the time."""
        newest = self._newest
        if newest is not None and _order(tick) < _order(newest) and not _ahead(newest, now_ms):
            return False
        self._newest = tick
        return True

    def _holes(
        self, runs: IdRuns, fresh: list[MarketTick], last_id: int | None, before: MarketTick | None
    ) -> Gap | None:
        """Holes above what was seen until now, in one."""
        if not fresh:
            return None
        self._interrupted = None  # the ids tell what is missing
        if runs.last == last_id:
            return None
        holes = runs.holes(above=last_id)
        if not holes:
            return None
        known = fresh if before is None else [before, *fresh]
        first, last = holes[0][0], holes[-1][1]
        times = [
            max((tick.ts_ms for tick in known if sequential_id(tick.id) < first), default=fresh[0].ts_ms),
            min((tick.ts_ms for tick in known if sequential_id(tick.id) > last), default=fresh[-1].ts_ms),
        ]
        count = sum(end - begin + 1 for begin, end in holes)
        return Gap("sequence", min(times), max(times), first, last, count)

    def _unjoined(
        self, ticks: Sequence[MarketTick], snapshot: bool, seen: int, before: MarketTick | None
    ) -> Gap | None:
        """Before a snapshot that holds nothing of what was seen before it, or before the interruption."""
        if not snapshot or not ticks or before is None:
            return None
        until, last = self._interrupted or (seen, before)
        self._interrupted = None
        # One dated ahead of all that was plausible then is repeated for longer than the venue's latest are.
        if self._latest.any_until(until, (tick for tick in ticks if _order(tick) <= _order(last))):
            return None
        oldest = min(tick.ts_ms for tick in ticks)
        return Gap("snapshot", min(last.ts_ms, oldest), max(last.ts_ms, oldest))


def _order(tick: MarketTick) -> tuple[int, IdKey]:
    return tick.ts_ms, id_key(tick.id)


def _ahead(tick: MarketTick, now_ms: int | None) -> bool:
    return now_ms is not None and tick.ts_ms > now_ms + FUTURE_MS


def _implausible(tick: MarketTick, snapshot: bool, now_ms: int | None) -> bool:
    if tick.ts_ms <= 0 or _ahead(tick, now_ms):
        return True
    return now_ms is not None and not snapshot and tick.ts_ms < now_ms - OLD_MS
