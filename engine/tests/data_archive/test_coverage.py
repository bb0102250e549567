"""A minute without trades is not a minute without a feed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.archive.coverage import Known
from spark_engine.data.candles import COMPLETE, PARTIAL, Candles
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.errors import InvalidData

from tests.archives import DAY, FIRST, HOUR, MINUTE, Writer, into, minute, minutes

NOW = FIRST + 1000 * DAY
QUIET = (5, 6, 100)  # minutes without a trade
DOWN = (61, 64)  # the feed was down in [61, 64), no row


def read(uri: object, timeframe: str = "1m", **request: Any) -> Candles:
    return read_candles(CandleRequest(str(uri), "BTCTRY", timeframe, **request), NOW)


@pytest.fixture
def three_hours(tmp_path: Path) -> Path:
    """Three hours with quiet minutes in the first and second, and a feed that was down in the second."""
    writer = Writer(into(tmp_path))
    rows = [minute(FIRST + n * MINUTE) for n in range(180) if n not in QUIET and not DOWN[0] <= n < DOWN[1]]
    down_from, down_to = (FIRST + n * MINUTE for n in DOWN)
    writer.commit(rows, [(FIRST, down_from), (down_to, FIRST + 3 * HOUR)])
    return tmp_path


def test_minutes_without_trades_are_counted_and_allowed(three_hours: Path) -> None:
    candles = read(three_hours, end_ms=FIRST + HOUR)
    assert len(candles) == 58
    report = candles.quality_report
    assert (report.missing_no_trades, report.missing_feed_down, report.missing_bars) == (2, 0, 2)


def test_a_minute_that_the_feed_did_not_see_is_refused_by_its_time(three_hours: Path) -> None:
    with pytest.raises(InvalidData, match=r"spec\.data\.partialBars: .*2024-01-01T01:01:00Z.*first of 3"):
        read(three_hours)


@pytest.mark.parametrize("policy", ["Drop", "Keep"])
def test_drop_and_keep_leave_unseen_minutes_missing_and_count_them(three_hours: Path, policy: str) -> None:
    candles = read(three_hours, partial_bars=policy)
    report = candles.quality_report
    assert (len(candles), report.missing_no_trades, report.missing_feed_down) == (174, 3, 3)
    assert PARTIAL not in candles.quality


def test_an_hour_with_an_unseen_minute_is_partial_though_no_row_says_so(three_hours: Path) -> None:
    with pytest.raises(InvalidData, match=r"must not be partial.*bar 1 at 2024-01-01T01:00:00Z"):
        read(three_hours, "1h")
    assert list(read(three_hours, "1h", partial_bars="Keep").quality) == [COMPLETE, PARTIAL, COMPLETE]
    dropped = read(three_hours, "1h", partial_bars="Drop")
    assert list(dropped.ts) == [FIRST, FIRST + 2 * HOUR]
    assert (dropped.quality_report.partial_rows_dropped, dropped.quality_report.missing_feed_down) == (1, 0)


def test_a_row_of_an_unseen_minute_is_partial(tmp_path: Path) -> None:
    writer = Writer(into(tmp_path))
    writer.commit(minutes(FIRST, 10), [(FIRST, FIRST + 4 * MINUTE + 1), (FIRST + 5 * MINUTE, FIRST + HOUR)])
    assert [n for n, flag in enumerate(read(tmp_path, partial_bars="Keep").quality) if flag] == [4]


def test_a_row_that_says_itself_that_it_is_partial_is(tmp_path: Path) -> None:
    writer = Writer(into(tmp_path))
    rows = minutes(FIRST, 59)
    writer.commit([*rows, minute(FIRST + 59 * MINUTE, quality=PARTIAL)], [(FIRST, FIRST + HOUR)])
    assert list(read(tmp_path, "1h", partial_bars="Keep").quality) == [PARTIAL]


def test_a_backfill_makes_the_bar_whole(three_hours: Path) -> None:
    with pytest.raises(InvalidData):
        read(three_hours, "1h")
    writer = Writer(into(three_hours))
    kept = [minute(FIRST + n * MINUTE) for n in range(180) if n not in QUIET]
    writer.commit(kept, [(FIRST, FIRST + 3 * HOUR)])
    assert list(read(three_hours, "1h").quality) == [COMPLETE] * 3


def test_the_edges_of_the_window_count(tmp_path: Path) -> None:
    """The feed came up late and went down early, within the window that was asked."""
    writer = Writer(into(tmp_path))
    begin, end = FIRST + HOUR, FIRST + 2 * HOUR
    writer.commit(minutes(FIRST, 5), [(FIRST, FIRST + 5 * MINUTE)])
    writer.commit(minutes(begin, 60), [(begin, end)], known_to=end + 7 * MINUTE)
    asked = {"start_ms": begin - 3 * MINUTE, "end_ms": end + 30 * MINUTE}
    with pytest.raises(InvalidData, match=r"2024-01-01T00:57:00Z \(the first of 10\)"):
        read(tmp_path, **asked)
    report = read(tmp_path, partial_bars="Keep", **asked).quality_report
    assert (report.missing_feed_down, report.missing_no_trades, report.missing_bars) == (10, 0, 0)


def test_a_quiet_symbol_is_of_the_timeframe_that_its_archive_says(tmp_path: Path) -> None:
    """A trade every 7 minutes looks like bars of 7 minutes, to whoever has only the times."""
    writer = Writer(into(tmp_path))
    writer.commit([minute(FIRST + 7 * n * MINUTE) for n in range(100)], [(FIRST, FIRST + DAY)])
    candles = read(tmp_path, "5m")
    assert candles.quality_report.resampled_from == "1m"
    assert PARTIAL not in candles.quality
    assert read(tmp_path).quality_report.missing_no_trades == 1440 - 100


def test_a_day_of_an_exchange_is_watched_in_its_session_only(tmp_path: Path) -> None:
    """Istanbul trades from 07:00 to 15:10 UTC; nights and weekends need no feed."""
    writer = Writer(into(tmp_path), venue="bist", symbol="THYAO", timeframe="1d")
    days = [FIRST + day * DAY for day in range(1, 12) if day % 7 not in (5, 6)]
    seen = [(day + 6 * HOUR, day + 16 * HOUR) for day in days]
    writer.commit([minute(day) for day in days], seen, known_to=FIRST + 13 * DAY)
    request = CandleRequest(str(tmp_path), "THYAO", "1d", calendar="XIST")
    report = read_candles(request, NOW).quality_report
    assert (report.rows, report.missing_no_trades, report.missing_feed_down) == (9, 0, 0)

    lost = Writer(into(tmp_path), venue="bist", symbol="THYAO", timeframe="1d")
    lost.commit([minute(day) for day in days[:4] + days[6:]], seen[:5] + seen[6:], FIRST + 13 * DAY)
    with pytest.raises(InvalidData, match=r"did not see the bar at 2024-01-09T07:00:00Z, "):
        read_candles(request, NOW)
    report = read_candles(replace(request, partial_bars="Keep"), NOW).quality_report
    assert (report.rows, report.missing_no_trades, report.missing_feed_down) == (7, 1, 1)


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=8)


@given(spans, st.integers(-5, 70), st.integers(0, 40))
def test_what_is_uncovered_is_all_that_no_interval_holds(
    found: list[tuple[int, int]], begin: int, length: int
) -> None:
    apart: list[tuple[int, int]] = []
    for at, long in sorted(found):
        if not apart or at > apart[-1][1]:
            apart.append((at, at + long))
    known = Known(1, apart, 0, 100)
    pieces = list(known.uncovered(begin, begin + length))
    held = {at for low, high in apart for at in range(low, high)}
    assert [at for low, high in pieces for at in range(low, high)] == [
        at for at in range(begin, begin + length) if at not in held
    ]
