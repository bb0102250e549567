"""The dirty export of CryptoDataDownload: every figure that is known of it, and what a repair makes of it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.files import one_file
from spark_engine.data.inspect import Inspected, inspect_source
from spark_engine.data.source import open_source
from spark_engine.data.write import candles_parquet

DATA = Path(os.environ.get("SPARK_TEST_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
FILE = DATA / "ethusdt_1h_cdd_dirty.csv.gz"
HOUR = 3_600_000

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE} is absent: set SPARK_TEST_DATA")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text.replace("Z", "")).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((DATA / "ethusdt_1h_cdd_dirty.expected.json").read_text())


@pytest.fixture(scope="module")
def seen() -> Inspected:
    return inspect_source(str(FILE), open_source(str(FILE)))


def test_how_times_are_written_is_counted(seen: Inspected, expected: dict[str, Any]) -> None:
    unix, date = seen.inspection.times
    assert unix.forms == {"epoch ms": expected["unix_in_ms_rows"], "epoch s": expected["unix_in_s_rows"]}
    assert date.forms == {
        "24-hour date": expected["date_24h_rows"],
        "12-hour date": expected["date_ampm_rows"],
    }


def test_the_column_of_dates_is_known_to_be_wrong_where_it_differs(
    seen: Inspected, expected: dict[str, Any]
) -> None:
    date = seen.inspection.times[1]
    assert date.column == "date"
    assert date.disagreeing_rows == expected["unix_date_mismatch_rows"]
    assert date.disagree_by_ms == expected["unix_date_mismatch_hours"] * HOUR
    repair = next(repair for repair in seen.mended.repairs if repair.name == "time-columns")
    assert (repair.rows, repair.why.endswith("since exports derive the other one")) == (91, True)
    assert repair.before == "unix 2017-09-26T18:00:00Z, date 2017-09-26T14:00:00Z"
    assert repair.after == "2017-09-26T18:00:00Z"


def test_rows_order_and_empty_cells_are_counted(seen: Inspected, expected: dict[str, Any]) -> None:
    inspection = seen.inspection
    assert (inspection.rows, inspection.order) == (expected["data_rows"], expected["order"])
    assert inspection.empty_cells["tradecount"] == expected["tradecount_null_rows"]
    assert inspection.zero_volumes == expected["zero_volume_rows"]
    assert inspection.broken_ranges == expected["bad_ohlc_rows"]
    assert (inspection.first_ms, inspection.last_ms) == (ms(expected["first"]), ms(expected["last"]))


def test_hours_that_repeat_and_conflict_are_counted(seen: Inspected, expected: dict[str, Any]) -> None:
    twice = seen.inspection.duplicates
    assert seen.inspection.distinct_times == expected["unique_hours"]
    assert twice.times == expected["duplicate_hours"]
    assert (twice.first_ms, twice.last_ms) == (
        ms(expected["duplicate_first"]),
        ms(expected["duplicate_last"]),
    )
    assert (twice.price_tolerance, twice.volume_tolerance, twice.undecided) == (0.01, 0.01, 0)
    assert twice.price_conflicts == expected["duplicate_price_conflicts_gt_0.01"]
    assert twice.volume_conflicts == expected["duplicate_volume_conflicts_gt_0.01"]


def test_gaps_are_those_that_are_left_when_every_hour_counts_once(
    seen: Inspected, expected: dict[str, Any]
) -> None:
    gaps = sorted((gap.after_ms, gap.missing_bars) for gap in seen.inspection.longest_gaps)
    assert gaps == [(ms(after), missing) for after, missing in expected["gaps_after_dedupe"]]
    assert (seen.inspection.gaps, seen.inspection.missing_bars) == (8, 16)


def test_the_bad_print_at_the_begin_is_told(seen: Inspected) -> None:
    first = seen.inspection.first_bad_prints[0]
    assert (first.ts_ms, first.field, first.price) == (ms("2017-08-17T04:00:00"), "open", 652.74)
    assert 298 < first.around < 310
    assert seen.mended.rows.open[0] == 652.74  # and kept


def test_of_every_doubled_hour_the_row_in_milliseconds_stays(
    seen: Inspected, expected: dict[str, Any]
) -> None:
    rows = seen.mended.rows
    assert len(rows) == expected["unique_hours"]
    kept = dict(zip(rows.ts, zip(*rows.columns()[1:6], strict=True), strict=True))
    source = {}
    for line in open_text():
        unix, _date, _symbol, *cells, trades = line.split(",")
        if trades != "NULL":
            source[int(unix)] = tuple(map(float, cells[:5]))
    assert len(source) == expected["unix_in_ms_rows"]
    assert {ts: kept[ts] for ts in source} == source


def open_text() -> list[str]:
    import gzip

    return gzip.decompress(FILE.read_bytes()).decode().splitlines()[1:]


def test_each_repair_is_listed_with_its_count(seen: Inspected) -> None:
    assert [(repair.name, repair.rows) for repair in seen.mended.repairs] == [
        ("time-units", 28_584),
        ("time-columns", 91),
        ("order", 36_061),
        ("exact-duplicates", 1),
        ("conflicting-duplicates", 2_648),
    ]


def test_the_mended_file_is_taken_by_a_run_and_needs_no_more_repair(seen: Inspected) -> None:
    source = one_file("mended.parquet", candles_parquet(seen.mended.rows))
    again = inspect_source("mended.parquet", source)
    assert again.inspection.accepted
    assert again.mended.repairs == ()
    assert (again.inspection.gaps, again.inspection.missing_bars, again.inspection.zero_volumes) == (
        8,
        16,
        119,
    )
