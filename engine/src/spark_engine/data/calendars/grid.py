"""The bars that a calendar allows, and the bar of each row."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Final

from spark_engine.data.calendars import scan
from spark_engine.data.calendars.table import DAY_MS, ExchangeCalendar
from spark_engine.data.request import MONDAY_MS, timeframe_text
from spark_engine.data.rows import zeros
from spark_engine.errors import InvalidSpec

WEEK_MS: Final = 7 * DAY_MS
FITS, OUTSIDE, OFF_GRID = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Placement:
    """One entry a row. session: index, of a longer bar its last; of a row OUTSIDE the one before it or -1.

    bar: number of the bar among all that the calendar allows, rising by 1 where none is missing, or -1.
    begin, end: of that bar, ms UTC; without one the row's own time. fault: FITS, OUTSIDE every session, or
    OFF_GRID.
    """

    session: memoryview
    bar: memoryview
    begin: memoryview
    end: memoryview
    fault: memoryview


@dataclass(frozen=True, slots=True)
class SessionGrid:
    """Bars of `timeframe_ms` of one calendar: within sessions, one a session, or one for whole weeks.

    first_bar: int64, number of the first (or only) bar of each session. unit_begin and unit_end: of the whole
    sessions that make a bar of at least 1d, for each session.
    """

    calendar: ExchangeCalendar
    timeframe_ms: int
    first_bar: memoryview
    unit_begin: memoryview
    unit_end: memoryview

    @property
    def step_ms(self) -> int:
        """Of bars within sessions; 0 where a bar is one session or more."""
        return self.timeframe_ms if self.timeframe_ms < DAY_MS else 0

    def bars_of(self, session: int) -> Iterator[tuple[int, int]]:
        """Begin and end of the bars within a session, or of the one that it belongs to, ms UTC."""
        step = self.step_ms
        if not step:
            yield self.unit_begin[session], self.unit_end[session]
            return
        own = self.calendar
        opens, closes = own.open[session], own.close[session]
        pause, resume = own.break_open[session] - opens, own.break_close[session] - opens
        for begin in range(0, closes - opens, step):
            if not pause <= begin < begin + step <= resume:
                yield opens + begin, min(opens + begin + step, closes)

    def place(self, ts: memoryview, row_ms: int) -> Placement:
        """Sorted rows of `row_ms`, which divides the timeframe, into the bars of this grid."""
        rows = len(ts)
        placed = Placement(
            zeros("q", rows), zeros("q", rows), zeros("q", rows), zeros("q", rows), zeros("b", rows)
        )
        if row_ms < DAY_MS:
            self._place_within_sessions(ts, row_ms, placed)
        else:
            self._place_whole_sessions(ts, row_ms, placed)
        return placed

    def _place_within_sessions(self, ts: memoryview, row_ms: int, placed: Placement) -> None:
        own = self.calendar
        columns = own.open, own.close, own.break_open, own.break_close
        units = self.first_bar, self.unit_begin, self.unit_end
        to = placed.session, placed.bar, placed.begin, placed.end, placed.fault
        scan.place(ts, *columns, *units, self.step_ms, row_ms, *to)

    def _place_whole_sessions(self, ts: memoryview, row_ms: int, placed: Placement) -> None:
        """Rows of a session or a week, by any of the stamps that sources use for them."""
        labels = _labels(self.calendar, row_ms)
        for row, stamp in enumerate(ts):
            session = labels.get(stamp, -1)
            placed.fault[row] = FITS if session >= 0 else OUTSIDE
            if session < 0:
                session = bisect_right(self.calendar.date, stamp) - 1
            placed.session[row], placed.bar[row] = session, -1
            placed.begin[row], placed.end[row] = stamp, stamp + 1
            if placed.fault[row] == FITS or (session >= 0 and stamp < self.unit_end[session]):
                placed.bar[row] = self.first_bar[session]
                placed.begin[row], placed.end[row] = self.unit_begin[session], self.unit_end[session]


@cache
def session_grid(calendar: ExchangeCalendar, timeframe_ms: int) -> SessionGrid:
    """Raises `InvalidSpec` for bars of several days that are no weeks."""
    if timeframe_ms > DAY_MS and timeframe_ms % WEEK_MS:
        raise InvalidSpec(
            f"bars of {calendar.name} are at most 1d, or whole weeks; is {timeframe_text(timeframe_ms)}",
            field="spec.market.timeframe",
        )
    first_bar = zeros("q", len(calendar))
    if timeframe_ms < DAY_MS:
        columns = calendar.open, calendar.close, calendar.break_open, calendar.break_close
        scan.bars_a_session(*columns, timeframe_ms, first_bar)
    if timeframe_ms <= DAY_MS:
        if timeframe_ms == DAY_MS:
            first_bar[:] = array("q", range(len(calendar)))
        return SessionGrid(calendar, timeframe_ms, first_bar, calendar.open, calendar.close)
    begin, end = array("q"), array("q")
    for number, (first, last) in enumerate(_weeks(calendar, timeframe_ms)):
        count = last - first + 1
        begin.extend([calendar.open[first]] * count)
        end.extend([calendar.close[last]] * count)
        first_bar[first : last + 1] = array("q", [number]) * count
    return SessionGrid(calendar, timeframe_ms, first_bar, memoryview(begin), memoryview(end))


def _weeks(calendar: ExchangeCalendar, length_ms: int) -> Iterator[tuple[int, int]]:
    """First and last session of every bar of whole weeks."""

    def bar(session: int) -> int:
        return int(calendar.date[session] - MONDAY_MS) // length_ms

    for _number, sessions in groupby(range(len(calendar)), bar):
        held = list(sessions)
        yield held[0], held[-1]


@cache
def _labels(calendar: ExchangeCalendar, row_ms: int) -> dict[int, int]:
    """The last session of a bar by its stamp, ms UTC: open, local midnight or date of its first session; of
    weeks the same of their Monday."""
    sessions = range(len(calendar))
    columns = calendar.open, calendar.midnight, calendar.date
    if row_ms == DAY_MS:
        return {stamp: session for column in columns for stamp, session in zip(column, sessions, strict=True)}
    found = {}
    for first, last in _weeks(calendar, row_ms):
        monday = (calendar.date[first] - MONDAY_MS) // WEEK_MS * WEEK_MS + MONDAY_MS
        found[monday + calendar.midnight[first] - calendar.date[first]] = last
        found[monday] = last
        found |= {column[first]: last for column in columns}
    return found
