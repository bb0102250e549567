"""Sessions of exchanges: known days of their history, and the package that they come from, where it is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from operator import le, lt
from typing import Any

import pytest
from spark_engine.data.calendars.grid import session_grid
from spark_engine.data.calendars.table import FOLDER, INDEX, ExchangeCalendar, exchange_calendar
from spark_engine.errors import InvalidSpec

DAY = 86_400_000
NAMES = json.loads((FOLDER / INDEX).read_text())["calendars"]
COMPARED = ("XIST", "XNYS", "XHKG", "XTKS", "XSAU", "24/5")  # a break, another weekend, no weekend rule


def days(calendar: ExchangeCalendar) -> set[str]:
    return {str(date.fromordinal(ms // DAY + date(1970, 1, 1).toordinal())) for ms in calendar.date}


def session(calendar: ExchangeCalendar, day: str, ms: Callable[[str], int]) -> int:
    return list(calendar.date).index(ms(f"{day}T00:00:00"))


def test_istanbul_was_closed_after_the_earthquake_and_is_on_its_holidays() -> None:
    held = days(exchange_calendar("XIST"))
    assert {"2023-02-07", "2023-02-15", "2024-04-09", "2026-07-31"} <= held
    assert not {f"2023-02-{day:02}" for day in range(8, 15)} & held
    assert not {"2026-05-27", "2026-05-28", "2026-05-29"} & held


def test_new_york_was_closed_after_the_eleventh_of_september() -> None:
    held = days(exchange_calendar("XNYS"))
    assert {"2001-09-10", "2001-09-17"} <= held
    assert not {"2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14"} & held


def test_opens_and_closes_follow_summer_time_and_early_closes(ms: Callable[[str], int]) -> None:
    calendar = exchange_calendar("XNYS")
    hours = {
        day: (calendar.open[at], calendar.close[at])
        for day in ("2024-01-02", "2024-07-01", "2024-11-29")
        for at in (session(calendar, day, ms),)
    }
    assert hours["2024-01-02"] == (ms("2024-01-02T14:30:00"), ms("2024-01-02T21:00:00"))
    assert hours["2024-07-01"] == (ms("2024-07-01T13:30:00"), ms("2024-07-01T20:00:00"))
    assert hours["2024-11-29"] == (ms("2024-11-29T14:30:00"), ms("2024-11-29T18:00:00"))


def test_a_break_is_no_trading_time(ms: Callable[[str], int]) -> None:
    calendar = exchange_calendar("XHKG")
    at = session(calendar, "2024-01-03", ms)
    assert (calendar.break_open[at], calendar.break_close[at]) == (
        ms("2024-01-03T04:00:00"),
        ms("2024-01-03T05:00:00"),
    )
    assert calendar.trading_ms(at) == 5.5 * 3_600_000


def test_nasdaq_trades_when_new_york_does() -> None:
    assert list(exchange_calendar("XNAS").open) == list(exchange_calendar("XNYS").open)


def test_an_unknown_calendar_is_refused_with_what_was_meant() -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.market\.calendar: 'XISTT' .* did you mean XIST") as refused:
        exchange_calendar("XISTT")
    assert "24x7" in refused.value.message
    assert "XNYS" in refused.value.message
    with pytest.raises(InvalidSpec, match="is no calendar of this engine"):
        exchange_calendar("../../etc/passwd")


@pytest.mark.parametrize("name", NAMES)
def test_sessions_of_every_calendar_follow_one_another_and_each_stamp_names_one(name: str) -> None:
    calendar = exchange_calendar(name)
    opens, closes = calendar.open.tolist(), calendar.close.tolist()
    assert all(map(lt, opens, closes))
    assert all(map(le, closes, opens[1:]))
    labels = list(zip(calendar.date, calendar.midnight, opens, strict=True))
    assert all(map(lt, map(max, labels), map(min, labels[1:])))
    assert min(map(calendar.trading_ms, range(len(calendar)))) > 0
    daily = session_grid(calendar, DAY)
    placed = daily.place(calendar.midnight, DAY)
    assert placed.session.tolist() == list(range(len(calendar)))
    assert placed.end.tolist() == closes


@pytest.mark.parametrize("name", COMPARED)
def test_the_tables_are_what_the_package_says(name: str) -> None:
    pytest.importorskip("exchange_calendars", reason="the package of calendars is a tool for developers")
    from spark_engine.data.calendars import generate

    own = generate.OURS.get(name, name)
    assert json.loads((FOLDER / f"{own}.json").read_text()) == generate.table(name)
    schedule: Any = generate.package_calendar(name).schedule
    calendar = exchange_calendar(own)
    for column, stamps in (("open", calendar.open), ("close", calendar.close)):
        assert [round(stamp.timestamp() * 1000) for stamp in schedule[column]] == list(stamps)


def test_reading_around_the_clock_does_not_touch_calendars(
    bars: Callable[..., Any], parquet: Callable[..., Any], heavy_packages: frozenset[str]
) -> None:
    script = (
        "import sys\n"
        "from spark_engine.data.read import read_candles\n"
        "from spark_engine.data.request import CandleRequest\n"
        "read_candles(CandleRequest(sys.argv[1], 'X', '1h', calendar=sys.argv[2], partial_bars='Drop'))\n"
        "print(*sorted(sys.modules))"
    )
    path = parquet(bars(24))
    loaded = {}
    for calendar in ("24x7", "24x5"):
        finished = subprocess.run(
            [sys.executable, "-c", script, str(path), calendar], capture_output=True, text=True, check=True
        )
        loaded[calendar] = set(finished.stdout.split())
    assert not any(name.startswith("spark_engine.data.calendars") for name in loaded["24x7"])
    assert "spark_engine.data.calendars.table" in loaded["24x5"]
    assert not {name.partition(".")[0] for name in loaded["24x5"]} & (heavy_packages | {"exchange_calendars"})
