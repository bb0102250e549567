"""Reads the tables that `generate` writes: sessions of an exchange, in ms UTC."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final

from spark_engine.errors import InvalidSpec

ALWAYS: Final = "24x7"
FIELD: Final = "spec.market.calendar"
FOLDER: Final = Path(__file__).with_name("tables")
INDEX: Final = "index.json"
DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
MONDAY_OFFSET: Final = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True, slots=True, eq=False)  # one object a name: a key of caches
class ExchangeCalendar:
    """Sessions in order; int64 columns of ms UTC, one row a session.

    date: midnight UTC of the session's date. midnight: midnight of that date at the exchange. break_open and
    break_close: the pause within the session [break_open, break_close), both the close where there is none.
    """

    name: str
    date: memoryview
    midnight: memoryview
    open: memoryview
    close: memoryview
    break_open: memoryview
    break_close: memoryview

    def __len__(self) -> int:
        return len(self.date)

    def span(self) -> str:
        """First and last day that the table speaks of."""
        return f"{_iso_day(self.date[0])} to {_iso_day(self.date[-1])}"

    def trading_ms(self, session: int) -> int:
        """Length of a session, its break left out."""
        pause = self.break_close[session] - self.break_open[session]
        return int(self.close[session] - self.open[session] - pause)


@cache
def exchange_calendar(name: str) -> ExchangeCalendar:
    """The calendar by its market identifier code or an alias. Raises `InvalidSpec` for an unknown one."""
    index = json.loads((FOLDER / INDEX).read_text())
    own = index["aliases"].get(name, name)
    if own not in index["calendars"]:
        raise _unknown(name, [*index["calendars"], *index["aliases"]])
    return _calendar(own, json.loads((FOLDER / f"{own}.json").read_text()))


def _unknown(name: str, known: list[str]) -> InvalidSpec:
    near = get_close_matches(name.upper(), known, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return InvalidSpec(
        f"{name[:40]!r} is no calendar of this engine; {meant}known are {ALWAYS}, {', '.join(sorted(known))}",
        field=FIELD,
    )


def _calendar(name: str, table: dict[str, Any]) -> ExchangeCalendar:
    first, last = _day(table["first"]), _day(table["last"])
    closed, extra = _days(table["closed"]), _days(table["extra"])
    weekdays = frozenset(table["weekdays"])
    days = [
        day
        for day in range(first, last + 1)
        if day in extra or ((day + MONDAY_OFFSET) % 7 in weekdays and day not in closed)
    ]
    columns = [array("q") for _ in range(6)]
    changes = [_hours(line) for line in table["hours"]]
    at = 0
    for day in days:
        while at + 1 < len(changes) and changes[at + 1][0] <= day:
            at += 1
        for column, offset in zip(columns, changes[at][1], strict=True):
            column.append(day * DAY_MS + offset)
    return ExchangeCalendar(name, *(memoryview(column) for column in columns))


def _hours(line: str) -> tuple[int, tuple[int, ...]]:
    """A line of hours: the session from which it holds, and offsets in the order of the columns."""
    day, *minutes = line.split()
    opens, closes, midnight, *pause = (int(minute) * MINUTE_MS for minute in minutes)
    return _day(day), (0, midnight, opens, closes, *(pause or (closes, closes)))


def _days(years: dict[str, str]) -> frozenset[int]:
    return frozenset(_day(f"{year}-{day}") for year, days in years.items() for day in days.split())


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH_ORDINAL


def _iso_day(ms: int) -> str:
    return date.fromordinal(ms // DAY_MS + EPOCH_ORDINAL).isoformat()
