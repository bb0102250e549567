"""Each rule of repair on its own: what it does, how it is told, and what it leaves alone."""

from __future__ import annotations

import pytest
from spark_engine.data.bad_prints import bad_prints
from spark_engine.data.files import many_files, one_file
from spark_engine.data.inspect import Inspected, inspect_source
from spark_engine.data.mend import Repair, Rules
from spark_engine.data.stamps import iso
from spark_engine.data.twice import require_preferences
from spark_engine.data.write import candles_parquet
from spark_engine.errors import InvalidData, InvalidSpec

START = 1_704_067_200  # 2024-01-01T00:00:00Z
HEADER = "ts,open,high,low,close,volume\n"


def rows(*changed: tuple[int, str], count: int = 12) -> str:
    """Hours of one price; `changed`: cells after the time, by row."""
    cells = dict.fromkeys(range(count), "10,11,9,10.5,100") | dict(changed)
    return HEADER + "".join(f"{START + 3600 * number},{cells[number]}\n" for number in range(count))


def seen(text: str, name: str = "x.csv", **rules: object) -> Inspected:
    return inspect_source(name, one_file(name, text.encode()), None, Rules(**rules))  # type: ignore[arg-type]


def repairs(text: str, **rules: object) -> list[Repair]:
    return list(seen(text, **rules).mended.repairs)


def test_clean_candles_need_no_repair() -> None:
    assert repairs(rows()) == []


def test_of_two_rows_of_one_time_the_fuller_one_stays() -> None:
    text = "ts,open,high,low,close,volume,trades\n" + "".join(
        f"{START + 3600 * number},10,11,9,10.5,100,7\n" for number in range(5)
    )
    (repair,) = [r for r in repairs(text + f"{START},10,12,9,10.5,100,\n") if r.name != "order"]
    assert (repair.name, repair.rows) == ("conflicting-duplicates", 1)
    assert (repair.before, repair.after) == (
        "open 10, high 12, low 9, close 10.5, volume 100",
        "open 10, high 11, low 9, close 10.5, volume 100",
    )


def test_of_equally_full_rows_the_one_in_the_finer_unit_stays() -> None:
    text = rows(count=5) + f"{START * 1000},10,12,9,10.5,100\n"
    found = seen(text).mended
    assert found.rows.high[0] == 12
    assert "its time is in a finer unit" in found.repairs[-1].why


def test_of_equally_good_rows_none_is_taken_unless_one_says_by_what() -> None:
    text = rows(count=5) + f"{START},10,12,9,10.5,250\n"
    left = seen(text)
    assert (len(left.mended.rows), list(left.mended.duplicates.undecided)) == (6, [START * 1000])
    assert left.inspection.duplicates.undecided == 1
    assert not left.inspection.accepted
    first = seen(text, prefer=("filled", "finer", "first")).mended.rows
    last = seen(text, prefer=("filled", "finer", "last")).mended.rows
    larger = seen(text, prefer=("volume",)).mended.rows
    assert [len(part) for part in (first, last, larger)] == [5, 5, 5]
    assert (first.high[0], last.high[0], larger.volume[0]) == (11, 12, 250)


def test_equal_rows_are_dropped_without_being_asked() -> None:
    (repair,) = [r for r in repairs(rows() + f"{START},10,11,9,10.5,100\n") if r.name != "order"]
    assert (repair.name, repair.rows, repair.after) == ("exact-duplicates", 1, "")


def test_rows_that_differ_by_no_more_than_rounding_are_no_conflict_of_prices() -> None:
    text = rows((0, "10.123,11,9,10.5,100"), count=4) + f"{START * 1000},10.12,11,9,10.5,100\n"
    twice = seen(text).inspection.duplicates
    assert (twice.times, twice.price_conflicts, twice.price_tolerance) == (1, 0, 0.01)


@pytest.mark.parametrize(
    "cells",
    ["nan,11,9,10.5,100", "10,inf,9,10.5,100", "10,11,-1,10.5,100", "10,10.2,9,10.5,100", "10,11,9,10.5,-5"],
)
def test_a_row_that_no_run_takes_is_left_out(cells: str) -> None:
    found = seen(rows((5, cells)))
    (repair,) = found.mended.repairs
    assert (repair.name, repair.rows, repair.after) == ("unusable-rows", 1, "")
    assert repair.example_ms == (START + 5 * 3600) * 1000
    assert len(found.mended.rows) == 11


def test_a_range_that_misses_by_rounding_is_mended_and_the_row_stays() -> None:
    found = seen(rows((5, "10,11,9.000000000001,9,100")))
    (repair,) = found.mended.repairs
    assert (repair.name, repair.rows) == ("rounding", 1)
    assert "low 9.000000000001" in repair.before
    assert found.mended.rows.low[5] == 9


def test_an_empty_volume_is_none() -> None:
    found = seen(rows((5, "10,11,9,10.5,")))
    assert [(repair.name, repair.rows) for repair in found.mended.repairs] == [("null-volumes", 1)]
    assert found.mended.rows.volume[5] == 0


def test_a_row_off_the_grid_is_left_out() -> None:
    text = rows() + f"{START + 12 * 3600 + 1},10,11,9,10.5,1\n"
    assert [(repair.name, repair.rows) for repair in repairs(text)] == [("off-grid-rows", 1)]


def test_missing_bars_stay_missing() -> None:
    lines = rows().splitlines(keepends=True)
    found = seen("".join(lines[:4] + lines[7:]))
    assert (len(found.mended.rows), found.mended.repairs) == (9, ())
    assert (found.inspection.gaps, found.inspection.missing_bars) == (1, 3)


def test_a_column_of_dates_is_compared_by_days() -> None:
    def line(number: int, day: int) -> str:
        return f"{START + 3600 * number},2024-01-{day:02},10,11,9,10.5,1\n"

    header = "unix,date,open,high,low,close,volume\n"
    agreeing = header + "".join(line(number, 1 + number // 24) for number in range(30))
    assert repairs(agreeing) == []
    (repair,) = repairs(agreeing.replace(f"{START},2024-01-01", f"{START},2024-01-02"))
    assert (repair.name, repair.rows) == ("time-columns", 1)


def test_times_of_the_close_become_those_of_the_open() -> None:
    found = seen(rows(), timestamps="Close")
    assert found.mended.rows.ts[0] == (START - 3600) * 1000
    assert found.mended.repairs[0].name == "close-times"
    ends = "".join(f"{(START + 3600 * n) * 1000 - 1},10,11,9,10.5,1\n" for n in range(1, 6))
    assert seen(HEADER + ends, timestamps="Close").mended.rows.ts[0] == START * 1000


def test_times_of_the_close_of_sessions_become_those_of_their_opens() -> None:
    closes = ["2024-11-27T21:00:00Z", "2024-11-29T18:00:00Z", "2024-12-02T21:00:00Z", "2024-12-03T21:00:00Z"]
    text = "date,open,high,low,close,volume\n" + "".join(f"{close},10,11,9,10.5,1\n" for close in closes)
    found = seen(text, timestamps="Close", calendar="XNYS")
    opens = ["2024-11-27", "2024-11-29", "2024-12-02", "2024-12-03"]  # Thanksgiving, then a half day
    assert [iso(ts)[:13] for ts in found.mended.rows.ts] == [f"{day}T14" for day in opens]
    assert (found.inspection.gaps, found.inspection.accepted) == (0, True)


def test_a_print_far_from_both_sides_is_told_and_left_out_only_on_request() -> None:
    text = rows((5, "10,30,9,10.5,100"))
    told = seen(text)
    assert [(bad.field, bad.price, bad.around) for bad in told.inspection.first_bad_prints] == [
        ("high", 30, 10.5)
    ]
    assert (told.mended.repairs, len(told.mended.rows)) == ((), 12)
    dropped = seen(text, drop=("bad-prints",))
    assert [(repair.name, repair.rows) for repair in dropped.mended.repairs] == [("bad-prints", 1)]
    assert len(dropped.mended.rows) == 11


def test_a_split_or_a_crash_that_stays_is_no_bad_print() -> None:
    halved = [(number, "5,5.5,4.5,5.25,100") for number in range(6, 12)]
    assert list(bad_prints(seen(rows(*halved)).mended.rows)) == []


def test_rows_outside_the_sessions_of_an_exchange_are_left_out_by_their_kind() -> None:
    header = "date,open,high,low,close,volume\n"
    days = [f"2026-05-{day},10,11,9,10,5\n" for day in (20, 21, 22, 25)]
    filler, cancelled = "2026-05-27,10,10,10,10,0\n", "2026-05-23,10,11,9,10,5\n"
    found = seen(header + "".join(days) + filler + cancelled, calendar="XIST")
    assert {repair.name: repair.rows for repair in found.mended.repairs} == {
        "order": 1,
        "placeholders": 1,
        "no-session": 1,
    }
    sessions = found.inspection.sessions
    assert sessions is not None
    assert (sessions.placeholder_rows, sessions.no_session_rows, sessions.missing_sessions) == (1, 1, 0)
    assert len(found.mended.rows) == 4


def test_an_unknown_calendar_and_an_unknown_preference_are_named() -> None:
    with pytest.raises(InvalidSpec, match="did you mean XIST"):
        seen(rows(), calendar="XISTT")
    with pytest.raises(InvalidData, match="must be filled, finer, volume, last, first"):
        require_preferences(["newest"], "--prefer")


def test_several_files_are_mended_as_one() -> None:
    first = rows(count=6)
    second = "date,unix,open,high,low,close,volume\n" + "".join(
        f"2024-01-01T{number:02}:00:00,{START + 3600 * number},10,11,9,10.5,100\n" for number in range(4, 9)
    )
    source = many_files({"a.csv": first.encode(), "b.csv": second.encode()})
    found = inspect_source("folder", source)
    assert len(found.mended.rows) == 9
    assert [(repair.name, repair.rows) for repair in found.mended.repairs if repair.name != "order"] == [
        ("exact-duplicates", 2)
    ]


def test_only_the_rows_of_one_symbol_are_judged() -> None:
    text = (
        "symbol,"
        + HEADER
        + "".join(
            f"{name},{START + 3600 * number},10,11,9,{close},100\n"
            for number in range(5)
            for name, close in (("BTC/USDT", 10.5), ("ETH/USDT", "nan"))
        )
    )
    found = inspect_source("two.csv", one_file("two.csv", text.encode()), "BTCUSDT")
    assert (found.inspection.rows, found.mended.repairs) == (5, ())


def test_a_quality_that_is_not_complete_is_kept_in_the_mended_file() -> None:
    text = rows().replace("volume\n", "volume,quality\n", 1).replace("100\n", "100,complete\n")
    text = text.replace("100,complete\n", "100,partial\n", 1)
    found = seen(text)
    assert found.inspection.quality == {"complete": 11, "partial": 1, "no_trades": 0, "feed_down": 0}
    again = inspect_source("y.parquet", one_file("y.parquet", candles_parquet(found.mended.rows)))
    assert again.inspection.quality == found.inspection.quality
