"""One delivered file: read whole or not at all, checked against the calendar, as candles. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from spark_crds.feeds import TIMEFRAMES

from spark_engine.data.calendars.grid import session_grid
from spark_engine.data.calendars.table import exchange_calendar
from spark_engine.data.mend import Mended, Repair, Rules, mended
from spark_engine.data.origin import Written, read_written
from spark_engine.data.request import timeframe_ms, timeframe_text
from spark_engine.data.rows import Rows
from spark_engine.data.sessions import SessionCheck, check_sessions, session_spans, session_times
from spark_engine.data.stamps import iso
from spark_engine.data.symbols import symbols_of
from spark_engine.data.timeframe import session_step_ms, source_step_ms
from spark_engine.errors import InvalidData
from spark_engine.feeds.file_candles import file_candles
from spark_engine.feeds.market import Candle, Instrument, Interval
from spark_engine.feeds.providers.bist.names import canonical_symbol, symbol_of_file, timeframe_of_file

FIELD: Final = "files"
CURRENCY: Final = "TRY"
REPAIRS: Final = frozenset(
    {"time-units", "time-columns", "order", "null-volumes", "rounding", "exact-duplicates"}
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the feed takes of files: canonical symbols, timeframes to archive, the exchange's calendar."""

    symbols: tuple[str, ...]
    timeframes: tuple[str, ...]
    calendar: str = "XIST"


@dataclass(frozen=True, slots=True)
class Findings:
    """What was seen in the rows of one symbol; times are ms UTC of rows, dates of sessions (midnight UTC).

    placeholders: flat rows without volume on days without a session, left out. no_session: rows with trades
    where there is none, left out: cancelled trades (2023-02-08), or wrong times. missing_sessions: between
    the first and the last row. empty_rows: without any price. forming: bars whose session had not ended when
    the file was written, left out. exact: False where prices or volumes have more than nine decimals and were
    rounded. repairs: what else was mended.
    """

    rows: int
    placeholders: tuple[int, ...]
    no_session: tuple[int, ...]
    missing_sessions: tuple[int, ...]
    empty_rows: int
    forming: int
    exact: bool
    repairs: tuple[Repair, ...]


@dataclass(frozen=True, slots=True)
class DropSeries:
    """Bars of one symbol in time order. covered: sessions that the file speaks of, from open to close; for
    bars of a day whole days, joined over weekends and holidays."""

    instrument: Instrument
    timeframe: str
    candles: tuple[Candle, ...]
    covered: tuple[Interval, ...]
    findings: Findings


@dataclass(frozen=True, slots=True)
class Drop:
    """All that a file holds of the wanted symbols; empty where it holds others only."""

    name: str
    series: tuple[DropSeries, ...]


def read_drop(name: str, content: bytes, wanted: Wanted, written_ms: int, now_ms: int) -> Drop:
    """`name`: the path in the drop. `written_ms`: when the file was written; a bar that ended later was
    forming then. A time before the last bar is none (that of an unpacked archive): then now counts.

    Raises `InvalidData` for a file that is to be taken in no part: unreadable, a bar that no exchange could
    print, two rows of one bar that differ, a timeframe that the feed does not archive.
    """
    spellings = _spellings(name, content, wanted)
    series = [
        _series(name, content, symbol, *spelt, wanted, written_ms, now_ms) for symbol, spelt in spellings
    ]
    return Drop(name, tuple(found for found in series if found is not None))


def _spellings(name: str, content: bytes, wanted: Wanted) -> list[tuple[str, tuple[str, str]]]:
    """Wanted symbols of the file, each with how the venue spells it and what to ask of the column."""
    if not content:
        raise InvalidData(f"{name} is empty", field=FIELD)
    listed = symbols_of(content, name)
    if listed is None:
        said = symbol_of_file(name, wanted.symbols)
        return [] if said is None else [(said[0], (said[1], ""))]
    found: dict[str, list[str]] = {}
    for spelling in listed:
        found.setdefault(canonical_symbol(spelling), []).append(spelling)
    for symbol, spellings in found.items():
        if symbol in wanted.symbols and len(spellings) > 1:
            raise InvalidData(f"{name} spells {symbol} in two ways: {', '.join(spellings)}", field=FIELD)
    return [(symbol, (found[symbol][0],) * 2) for symbol in wanted.symbols if symbol in found]


def _series(
    name: str,
    content: bytes,
    symbol: str,
    venue_symbol: str,
    column: str,
    wanted: Wanted,
    written_ms: int,
    now_ms: int,
) -> DropSeries | None:
    written = read_written({name: content}, column, "Open")
    timeframe = _timeframe(name, written.rows, wanted)
    step_ms = timeframe_ms(timeframe)
    repaired = mended(written, Rules(calendar=wanted.calendar, step_ms=step_ms))
    empty = _require_whole(name, written, repaired)
    found = check_sessions(repaired.rows, wanted.calendar, step_ms)
    kept = _ended(repaired.rows, wanted.calendar, step_ms, written_ms, now_ms)
    if kept == 0:
        return None
    rows = repaired.rows.between(0, kept)
    sessions = found.session[:kept]
    times = session_times(rows, sessions, wanted.calendar, step_ms)
    spelt = Instrument(
        symbol=symbol, venue_symbol=venue_symbol, base=symbol, quote=CURRENCY, price_scale=0, quantity_scale=0
    )
    instrument, candles, exact = file_candles(rows, times, timeframe, spelt, name)
    findings = _findings(written, repaired, found, sessions, wanted.calendar, step_ms, empty, exact)
    spans = session_spans(rows, sessions, wanted.calendar, step_ms)
    covered = tuple(Interval(begin, end) for begin, end in spans)
    return DropSeries(instrument, timeframe, candles, covered, findings)


def _timeframe(name: str, rows: Rows, wanted: Wanted) -> str:
    """What the name says, else what the steps between rows are, else the only one that is archived, of which
    most bars may be missing."""
    said = timeframe_of_file(name, wanted.timeframes)
    if said is not None:
        return said
    ts = memoryview(rows.take(sorted(range(len(rows)), key=rows.ts.__getitem__)).ts)
    measured = session_step_ms(source_step_ms(ts)) if ts[0] != ts[-1] else 0
    for timeframe in wanted.timeframes:
        if timeframe_ms(timeframe) == measured:
            return timeframe
    other = timeframe_of_file(name, TIMEFRAMES)
    sparse = not measured or (measured > timeframe_ms(wanted.timeframes[0]) and not _regular(ts, measured))
    if other is None and sparse and len(wanted.timeframes) == 1:
        return wanted.timeframes[0]
    told = "has one row and says no timeframe"
    if measured or other is not None:
        told = f"has bars of {other or timeframe_text(measured)}"
    raise InvalidData(f"{name} {told}; the feed archives {', '.join(wanted.timeframes)}", field=FIELD)


def _regular(ts: memoryview, step_ms: int) -> bool:
    """Whether bars of `step_ms` were written, and not shorter ones with others missing: by more than half of
    the steps, of which one alone may be chance."""
    steps = [session_step_ms(after - before) for before, after in pairwise(ts) if after > before]
    return steps.count(step_ms) > max(1, len(steps) // 2)


def _require_whole(name: str, written: Written, repaired: Mended) -> int:
    """Rows without any price. Raises `InvalidData` for rows that are wrong otherwise."""
    empty = sum(
        all(price != price for price in prices) for prices in zip(*written.rows.prices(), strict=True)
    )
    if repaired.duplicates.undecided:
        first = iso(repaired.duplicates.undecided[0])
        raise InvalidData(f"{name} has rows of {first} that differ", field=FIELD)
    for repair in repaired.repairs:
        if repair.name == "conflicting-duplicates":
            raise InvalidData(f"{name} has rows of {iso(repair.example_ms)} that differ", field=FIELD)
        if repair.name == "off-grid-rows" or (repair.name == "unusable-rows" and repair.rows > empty):
            raise InvalidData(f"{name}: {repair.why}; the first: {repair.before}", field=FIELD)
    return empty


def _ended(rows: Rows, calendar: str, step_ms: int, written_ms: int, now_ms: int) -> int:
    """How many bars had ended when the file was written; they are in time order."""
    if not len(rows):
        return 0
    placed = session_grid(exchange_calendar(calendar), step_ms).place(rows.ts, step_ms)
    as_of_ms = min(written_ms, now_ms) if written_ms >= placed.begin[len(rows) - 1] else now_ms
    return sum(end <= as_of_ms for end in placed.end)


def _findings(
    written: Written,
    repaired: Mended,
    found: SessionCheck,
    sessions: Sequence[int],
    calendar: str,
    step_ms: int,
    empty: int,
    exact: bool,
) -> Findings:
    rows = written.rows.take(sorted(range(len(written.rows)), key=written.rows.ts.__getitem__))
    outside = check_sessions(rows, calendar, step_ms)
    last = exchange_calendar(calendar).date[sessions[-1]]
    return Findings(
        rows=len(rows),
        placeholders=tuple(rows.ts[row] for row in outside.placeholders),
        no_session=tuple(rows.ts[row] for row in outside.strangers),
        missing_sessions=tuple(date for date in found.missing_sessions if date < last),
        empty_rows=empty,
        forming=len(repaired.rows) - len(sessions),
        exact=exact,
        repairs=tuple(repair for repair in repaired.repairs if repair.name in REPAIRS),
    )
