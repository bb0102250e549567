"""Bars under an exchange calendar: which exist, when they close, what is missing, what does not belong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.candles import Candles
from spark_engine.data.stamps import iso
from spark_engine.errors import InvalidData, InvalidSpec

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
Ms = Callable[[str], int]
Write = Callable[..., Path]
Read = Callable[..., Candles]


def rows(stamps: list[int], volume: float = 5.0) -> dict[str, list[Any]]:
    count = len(stamps)
    return {
        "ts": stamps,
        "open": [100.0 + i for i in range(count)],
        "high": [101.5 + i for i in range(count)],
        "low": [99.5 + i for i in range(count)],
        "close": [100.5 + i for i in range(count)],
        "volume": [volume] * count,
    }


def dates(ms: Ms, *days: str) -> list[int]:
    return [ms(f"{day}T00:00:00") for day in days]


def within(ms: Ms, first: str, last: str, step: int) -> list[int]:
    """Opens from `first` on and before `last`."""
    return list(range(ms(first), ms(last), step))


def opens(candles: Candles) -> list[str]:
    return [iso(ts)[:16] for ts in candles.ts]


def closes(candles: Candles) -> list[str]:
    assert candles.sessions is not None
    return [iso(close)[:16] for close in candles.sessions.close_ts]


WEEK_OF_THANKSGIVING = ("2024-11-25", "2024-11-26", "2024-11-27", "2024-11-29", "2024-12-02")


def test_daily_bars_close_with_their_session_and_holidays_are_no_gap(
    ms: Ms, parquet: Write, read: Read
) -> None:
    candles = read(parquet(rows(dates(ms, *WEEK_OF_THANKSGIVING))), "1d", calendar="XNYS")
    assert [open_[:10] for open_ in opens(candles)] == list(WEEK_OF_THANKSGIVING)
    assert closes(candles) == [
        "2024-11-25T21:00",
        "2024-11-26T21:00",
        "2024-11-27T21:00",
        "2024-11-29T18:00",
        "2024-12-02T21:00",
    ]
    assert candles.sessions is not None
    day = list(candles.sessions.day)
    assert day == list(range(day[0], day[0] + 5))
    assert (candles.quality_report.gaps, candles.quality_report.missing_bars) == (0, 0)
    assert (candles.sessions.periods_per_year, candles.sessions.sessions_per_year) == (252.0, 252.0)


@pytest.mark.parametrize(
    ("stamp", "shift"),
    [
        ("midnight UTC of the date", 0),
        ("midnight in New York", 5 * HOUR),
        ("the open", 14 * HOUR + 30 * MINUTE),
    ],
)
def test_a_daily_bar_may_be_stamped_in_three_ways_and_keeps_its_stamp(
    stamp: str, shift: int, ms: Ms, parquet: Write, read: Read
) -> None:
    stamps = [midnight + shift for midnight in dates(ms, *WEEK_OF_THANKSGIVING)]
    candles = read(parquet(rows(stamps)), "1d", calendar="XNYS")
    assert list(candles.ts) == stamps
    assert closes(candles)[3] == "2024-11-29T18:00"


def test_missing_sessions_are_counted_and_the_bar_after_them_is_marked(
    ms: Ms, parquet: Write, read: Read
) -> None:
    candles = read(parquet(rows(dates(ms, "2024-11-25", "2024-11-29", "2024-12-02"))), "1d", calendar="XNYS")
    quality = candles.quality_report
    assert (quality.gaps, quality.missing_bars, quality.longest_gap_seconds) == (1, 2, 2 * 86_400)
    assert candles.sessions is not None
    assert list(candles.sessions.follows_gap) == [0, 1, 0]


def test_gaps_fail_names_the_bar_and_the_calendar(ms: Ms, parquet: Write, read: Read) -> None:
    path = parquet(rows(dates(ms, "2024-11-25", "2024-11-29")))
    with pytest.raises(InvalidData, match=r"spec\.data\.gaps: .*bar 1 at 2024-11-29.*2 bars of XNYS"):
        read(path, "1d", calendar="XNYS", gaps="Fail")


def test_a_weekend_is_no_gap_under_gaps_fail(ms: Ms, parquet: Write, read: Read) -> None:
    candles = read(parquet(rows(dates(ms, *WEEK_OF_THANKSGIVING))), "1d", calendar="XNYS", gaps="Fail")
    assert len(candles) == 5


def test_a_row_on_a_holiday_is_refused_by_name_and_dropped_on_demand(
    ms: Ms, parquet: Write, read: Read
) -> None:
    path = parquet(rows(dates(ms, "2024-11-27", "2024-11-28", "2024-11-29", "2024-11-30")))
    with pytest.raises(
        InvalidData,
        match=r"spec\.market\.calendar: .*XNYS: bar 1 at 2024-11-28.*first of 2.*partialBars: Drop",
    ):
        read(path, "1d", calendar="XNYS")
    candles = read(path, "1d", calendar="XNYS", partial_bars="Drop")
    assert [open_[:10] for open_ in opens(candles)] == ["2024-11-27", "2024-11-29"]
    assert candles.quality_report.off_calendar_rows == 2


def test_a_flat_row_without_volume_on_a_holiday_is_left_out_and_counted(
    ms: Ms, parquet: Write, read: Read
) -> None:
    table = rows(dates(ms, "2024-11-27", "2024-11-28", "2024-11-29"))
    for name in ("open", "high", "low", "close"):
        table[name][1] = 101.0
    table["volume"][1] = 0.0
    candles = read(parquet(table), "1d", calendar="XNYS")
    assert len(candles) == 2
    assert candles.quality_report.off_calendar_rows == 1
    assert candles.quality_report.gaps == 0


def test_two_rows_of_one_session_are_refused(ms: Ms, parquet: Write, read: Read) -> None:
    week_before = ("2024-11-18", "2024-11-19", "2024-11-20", "2024-11-21", "2024-11-22")
    stamps = sorted([*dates(ms, *week_before, *WEEK_OF_THANKSGIVING), ms("2024-11-25T14:30")])
    path = parquet(rows(stamps))
    with pytest.raises(InvalidData, match=r"a session has one bar: bars 5 at .* and 6 at"):
        read(path, "1d", calendar="XNYS")


def test_a_time_beyond_the_table_names_what_it_covers(ms: Ms, parquet: Write, read: Read) -> None:
    path = parquet(rows(dates(ms, "1989-12-28", "1989-12-29", "1990-01-02")))
    with pytest.raises(InvalidData, match=r"calendar: XNYS is known from 1990-01-02 to 2027-12-31"):
        read(path, "1d", calendar="XNYS")
    candles = read(path, "1d", calendar="XNYS", start_ms=ms("1990-01-01T00:00:00"))
    assert len(candles) == 1


def test_hours_are_counted_from_the_open_and_the_last_one_is_cut_at_the_close(
    ms: Ms, parquet: Write, read: Read
) -> None:
    stamps = within(ms, "2024-11-25T14:30", "2024-11-25T21:00", HOUR)
    stamps += within(ms, "2024-11-29T14:30", "2024-11-29T18:00", HOUR)
    candles = read(parquet(rows(stamps)), "1h", calendar="XNYS")
    assert closes(candles)[:7] == [f"2024-11-25T{hour}:30" for hour in range(15, 21)] + ["2024-11-25T21:00"]
    assert closes(candles)[7:] == [
        "2024-11-29T15:30",
        "2024-11-29T16:30",
        "2024-11-29T17:30",
        "2024-11-29T18:00",
    ]
    assert candles.quality_report.missing_bars == 14  # two sessions of 7 bars
    assert candles.sessions is not None
    assert candles.sessions.periods_per_year == 252 * 6.5
    assert len(set(candles.sessions.day)) == 2


def test_rows_off_the_sessions_grid_are_refused(ms: Ms, parquet: Write, read: Read) -> None:
    stamps = within(ms, "2024-11-25T15:00", "2024-11-25T21:00", HOUR)
    with pytest.raises(InvalidData, match=r"from the open of XNYS: bar 0 .* 1800000 ms after the grid"):
        read(parquet(rows(stamps)), "1h", calendar="XNYS")


def test_a_bucket_never_crosses_a_session(ms: Ms, parquet: Write, read: Read) -> None:
    stamps = within(ms, "2024-11-25T14:30", "2024-11-25T21:00", 30 * MINUTE)
    stamps += within(ms, "2024-11-26T14:30", "2024-11-26T21:00", 30 * MINUTE)
    path = parquet(rows(stamps))
    candles = read(path, "4h", calendar="XNYS")
    assert opens(candles) == ["2024-11-25T14:30", "2024-11-25T18:30", "2024-11-26T14:30", "2024-11-26T18:30"]
    assert closes(candles)[1] == "2024-11-25T21:00"
    assert list(candles.volume) == [40.0, 25.0, 40.0, 25.0]
    assert list(candles.open) == [100.0, 108.0, 113.0, 121.0]
    assert list(candles.close) == [107.5, 112.5, 120.5, 125.5]
    daily = read(path, "1d", calendar="XNYS")
    assert opens(daily) == ["2024-11-25T14:30", "2024-11-26T14:30"]
    assert (list(daily.high), list(daily.low)) == ([113.5, 126.5], [99.5, 112.5])
    assert daily.quality_report.resampled_from == "30m"


def test_a_session_that_the_source_enters_late_is_partial(ms: Ms, parquet: Write, read: Read) -> None:
    stamps = within(ms, "2024-11-25T15:30", "2024-11-25T21:00", 30 * MINUTE)
    stamps += within(ms, "2024-11-26T14:30", "2024-11-26T21:00", 30 * MINUTE)
    path = parquet(rows(stamps))
    with pytest.raises(InvalidData, match=r"spec\.data\.partialBars"):
        read(path, "1d", calendar="XNYS")
    assert opens(read(path, "1d", calendar="XNYS", partial_bars="Drop")) == ["2024-11-26T14:30"]


def test_weeks_hold_the_sessions_from_monday_and_close_with_the_last(
    ms: Ms, parquet: Write, read: Read
) -> None:
    days = ("2024-11-25", "2024-11-26", "2024-11-27", "2024-11-29", "2024-12-02", "2024-12-03", "2024-12-04")
    days += ("2024-12-05", "2024-12-06")
    candles = read(parquet(rows(dates(ms, *days))), "1w", calendar="XNYS", gaps="Fail")
    assert opens(candles) == ["2024-11-25T14:30", "2024-12-02T14:30"]
    assert closes(candles) == ["2024-11-29T18:00", "2024-12-06T21:00"]
    assert list(candles.volume) == [20.0, 25.0]
    assert candles.sessions is not None
    assert candles.sessions.periods_per_year == 52.0


def test_a_weekly_source_is_taken_by_its_mondays(ms: Ms, parquet: Write, read: Read) -> None:
    days = dates(ms, "2024-08-26", "2024-09-02", "2024-09-09")  # the second Monday is Labor Day
    candles = read(parquet(rows(days)), "1w", calendar="XNYS")
    assert list(candles.ts) == days
    assert closes(candles) == ["2024-08-30T20:00", "2024-09-06T20:00", "2024-09-13T20:00"]
    assert candles.quality_report.gaps == 0


def test_bars_of_three_days_are_refused(ms: Ms, parquet: Write, read: Read) -> None:
    with pytest.raises(InvalidSpec, match=r"timeframe: bars of XNYS are at most 1d, or whole weeks"):
        read(parquet(rows(dates(ms, *WEEK_OF_THANKSGIVING))), "3d", calendar="XNYS")


def test_the_window_is_cut_by_close_times(ms: Ms, parquet: Write, read: Read) -> None:
    path = parquet(rows(dates(ms, *WEEK_OF_THANKSGIVING)))

    def last(end: str) -> str:
        return opens(read(path, "1d", calendar="XNYS", end_ms=ms(end)))[-1][:10]

    assert last("2024-11-29T18:00:00") == "2024-11-29"
    assert last("2024-11-29T17:59:59") == "2024-11-27"


def test_warm_up_counts_bars_of_the_calendar(ms: Ms, parquet: Write, read: Read) -> None:
    stamps = within(ms, "2024-11-25T14:30", "2024-11-25T21:00", 30 * MINUTE)
    stamps += within(ms, "2024-11-26T14:30", "2024-11-26T21:00", 30 * MINUTE)
    candles = read(
        parquet(rows(stamps)), "2h", calendar="XNYS", start_ms=ms("2024-11-26T14:30:00"), warmup_bars=3
    )
    assert candles.warmup == 3
    assert opens(candles)[:3] == ["2024-11-25T16:30", "2024-11-25T18:30", "2024-11-25T20:30"]


def test_the_forming_bar_is_the_one_whose_session_is_open(ms: Ms, parquet: Write, read: Read) -> None:
    path = parquet(rows(dates(ms, *WEEK_OF_THANKSGIVING)))
    open_now = read(path, "1d", calendar="XNYS", now_ms=ms("2024-12-02T20:59:59"))
    closed = read(path, "1d", calendar="XNYS", now_ms=ms("2024-12-02T21:00:00"))
    assert (len(open_now), open_now.quality_report.forming_bar_dropped) == (4, True)
    assert (len(closed), closed.quality_report.forming_bar_dropped) == (5, False)


def test_stamps_of_the_close_are_brought_to_the_open(ms: Ms, parquet: Write, read: Read) -> None:
    intraday = [*within(ms, "2024-11-25T15:30", "2024-11-25T21:00", HOUR), ms("2024-11-25T21:00")]
    candles = read(parquet(rows(intraday)), "1h", calendar="XNYS", timestamps="Close")
    assert opens(candles) == [f"2024-11-25T{hour}:30" for hour in range(14, 21)]
    daily = [ms("2024-11-27T21:00"), ms("2024-11-29T18:00"), ms("2024-12-02T21:00")]
    candles = read(parquet(rows(daily)), "1d", calendar="XNYS", timestamps="Close")
    assert opens(candles) == ["2024-11-27T14:30", "2024-11-29T14:30", "2024-12-02T14:30"]


def test_bars_in_a_lunch_break_are_not_missed(ms: Ms, parquet: Write, read: Read) -> None:
    morning = within(ms, "2024-01-03T01:30", "2024-01-03T04:00", 5 * MINUTE)
    afternoon = within(ms, "2024-01-03T05:00", "2024-01-03T08:00", 5 * MINUTE)
    candles = read(parquet(rows(morning + afternoon)), "5m", calendar="XHKG", gaps="Fail")
    assert candles.sessions is not None
    assert candles.sessions.periods_per_year == 252 * 5.5 * 12
    quarters = read(parquet(rows(morning + afternoon)), "15m", calendar="XHKG", gaps="Fail")
    assert len(quarters) == 22
    noon = morning + within(ms, "2024-01-03T04:00", "2024-01-03T04:10", 5 * MINUTE) + afternoon
    with pytest.raises(InvalidData, match="first of 2"):
        read(parquet(rows(noon)), "5m", calendar="XHKG")


def test_a_session_may_open_on_the_evening_before(ms: Ms, parquet: Write, read: Read) -> None:
    stamps = within(ms, "2024-01-02T23:00", "2024-01-03T23:00", HOUR)
    candles = read(parquet(rows(stamps)), "1d", calendar="us_futures")
    assert opens(candles) == ["2024-01-02T23:00"]
    assert closes(candles) == ["2024-01-03T23:00"]


def test_thyao_has_four_rows_without_a_session_and_two_sessions_without_a_row(
    market_data: Callable[[str], Path], read: Read
) -> None:
    path = market_data("bist_thyao_1d_2021_2026.parquet")
    with pytest.raises(InvalidData, match="2023-02-08T00:00:00Z: there is no session, volume 2500"):
        read(path, "1d", "THYAO", calendar="XIST")
    candles = read(path, "1d", "THYAO", calendar="XIST", partial_bars="Drop")
    quality = candles.quality_report
    assert (quality.rows_read, quality.rows, quality.off_calendar_rows) == (1253, 1249, 4)
    assert (quality.gaps, quality.missing_bars, quality.longest_gap_seconds) == (2, 2, 86_400)
    assert candles.sessions is not None
    after = [iso(candles.ts[bar])[:10] for bar, gap in enumerate(candles.sessions.follows_gap) if gap]
    assert after == ["2024-04-15", "2026-08-03"]


def test_eregl_misses_one_session(market_data: Callable[[str], Path], read: Read) -> None:
    path = market_data("bist_eregl_1d_2021_2026.parquet")
    quality = read(path, "1d", "EREGL", calendar="XIST", partial_bars="Drop").quality_report
    assert (quality.off_calendar_rows, quality.missing_bars) == (4, 1)


def test_apple_traded_in_every_session_of_23_years(market_data: Callable[[str], Path], read: Read) -> None:
    candles = read(market_data("aapl_1d_raw_lean.parquet"), "1d", "AAPL", calendar="XNAS", gaps="Fail")
    assert len(candles) == 5849
