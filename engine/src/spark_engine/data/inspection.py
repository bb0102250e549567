"""What was found in a source, as values: the reading that `backtest data inspect` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spark_engine.data.bad_prints import BadPrint


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars missing between two rows that exist, ms UTC."""

    after_ms: int
    before_ms: int
    missing_bars: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a run under default policies would not take the data, and the field that governs it."""

    field: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times: rows by how they are written (`origin.FORMS`); of all but the column in use, rows
    that say another time than it, and by how much most of those do."""

    column: str
    forms: Mapping[str, int]
    disagreeing_rows: int = 0
    disagree_by_ms: int = 0


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Times that occur more than once: how many, the first, the last.

    price_conflicts, volume_conflicts: times of which a row that is left out is further from the better one
    than the tolerance. undecided: times of which a repair has to be told what makes a row the better one.
    """

    times: int
    first_ms: int | None
    last_ms: int | None
    price_conflicts: int
    price_tolerance: float
    volume_conflicts: int
    volume_tolerance: float
    undecided: int


@dataclass(frozen=True, slots=True)
class OffSessions:
    """Rows outside the sessions of a calendar, without trades and with them, and sessions without a row.

    The tuples hold the first 100 of each: times of rows, dates of sessions (midnight UTC), ms.
    """

    calendar: str
    placeholder_rows: int
    placeholders: tuple[int, ...]
    no_session_rows: int
    no_sessions: tuple[int, ...]
    missing_sessions: int
    without_row: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """Counts are rows of the whole source, duplicates included; gaps are counted between different times."""

    uri: str
    files: tuple[str, ...]
    bytes: int
    sha256: str
    rows: int
    first_ms: int
    last_ms: int
    timeframe: str | None  # None where there are no two times
    order: str  # ascending, descending or mixed
    unsorted_rows: int
    times: tuple[Times, ...]
    empty_cells: Mapping[str, int]
    distinct_times: int
    duplicates: Duplicates
    gaps: int
    missing_bars: int
    longest_gaps: tuple[Gap, ...]
    exact_duplicates: int
    conflicting_duplicates: int
    nan_prices: int
    infinite_prices: int
    prices_not_above_zero: int
    broken_ranges: int
    broken_ranges_within_1e9: int
    off_grid_rows: int
    null_volumes: int
    zero_volumes: int
    bad_volumes: int
    flat_bars: int
    partial_bars: int
    quality: Mapping[str, int]
    bad_prints: int  # prices far from those before and after, of the rows that a repair keeps
    first_bad_prints: tuple[BadPrint, ...]
    sessions: OffSessions | None  # None around the clock
    price_scale: int | None  # of the rows with usable prices; None where they fit no scale
    refusals: tuple[Refusal, ...]

    @property
    def accepted(self) -> bool:
        """Whether a run of the source's own timeframe under default policies would take all of it."""
        return not self.refusals
