"""Which times of a series its feed saw, and what that says of bars: with a row, or without one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark_engine.data.candles import PARTIAL
from spark_engine.data.stamps import iso
from spark_engine.errors import InvalidData

if TYPE_CHECKING:
    from spark_engine.data.rows import Rows
    from spark_engine.data.timetable import Timetable

Span = tuple[int, int]  # [from, to), ms UTC
ALL_TIME: Final[Span] = (-(1 << 62), 1 << 62)


@dataclass(frozen=True, slots=True)
class Known:
    """What an archive says besides its rows. step_ms: their timeframe. covered: ascending, apart from each
    other. begin_ms: of the series, as far as it can be read. to_ms: nothing is said from here on."""

    step_ms: int
    covered: Sequence[Span]
    begin_ms: int
    to_ms: int

    def uncovered(self, from_ms: int, to_ms: int) -> Iterator[Span]:
        """The parts of [from_ms, to_ms) that no interval covers."""
        at = from_ms
        for begin, end in self.covered[max(0, bisect_right(self.covered, (from_ms,)) - 1) :]:
            if at >= to_ms:
                return
            if begin > at:
                yield at, min(begin, to_ms)
            at = max(at, end)
        if at < to_ms:
            yield at, to_ms


@dataclass(frozen=True, slots=True)
class Missing:
    """Bars without a row: counts, and the begin of the first that the feed did not see, ms UTC."""

    no_trades: int
    feed_down: int
    first_feed_down: int | None


def flag_uncovered(rows: Rows, timetable: Timetable, known: Known) -> None:
    """Marks as partial, in place, the rows of every bar that is not covered from its begin to its end."""
    if not len(rows):
        return
    pieces = list(known.uncovered(*ALL_TIME))
    for found in timetable.rows_of(rows.ts, known.step_ms, pieces):
        for row in found:
            rows.quality[row] = PARTIAL


def missing_bars(bars: Rows, timetable: Timetable, step_ms: int, known: Known, span: Span) -> Missing:
    """The bars of `span` that are not in `bars`, whose timeframe is `step_ms`."""
    from_ms, to_ms = span
    unseen = _touched(timetable, known, span)
    held = timetable.rows_of(bars.ts, step_ms, unseen)
    down = [bar for bar, found in zip(unseen, held, strict=True) if not found]
    begin_ms, end_ms = timetable.extent(bars)
    outer = _count(timetable, (from_ms, begin_ms)) + _count(timetable, (end_ms, to_ms))
    missing = timetable.gaps(bars).missing + outer
    return Missing(missing - len(down), len(down), down[0][0] if down else None)


def require_seen(missing: Missing) -> None:
    """Raises `InvalidData` for the first bar that the feed did not see at all."""
    if missing.first_feed_down is None:
        return
    others = "" if missing.feed_down == 1 else f" (the first of {missing.feed_down})"
    raise InvalidData(
        f"the feed did not see the bar at {iso(missing.first_feed_down)}{others}, and the archive has no row "
        "of it: fill the archive in from the venue's history, or Drop and Keep leave such bars out",
        field="spec.data.partialBars",
    )


def _touched(timetable: Timetable, known: Known, span: Span) -> list[Span]:
    """The bars of `span` that are not covered throughout, each once."""
    bars: list[Span] = []
    for piece in known.uncovered(*span):
        for bar in timetable.bars_between(*piece):
            if span[0] <= bar[0] and bar[1] <= span[1] and (not bars or bars[-1] < bar):
                bars.append(bar)
    return bars


def _count(timetable: Timetable, span: Span) -> int:
    whole = (bar for bar in timetable.bars_between(*span) if span[0] <= bar[0] and bar[1] <= span[1])
    return sum(1 for _ in whole)
