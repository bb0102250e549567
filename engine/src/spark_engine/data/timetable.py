"""When bars of a market begin and end: around the clock here, by sessions in `calendars.timetable`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from spark_engine.data import scan
from spark_engine.data.candles import Sessions
from spark_engine.data.check import BARS_ARE_GAPLESS, ROW_CHECKS, Grid, require
from spark_engine.data.gaps import Gaps
from spark_engine.data.request import UNITS_MS, CandleRequest, anchor_ms, timeframe_ms
from spark_engine.data.resample import resampled
from spark_engine.data.rows import Rows, shift
from spark_engine.data.timeframe import grid_anchor_ms
from spark_engine.data.window import Window, window_of

ALWAYS: Final = "24x7"


class Timetable(Protocol):
    """The bars of one timeframe, and the rows of a finer or the same timeframe that they are made of.

    Rows are in time order, stamped at the open but for `to_opens`.
    """

    def to_opens(self, ts: memoryview) -> None:
        """Stamps of the close become those of the open, in place."""

    def covered(self, ts: memoryview) -> tuple[int, int]:
        """From the begin of the first row to the end of the last, ms UTC."""

    def rows_of(self, ts: memoryview, row_ms: int, spans: Iterable[tuple[int, int]]) -> Iterator[range]:
        """For each span [from, to): the rows of the bars that have time in it. ts: of rows of `row_ms`."""

    def bars_between(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
        """Begin and end of every bar that has time in [from_ms, to_ms)."""

    def extent(self, bars: Rows) -> tuple[int, int]:
        """From the begin of the first of these bars of the timeframe to the end of the last, ms UTC."""

    def window(self, rows: Rows, request: CandleRequest, now_ms: int) -> Window:
        """The rows that the request asks, warm-up first. Raises `InvalidData` for none."""

    def within_sessions(self, rows: Rows, request: CandleRequest) -> Rows:
        """Without the rows of no session that may be left out. Raises `InvalidData` for others."""

    def check(self, rows: Rows) -> None:
        """Raises `InvalidData` for the first rule of rows that is broken."""

    def first_row_after(self, ts: memoryview, day: int) -> int:
        """The first row of a date after `day`, counted from 1970-01-01."""

    def resampled(self, rows: Rows, timeframe: str, covered: tuple[int, int]) -> Rows:
        """Bars of `timeframe`, a whole part of this one or it; partial beyond `covered`."""

    def gaps(self, bars: Rows) -> Gaps:
        """Of bars of the timeframe."""

    def require_gapless(self, bars: Rows) -> None:
        """Raises `InvalidData` where a bar is missing."""

    def sessions(self, ts: memoryview, warmup: int) -> Sessions | None:
        """Of bars of the timeframe; None around the clock."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The calendar 24x7: bars follow one another at all times."""

    timeframe: str
    row_ms: int

    @property
    def _grid(self) -> Grid:
        return _grid(self.timeframe)

    @property
    def _row_grid(self) -> Grid:
        if self.row_ms == self._grid.step_ms:
            return self._grid
        return Grid(self.row_ms, grid_anchor_ms(self.row_ms))

    def to_opens(self, ts: memoryview) -> None:
        shift(ts, -self.row_ms)

    def covered(self, ts: memoryview) -> tuple[int, int]:
        return ts[0], ts[-1] + self.row_ms

    def rows_of(
        self,
        ts: memoryview,
        row_ms: int,  # noqa: ARG002 - the begin of a row decides
        spans: Iterable[tuple[int, int]],
    ) -> Iterator[range]:
        for from_ms, to_ms in spans:
            yield range(bisect_left(ts, self._floor(from_ms)), bisect_left(ts, -self._floor(-to_ms, -1)))

    def bars_between(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
        step_ms = self._grid.step_ms
        for begin in range(self._floor(from_ms), to_ms, step_ms):
            yield begin, begin + step_ms

    def extent(self, bars: Rows) -> tuple[int, int]:
        return bars.ts[0], bars.ts[-1] + self._grid.step_ms

    def _floor(self, ms: int, sign: int = 1) -> int:
        grid = self._grid
        return (ms - sign * grid.anchor_ms) // grid.step_ms * grid.step_ms + sign * grid.anchor_ms

    def window(self, rows: Rows, request: CandleRequest, now_ms: int) -> Window:
        return window_of(rows, request, self._grid, now_ms)

    def within_sessions(self, rows: Rows, request: CandleRequest) -> Rows:  # noqa: ARG002 - no row is outside
        return rows

    def check(self, rows: Rows) -> None:
        require(ROW_CHECKS, rows, self._row_grid)

    def first_row_after(self, ts: memoryview, day: int) -> int:
        return bisect_left(ts, (day + 1) * UNITS_MS["d"])

    def resampled(self, rows: Rows, timeframe: str, covered: tuple[int, int]) -> Rows:
        grid = _grid(timeframe)
        return rows if grid.step_ms == self.row_ms else resampled(rows, grid, *covered)

    def gaps(self, bars: Rows) -> Gaps:
        count, missing, longest_ms, _first = scan.gaps(bars.ts, self._grid.step_ms)
        return Gaps(count, missing, longest_ms)

    def require_gapless(self, bars: Rows) -> None:
        require((BARS_ARE_GAPLESS,), bars, self._grid)

    def sessions(self, ts: memoryview, warmup: int) -> None:  # noqa: ARG002 - there are none
        return None


def timetable_of(request: CandleRequest, row_ms: int) -> Timetable:
    """Raises `InvalidSpec` for an unknown calendar, and for bars that it cannot have."""
    if request.calendar == ALWAYS:
        return Clock(request.timeframe, row_ms)
    from spark_engine.data.calendars.timetable import exchange_timetable

    return exchange_timetable(request.calendar, timeframe_ms(request.timeframe), row_ms)


def _grid(timeframe: str) -> Grid:
    return Grid(timeframe_ms(timeframe), anchor_ms(timeframe))
