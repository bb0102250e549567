"""When the bars of an exchange begin and end: a bar never crosses a session (SEMANTICS section 1)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Final

from spark_engine.data.calendars import scan
from spark_engine.data.calendars.grid import (
    OFF_GRID,
    OUTSIDE,
    WEEK_MS,
    Placement,
    SessionGrid,
    session_grid,
)
from spark_engine.data.calendars.table import DAY_MS, FIELD, exchange_calendar
from spark_engine.data.candles import FEED_DOWN, PARTIAL, Sessions
from spark_engine.data.check import (
    BARS_ARE_GAPLESS,
    ROW_CHECKS,
    TIMES_ARE_ON_GRID,
    Check,
    Finding,
    Grid,
    described,
    require,
)
from spark_engine.data.gaps import Gaps
from spark_engine.data.request import CandleRequest, timeframe_ms
from spark_engine.data.rows import Rows, empty, typed, zeros
from spark_engine.data.stamps import iso
from spark_engine.data.window import Window, empty_window
from spark_engine.errors import InvalidData

SESSIONS_A_YEAR: Final = 252
WEEKS_A_YEAR: Final = 52
FLAWED: Final = (PARTIAL, FEED_DOWN)


def exchange_timetable(calendar: str, timeframe_ms: int, row_ms: int) -> ExchangeTimetable:
    """Raises `InvalidSpec` for an unknown calendar, and for bars of days that are no weeks."""
    return ExchangeTimetable(session_grid(exchange_calendar(calendar), timeframe_ms), row_ms)


def sessions_of(calendar: str, ts: memoryview, timeframe_ms: int) -> Sessions:
    """How `calendar` sees the bars of a run, without warm-up. ts: int64, ms UTC, of bars that it allows."""
    return exchange_timetable(calendar, timeframe_ms, timeframe_ms).sessions(ts, 0)


@dataclass(frozen=True)
class ExchangeTimetable:
    """`Timetable` by the sessions of `grid.calendar`."""

    grid: SessionGrid
    row_ms: int

    @cached_property
    def _rows(self) -> SessionGrid:
        """The bars that rows are."""
        return session_grid(self.grid.calendar, self.row_ms)

    def to_opens(self, ts: memoryview) -> None:
        """The last row of a session may be short, and closes with it; a later close is that of the clock."""
        ts[:] = typed("q", map(self._open_of, ts))

    def _open_of(self, close_ms: int) -> int:
        own = self.grid.calendar
        session = bisect_left(own.close, close_ms)
        ended = session < len(own) and own.open[session] < close_ms
        if not ended or (self.row_ms >= DAY_MS and own.close[session] != close_ms):
            return close_ms - self.row_ms
        if self.row_ms >= DAY_MS:
            return int(self._rows.unit_begin[session])
        after = close_ms - own.open[session]
        short = after % self.row_ms if own.close[session] == close_ms else 0
        return close_ms - (short or self.row_ms)

    def covered(self, ts: memoryview) -> tuple[int, int]:
        ends = memoryview(typed("q", (ts[0], ts[-1])))
        placed = self._rows.place(ends, self.row_ms)
        return placed.begin[0], placed.end[1]

    def rows_of(self, ts: memoryview, row_ms: int, spans: Iterable[tuple[int, int]]) -> Iterator[range]:
        placed = self.grid.place(ts, row_ms)
        for from_ms, to_ms in spans:
            yield range(bisect_right(placed.end, from_ms), bisect_left(placed.begin, to_ms))

    def bars_between(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
        own = self.grid.calendar
        first = bisect_right(own.close, from_ms)
        sessions = range(first, max(first, bisect_left(own.open, to_ms)))
        for bar in dict.fromkeys(bar for session in sessions for bar in self.grid.bars_of(session)):
            if bar[0] < to_ms and bar[1] > from_ms:
                yield bar

    def extent(self, bars: Rows) -> tuple[int, int]:
        ends = memoryview(typed("q", (bars.ts[0], bars.ts[-1])))
        placed = self.grid.place(ends, self.grid.timeframe_ms)
        return placed.begin[0], placed.end[1]

    def window(self, rows: Rows, request: CandleRequest, now_ms: int) -> Window:
        placed = self.grid.place(rows.ts, self.row_ms)
        begins = rows.ts if self.row_ms == self.grid.timeframe_ms else placed.begin
        end = len(rows) if request.end_ms is None else bisect_right(placed.end, request.end_ms)
        forming = end > 0 and min(begins[end - 1], placed.begin[end - 1]) <= now_ms < placed.end[end - 1]
        if forming:
            end = bisect_left(placed.end, placed.end[end - 1])
        first = 0 if request.start_ms is None else bisect_left(begins, request.start_ms)
        if first >= end:
            raise empty_window(rows, request)
        begin = first
        if request.start_ms is not None:
            begin = _warmup_begin(rows, placed, first, request)
        return Window(begin, end, begins[first], forming)

    def within_sessions(self, rows: Rows, request: CandleRequest) -> Rows:
        faults = bytes(self.grid.place(rows.ts, self.row_ms).fault)
        if OUTSIDE not in faults:
            return rows
        outside = [row for row, fault in enumerate(faults) if fault == OUTSIDE]
        self._require_known(rows, outside)
        refused = [row for row in outside if not _is_placeholder(rows, row)]
        if refused and request.partial_bars != "Drop":
            raise InvalidData(self._outside(rows, refused), field=FIELD)
        return rows.take(list(compress(range(len(rows)), (fault != OUTSIDE for fault in faults))))

    def _require_known(self, rows: Rows, outside: Sequence[int]) -> None:
        own = self.grid.calendar
        for row in (outside[0], outside[-1]):
            if not own.date[0] <= rows.ts[row] < own.date[-1] + DAY_MS:
                raise InvalidData(
                    f"{own.name} is known from {own.span()}; bar {row} at {iso(rows.ts[row])} lies outside",
                    field=FIELD,
                )

    def _outside(self, rows: Rows, refused: Sequence[int]) -> str:
        first = refused[0]
        volume = f"volume {rows.volume[first]:.12g}"
        rule = Check(
            f"bars must lie within the sessions of {self.grid.calendar.name}",
            FIELD,
            lambda _rows, _grid: None,
            "spec.data.partialBars: Drop leaves such rows out; flat ones without volume are left out anyway",
        )
        return described(rule, Finding(len(refused), first, f"there is no session, {volume}"), rows)

    def check(self, rows: Rows) -> None:
        checks = [check for check in ROW_CHECKS if check is not TIMES_ARE_ON_GRID]
        require(checks, rows, Grid(self.row_ms, 0))
        placed = self._rows.place(rows.ts, self.row_ms)
        self._require_on_grid(rows, placed)
        self._require_one_row_a_bar(rows, placed)

    def _require_on_grid(self, rows: Rows, placed: Placement) -> None:
        count = bytes(placed.fault).count(OFF_GRID)
        if not count:
            return
        first = bytes(placed.fault).index(OFF_GRID)
        own = self.grid.calendar
        after = (rows.ts[first] - own.open[placed.session[first]]) % self.row_ms
        rule = Check(
            f"bars must begin on the grid of their timeframe, counted from the open of {own.name}",
            TIMES_ARE_ON_GRID.field,
            lambda _rows, _grid: None,
            TIMES_ARE_ON_GRID.advice,
        )
        raise InvalidData(
            described(rule, Finding(count, first, f"{after} ms after the grid"), rows), field=rule.field
        )

    def _require_one_row_a_bar(self, rows: Rows, placed: Placement) -> None:
        for row in range(1, len(rows)) if self.row_ms >= DAY_MS else ():
            if placed.bar[row] == placed.bar[row - 1]:
                raise InvalidData(
                    f"a session has one bar: bars {row - 1} at {iso(rows.ts[row - 1])} and {row} at "
                    f"{iso(rows.ts[row])} are of one",
                    field="spec.data.uri",
                )

    def first_row_after(self, ts: memoryview, day: int) -> int:
        own = self.grid.calendar
        session = bisect_left(own.date, (day + 1) * DAY_MS)
        if session == len(own):
            return len(ts)
        stamps = [own.open] if self.row_ms < DAY_MS else [own.open, own.midnight, own.date]
        return bisect_left(ts, min(column[session] for column in stamps))

    def resampled(self, rows: Rows, timeframe: str, covered: tuple[int, int]) -> Rows:
        asked_ms = timeframe_ms(timeframe)
        if asked_ms == self.row_ms:
            return rows
        grid = self.grid if asked_ms == self.grid.timeframe_ms else session_grid(self.grid.calendar, asked_ms)
        placed = grid.place(rows.ts, self.row_ms)
        bars = empty(len(rows))
        count = scan.resample(
            *rows.columns()[1:], placed.bar, placed.begin, placed.end, *covered, *bars.columns()
        )
        return bars.between(0, count)

    def gaps(self, bars: Rows) -> Gaps:
        count, missing, most, _first = self._missing(bars.ts, zeros("b", len(bars)))
        return Gaps(count, missing, most * self.grid.timeframe_ms)

    def _missing(self, ts: memoryview, follows: memoryview) -> tuple[int, int, int, int]:
        return scan.gaps(self.grid.place(ts, self.grid.timeframe_ms).bar, follows)

    def require_gapless(self, bars: Rows) -> None:
        count, missing, _most, first = self._missing(bars.ts, zeros("b", len(bars)))
        if count:
            detail = f"the bars before it are missing, {missing} bars of {self.grid.calendar.name} in all"
            message = described(BARS_ARE_GAPLESS, Finding(count, first, detail), bars)
            raise InvalidData(message, field=BARS_ARE_GAPLESS.field)

    def sessions(self, ts: memoryview, warmup: int) -> Sessions:
        placed = self.grid.place(ts, self.grid.timeframe_ms)
        follows = zeros("b", len(ts))
        scan.gaps(placed.bar, follows)
        return Sessions(
            calendar=self.grid.calendar.name,
            close_ts=placed.end,
            day=placed.session,
            follows_gap=follows,
            periods_per_year=self._periods_per_year(placed.session[warmup]),
            sessions_per_year=float(SESSIONS_A_YEAR),
        )

    def _periods_per_year(self, first: int) -> float:
        """Bars within sessions by the most frequent length, the longest of equals, in the year of sessions
        that begins with the run, so that later bars change nothing."""
        own, length_ms = self.grid.calendar, self.grid.timeframe_ms
        if length_ms >= WEEK_MS:
            return WEEKS_A_YEAR / (length_ms // WEEK_MS)
        if length_ms == DAY_MS:
            return float(SESSIONS_A_YEAR)
        lengths = Counter(map(own.trading_ms, range(first, min(first + SESSIONS_A_YEAR, len(own)))))
        most = max(lengths.values())
        return SESSIONS_A_YEAR * max(length for length, times in lengths.items() if times == most) / length_ms


def _warmup_begin(rows: Rows, placed: Placement, first: int, request: CandleRequest) -> int:
    """The row where the last `warmup_bars` bars before row `first` begin."""
    begin = first
    counted = 0
    for row, whole in _bars_backwards(rows, placed, first):
        if counted == request.warmup_bars:
            break
        begin = row
        counted += whole or request.partial_bars != "Drop"
    return begin


def _bars_backwards(rows: Rows, placed: Placement, end: int) -> Iterator[tuple[int, bool]]:
    """First row of each bar before row `end`, the latest bar first, and whether all its rows are whole."""
    row = end
    while row > 0:
        bar, whole = placed.bar[row - 1], True
        if placed.fault[row - 1] == OUTSIDE:
            row -= 1
            continue
        while row > 0 and placed.bar[row - 1] == bar:
            row -= 1
            whole = whole and rows.quality[row] not in FLAWED
        yield row, whole


def _is_placeholder(rows: Rows, row: int) -> bool:
    """What vendors write for holidays: nothing was traded and no price moved."""
    return bool(rows.volume[row] == 0.0 and rows.high[row] == rows.low[row])
