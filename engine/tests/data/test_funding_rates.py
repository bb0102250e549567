"""Funding rates: their files, their times, and what is due in a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest
from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidData

HOUR = 3_600_000
MIDNIGHT = 1_704_067_200_000
Read = Callable[..., Candles]
Write = Callable[..., Path]


@pytest.fixture
def ten_hours(bars: Callable[..., Any], parquet: Write) -> Path:
    return parquet(bars(10))


def hourly(candles: Candles) -> list[tuple[float, float]]:
    """(hours after midnight, rate)."""
    assert candles.funding is not None
    return [
        ((ts - MIDNIGHT) / HOUR, rate)
        for ts, rate in zip(candles.funding.ts, candles.funding.rate, strict=True)
    ]


TEXT = "time,rate\n2024-01-01T08:00:00Z,-0.0002\n2024-01-01T00:00:00Z,0.0001\n2024-01-01T16:00:00Z,0.0003\n"


def test_rates_due_after_the_first_open_and_until_the_last_close_are_kept_in_order(
    ten_hours: Path, csv: Write, read: Read
) -> None:
    every_two = "".join(f"{MIDNIGHT + hour * HOUR},0.00{hour:02}\n" for hour in range(12, -3, -2))
    candles = read(ten_hours, funding_uri=str(csv("ts,rate\n" + every_two.replace(",0.00-2", ",1"), "f.csv")))
    assert [hour for hour, _rate in hourly(candles)] == [2, 4, 6, 8, 10]
    assert hourly(candles)[0] == (2, 0.0002)
    assert candles.quality_report.funding_rows == 5
    assert len(candles.funding_sha256) == 64


def test_rates_of_the_warm_up_are_not_due(ten_hours: Path, csv: Write, read: Read) -> None:
    uri = str(csv(TEXT, "f.csv"))
    candles = read(ten_hours, start_ms=MIDNIGHT + 8 * HOUR, warmup_bars=8, funding_uri=uri)
    assert hourly(candles) == []
    assert candles.funding is not None


@pytest.mark.parametrize(
    "header",
    [
        "symbol,fundingTime,fundingRate",
        "calc_time,funding_interval_hours,last_funding_rate",
        "Timestamp,Rate",
    ],
)
def test_the_names_that_venues_use_are_known(header: str, ten_hours: Path, csv: Write, read: Read) -> None:
    names = header.split(",")
    time = next(name for name in names if "ime" in name)
    rate = next(name for name in names if "ate" in name)
    cells = {
        "symbol": "BTCUSDT",
        "funding_interval_hours": "8",
        time: str(MIDNIGHT + 8 * HOUR),
        rate: "0.0001",
    }
    text = header + "\n" + ",".join(cells[name] for name in names) + "\n"
    assert hourly(read(ten_hours, funding_uri=str(csv(text, "f.csv")))) == [(8, 0.0001)]


def test_a_file_without_a_header_has_time_and_rate(ten_hours: Path, csv: Write, read: Read) -> None:
    text = f"{(MIDNIGHT + 8 * HOUR) // 1000},0.0001\n"
    assert hourly(read(ten_hours, funding_uri=str(csv(text, "f.csv")))) == [(8, 0.0001)]


def test_parquet_is_read_as_well(ten_hours: Path, tmp_path: Path, read: Read) -> None:
    path = tmp_path / "funding.parquet"
    times = polars.Series("time", [MIDNIGHT + 8 * HOUR]).cast(polars.Datetime("ms", "UTC"))
    polars.DataFrame({"time": times, "rate": [0.0001]}).write_parquet(path)
    assert hourly(read(ten_hours, funding_uri=str(path))) == [(8, 0.0001)]


def test_milliseconds_after_the_hour_are_cut(ten_hours: Path, csv: Write, read: Read) -> None:
    """Binance stamps 08:00:00.005: it is due at the close of the bar that ends at 8."""
    text = f"ts,rate\n{MIDNIGHT + 8 * HOUR + 5},0.0001\n"
    assert hourly(read(ten_hours, funding_uri=str(csv(text, "f.csv")))) == [(8, 0.0001)]


def test_exact_duplicates_are_dropped_and_counted(ten_hours: Path, csv: Write, read: Read) -> None:
    row = f"{MIDNIGHT + 8 * HOUR},0.0001\n"
    candles = read(ten_hours, funding_uri=str(csv("ts,rate\n" + 3 * row, "f.csv")))
    assert hourly(candles) == [(8, 0.0001)]
    assert candles.quality_report.funding_duplicates == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("ts,rate\n", "there are no rows"),
        ("ts,price\n1704067200,1\n", "no column rate or funding_rate"),
        ("when,rate\n1704067200,1\n", "no column funding_time"),
        ("1704067200,1,2\n", "no header and 3 columns"),
        (
            "ts,rate\n1704067200,0.1\n1704067200,0.2\n",
            r"two rates of 2024-01-01T00:00:00Z: 0.1 and 0.2 \(row 2",
        ),
        ("ts,rate\n1704067200,\n", "row 1 at 2024-01-01T00:00:00Z: the rate nan is not finite"),
        ("ts,rate\n1704067200,1e999\n", "the rate inf is not finite"),
        ("ts,rate\nsoon,0.1\n", "row 1: 'soon' is not a time"),
        ("ts,rate\n1704067200,half\n", "column rate: 'half' is not a number"),
    ],
)
def test_bad_rates_name_their_field(text: str, message: str, ten_hours: Path, csv: Write, read: Read) -> None:
    with pytest.raises(InvalidData, match=message) as refused:
        read(ten_hours, funding_uri=str(csv(text, "f.csv")))
    assert refused.value.field == "spec.data.fundingUri"


def test_a_corrupt_file_of_rates_names_its_field(ten_hours: Path, csv: Write, read: Read) -> None:
    path = csv(b"PAR1" + bytes(100) + b"\x10\x00\x00\x00PAR1", "f.parquet")
    with pytest.raises(InvalidData) as refused:
        read(ten_hours, funding_uri=str(path))
    assert refused.value.field == "spec.data.fundingUri"


def test_without_a_source_there_is_no_funding(ten_hours: Path, read: Read) -> None:
    candles = read(ten_hours)
    assert (candles.funding, candles.funding_sha256) == (None, "")
