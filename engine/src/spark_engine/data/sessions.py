"""Rows against the sessions of an exchange: what is no session, and which sessions have no row."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from spark_engine.data.calendars.grid import FITS, OFF_GRID, SessionGrid, session_grid
from spark_engine.data.calendars.table import ExchangeCalendar, exchange_calendar
from spark_engine.data.calendars.timetable import exchange_timetable
from spark_engine.data.request import MONDAY_MS, UNITS_MS
from spark_engine.data.rows import Rows, shift
from spark_engine.data.stamps import iso
from spark_engine.data.timetable import ALWAYS
from spark_engine.errors import InvalidData

DAY_MS: Final = UNITS_MS["d"]


@dataclass(frozen=True, slots=True)
class SessionCheck:
    """Positions of rows, in time order.

    fitting: within a session, on its grid. placeholders: outside of sessions, flat and without volume, as
    vendors write for holidays. strangers: outside of sessions, with trades. off_grid: within a session, off
    the grid of its bars. session: of each fitting row, its number in the calendar. gaps: places where bars
    are missing, between the first and the last fitting row; missing_bars: how many; missing_sessions: dates
    (midnight UTC, ms) of sessions without any row.
    """

    fitting: tuple[int, ...]
    placeholders: tuple[int, ...]
    strangers: tuple[int, ...]
    off_grid: tuple[int, ...]
    session: tuple[int, ...]
    gaps: int
    missing_bars: int
    missing_sessions: tuple[int, ...]


def check_sessions(rows: Rows, calendar: str, step_ms: int) -> SessionCheck:
    """`rows`: in time order, of bars of `step_ms`, of one day or shorter.

    Raises `InvalidSpec` for an unknown calendar, `InvalidData` for rows beyond its table.
    """
    own = exchange_calendar(calendar)
    _require_known(rows, own)
    grid = session_grid(own, step_ms)
    placed = grid.place(rows.ts, step_ms)
    faults = bytes(placed.fault)
    fitting = tuple(row for row, fault in enumerate(faults) if fault == FITS)
    outside = [row for row, fault in enumerate(faults) if fault not in (FITS, OFF_GRID)]
    bars = [placed.bar[row] for row in fitting]
    gaps = [after - before - 1 for before, after in pairwise(bars) if after - before > 1]
    session = tuple(placed.session[row] for row in fitting)
    return SessionCheck(
        fitting,
        tuple(row for row in outside if is_placeholder(rows, row)),
        tuple(row for row in outside if not is_placeholder(rows, row)),
        tuple(row for row, fault in enumerate(faults) if fault == OFF_GRID),
        session,
        len(gaps),
        sum(gaps),
        _without_row(grid, session),
    )


def to_opens(ts: memoryview, calendar: str, step_ms: int) -> None:
    """Stamps of the close become those of the open, in place. Raises `InvalidSpec` as `check_sessions`."""
    if calendar == ALWAYS:
        shift(ts, -step_ms)
    else:
        exchange_timetable(calendar, step_ms or DAY_MS, step_ms or DAY_MS).to_opens(ts)


def session_times(rows: Rows, sessions: Sequence[int], calendar: str, step_ms: int) -> list[int]:
    """When bars begin, as an archive has it; `sessions` are those of the rows.

    Bars of a day begin at midnight UTC of their session's date, bars of weeks at that of a Monday, whatever
    stamp the source has.

    Raises `InvalidData` where two rows are of one bar.
    """
    if step_ms < DAY_MS:
        return list(rows.ts)
    own = exchange_calendar(calendar)
    times = [own.date[session] for session in sessions]
    if step_ms > DAY_MS:
        times = [(time - MONDAY_MS) // step_ms * step_ms + MONDAY_MS for time in times]
    for before, after in pairwise(times):
        if before == after:
            raise InvalidData(f"there are two rows of {iso(after)[:10]}", field="spec.data.uri")
    return times


def session_spans(
    rows: Rows, sessions: Sequence[int], calendar: str, step_ms: int
) -> tuple[tuple[int, int], ...]:
    """[from, to) of the sessions that have a row, ms UTC, joined over weekends and holidays.

    Whole days for bars of a day or more; for shorter ones from open to close, the last one to the end of its
    last bar: more of that session may be to come.
    """
    own = exchange_calendar(calendar)
    begins = session_grid(own, step_ms).unit_begin
    runs: list[list[int]] = []
    for session in dict.fromkeys(sessions):
        first = bisect_left(own.open, begins[session])  # of a bar of weeks `session` is the last
        if runs and first <= runs[-1][1] + 1:
            runs[-1][1] = session
        else:
            runs.append([first, session])
    if step_ms >= DAY_MS:
        return tuple((own.date[first], own.date[last] + DAY_MS) for first, last in runs)
    end = min(own.close[sessions[-1]], rows.ts[len(rows) - 1] + step_ms)
    spans = [(own.open[first], own.close[last]) for first, last in runs]
    return (*spans[:-1], (spans[-1][0], end))


def is_placeholder(rows: Rows, row: int) -> bool:
    """Nothing was traded and no price moved."""
    return bool(rows.volume[row] == 0.0 and rows.high[row] == rows.low[row])


def _without_row(grid: SessionGrid, session: tuple[int, ...]) -> tuple[int, ...]:
    if not session:
        return ()
    held = {grid.unit_begin[number] for number in session}
    return tuple(
        grid.calendar.date[number]
        for number in range(session[0], session[-1])
        if grid.unit_begin[number] not in held
    )


def _require_known(rows: Rows, own: ExchangeCalendar) -> None:
    for stamp in (rows.ts[0], rows.ts[-1]) if len(rows) else ():
        if not own.date[0] <= stamp < own.date[-1] + DAY_MS:
            raise InvalidData(
                f"{own.name} is known from {own.span()}; the row at {iso(stamp)} lies outside",
                field="spec.market.calendar",
            )
