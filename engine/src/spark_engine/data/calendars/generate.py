"""Writes the tables of exchange calendars from the package exchange_calendars: `--check` only compares.

    python -m spark_engine.data.calendars.generate [--check]

The package (Apache-2.0) and the pandas it needs are for developers: runs read the tables alone, so that no
pod pays for either and no version of them decides a number.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from spark_engine.data.calendars.table import FOLDER, INDEX

FIRST: Final = "1990-01-01"
LAST: Final = "2027-12-31"  # the package answers for about a year ahead; holidays of later ones are guesses
OURS: Final = {"24/5": "24x5"}  # names that spec.market.calendar could not hold
LEFT_OUT: Final = ("24/7",)  # it is the calendar 24x7, which needs no table
DAY: Final = timedelta(days=1)


def main(arguments: list[str]) -> int:
    """Exit code 0, or 1 where `--check` finds a difference."""
    files = {name: _text(content) for name, content in generated().items()}
    if "--check" in arguments:
        stale = sorted(stale_files(files))
        sys.stderr.write("".join(f"{name} is not what the package says; generate again\n" for name in stale))
        return 1 if stale else 0
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text)
    return 0


def stale_files(files: Mapping[str, str]) -> Iterator[str]:
    """Names of the files in the folder that differ from `files`, on either side."""
    for name in {path.name for path in FOLDER.glob("*.json")} | set(files):
        path = FOLDER / name
        if not path.exists() or name not in files or path.read_text() != files[name]:
            yield name


def generated() -> dict[str, dict[str, Any]]:
    """Every file by name. Needs the package and pandas below 3; takes about a minute."""
    import exchange_calendars  # type: ignore[import-not-found, import-untyped, unused-ignore]
    from exchange_calendars import calendar_utils

    names = exchange_calendars.get_calendar_names(include_aliases=False)
    tables = {OURS.get(name, name): table(name) for name in names if name not in LEFT_OUT}
    aliases = {
        alias: name for alias, name in calendar_utils._default_calendar_aliases.items() if name in tables
    }
    index = {
        "source": f"exchange_calendars {exchange_calendars.__version__}",
        "first": FIRST,
        "last": LAST,
        "calendars": sorted(tables),
        "aliases": dict(sorted(aliases.items())),
    }
    return {INDEX: index} | {f"{name}.json": table for name, table in tables.items()}


def table(name: str) -> dict[str, Any]:
    """Sessions of the package's calendar `name` as a rule with exceptions.

    weekdays: Monday 0. closed, extra: days that break the rule. hours: a session, from which on they hold,
    and minutes after its midnight UTC: open, close, local midnight, begin and end of the break if any.
    """
    calendar = package_calendar(name)
    sessions = [stamp.date() for stamp in calendar.schedule.index]
    weekdays = _weekdays(sessions)
    held = set(sessions)
    days = [sessions[0] + DAY * i for i in range((sessions[-1] - sessions[0]).days + 1)]
    return {
        "first": str(sessions[0]),
        "last": str(sessions[-1]),
        "weekdays": weekdays,
        "closed": _by_year(day for day in days if day.weekday() in weekdays and day not in held),
        "extra": _by_year(day for day in days if day.weekday() not in weekdays and day in held),
        "hours": _hours(calendar),
    }


def package_calendar(name: str) -> Any:
    """From `FIRST` to `LAST`, or as far as the package knows it."""
    import exchange_calendars
    import pandas  # type: ignore[import-untyped, unused-ignore]

    bounds = exchange_calendars.get_calendar(name)
    first, last = bounds.bound_min(), bounds.bound_max()
    start = max(pandas.Timestamp(FIRST), first) if first is not None else pandas.Timestamp(FIRST)
    end = min(pandas.Timestamp(LAST), last) if last is not None else pandas.Timestamp(LAST)
    return exchange_calendars.get_calendar(name, start=start, end=end)


def _hours(calendar: Any) -> list[str]:
    import pandas

    hours: list[str] = []
    for session, row in zip(calendar.schedule.index, calendar.schedule.itertuples(), strict=True):
        midnight = session.tz_localize(calendar.tz, ambiguous=True, nonexistent="shift_forward")
        times = [row.open, row.close, midnight.tz_convert("UTC")]
        if not pandas.isna(row.break_start):
            times += [row.break_start, row.break_end]
        minutes = " ".join(str(_minutes(time, session)) for time in times)
        if not hours or hours[-1].partition(" ")[2] != minutes:
            hours.append(f"{session.date()} {minutes}")
    return hours


def _weekdays(sessions: list[date]) -> list[int]:
    """Weekdays, Monday 0, of which most are sessions."""
    weeks = ((sessions[-1] - sessions[0]).days + 1) / 7
    return sorted(day for day, count in Counter(s.weekday() for s in sessions).items() if 2 * count > weeks)


def _by_year(days: Iterator[date]) -> dict[str, str]:
    years: dict[str, list[str]] = {}
    for day in days:
        years.setdefault(str(day.year), []).append(f"{day:%m-%d}")
    return {year: " ".join(found) for year, found in years.items()}


def _minutes(time: Any, session: Any) -> int:
    seconds = (time.tz_localize(None) - session).total_seconds()
    if seconds % 60:
        raise ValueError(f"{time} is no whole minute")
    return int(seconds // 60)


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
