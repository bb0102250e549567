"""Prices across splits and dividends, from the factor file of LEAN and from plain actions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars
import pytest
from spark_engine.data.candles import Candles
from spark_engine.data.stamps import iso
from spark_engine.errors import InvalidData, InvalidSpec

DAY = 86_400_000
Read = Callable[..., Candles]
Write = Callable[..., Path]
CLIFFS = {"2000-06-21", "2005-02-28", "2014-06-09", "2020-08-31"}  # README of the market data


def falls(candles: Candles, below: float) -> dict[str, float]:
    """Returns from close to close below `below`, by date."""
    returns = zip(candles.ts[1:], pairwise(candles.close), strict=True)
    return {iso(ts)[:10]: now / before - 1 for ts, (before, now) in returns if now / before - 1 < below}


def test_the_cliffs_of_apple_vanish_and_its_worst_day_stays(
    market_data: Callable[[str], Path], read: Read
) -> None:
    path, factors = market_data("aapl_1d_raw_lean.parquet"), market_data("aapl_factor_lean.csv")
    raw = read(path, "1d", "AAPL", calendar="XNAS")
    assert set(falls(raw, -0.4)) == {*CLIFFS, "2000-09-29"}
    for adjustment, dividends in (("Splits", 0), ("SplitsAndDividends", 35)):
        adjusted = read(
            path, "1d", "AAPL", calendar="XNAS", adjustment=adjustment, adjustment_uri=str(factors)
        )
        assert falls(adjusted, -0.4) == pytest.approx(
            {"2000-09-29": falls(raw, -0.5)["2000-09-29"]}, abs=1e-9
        )
        quality = adjusted.quality_report
        assert (quality.splits, quality.dividends) == (4, dividends)
        assert (quality.ticks_exact, quality.price_scale) == (False, 9)
        assert adjusted.close[-1] == raw.close[-1]
        assert len(adjusted.adjustment_sha256) == 64


def test_apples_factors_are_those_of_the_first_row_not_before_the_date(
    market_data: Callable[[str], Path], read: Read, ms: Callable[[str], int]
) -> None:
    path, factors = market_data("aapl_1d_raw_lean.parquet"), market_data("aapl_factor_lean.csv")
    raw = polars.read_parquet(path)
    split, both = (
        read(path, "1d", "AAPL", calendar="XNAS", adjustment=adjustment, adjustment_uri=str(factors))
        for adjustment in ("Splits", "SplitsAndDividends")
    )
    for day, price_factor, split_factor in (
        ("2000-06-20", 0.8613657, 0.00892857),
        ("2000-06-21", 0.8613657, 0.0178571),
        ("2014-06-06", 0.9011818, 0.0357143),
        ("2014-06-09", 0.9011818, 0.25),
        ("2021-02-04", 0.9985079, 1.0),
        ("2021-02-05", 1.0, 1.0),
    ):
        row = list(split.ts).index(ms(f"{day}T00:00:00"))
        assert split.close[row] == raw["close"][row] * split_factor
        assert both.close[row] == (raw["close"][row] * price_factor) * split_factor
        assert split.volume[row] == both.volume[row] == raw["volume"][row] / split_factor


@pytest.fixture
def five_days(bars: Callable[..., Any], parquet: Write) -> Path:
    """2024-01-01 to 05 at closes of 100, 100, 50 (after 2 for 1), 50, 40 (after a dividend of 10)."""
    table = bars(5, step_ms=DAY)
    for name in ("open", "high", "low", "close"):
        table[name] = [100.0, 100.0, 50.0, 50.0, 40.0]
    table["volume"] = [10.0] * 5
    return parquet(table)


PLAIN = "date,split,dividend\n2024-01-03,2,\n2024-01-05,,10\n"


@pytest.mark.parametrize(
    "text",
    [PLAIN, "Date,Stock Splits,Dividends\n2024-01-05,0,10\n2024-01-03,2.0,0\n"],
    ids=["plain", "as a vendor writes it"],
)
def test_plain_actions_are_worked_back_from_the_last_row(
    text: str, five_days: Path, csv: Write, read: Read
) -> None:
    actions = str(csv(text, "actions.csv"))
    splits = read(five_days, "1d", adjustment="Splits", adjustment_uri=actions)
    assert list(splits.close) == [50.0, 50.0, 50.0, 50.0, 40.0]
    assert list(splits.volume) == [20.0, 20.0, 10.0, 10.0, 10.0]
    assert splits.quality_report.ticks_exact
    both = read(five_days, "1d", adjustment="SplitsAndDividends", adjustment_uri=actions)
    assert list(both.close) == [40.0, 40.0, 40.0, 40.0, 40.0]
    quality = both.quality_report
    assert (quality.adjusted_rows, quality.splits, quality.dividends) == (4, 1, 1)


def test_actions_after_the_last_row_change_nothing(five_days: Path, csv: Write, read: Read) -> None:
    actions = str(csv("date,split,dividend\n2024-01-06,10,\n2023-12-01,3,1\n", "actions.csv"))
    candles = read(five_days, "1d", adjustment="SplitsAndDividends", adjustment_uri=actions)
    assert list(candles.close) == [100.0, 100.0, 50.0, 50.0, 40.0]
    assert candles.quality_report.adjusted_rows == 0


def test_the_close_before_a_dividend_may_lie_before_the_window(
    five_days: Path, csv: Write, read: Read, ms: Callable[[str], int]
) -> None:
    actions = str(csv(PLAIN, "actions.csv"))
    span = {"start_ms": ms("2024-01-04T00:00:00"), "end_ms": ms("2024-01-05T00:00:00")}
    candles = read(five_days, "1d", adjustment="SplitsAndDividends", adjustment_uri=actions, **span)
    assert list(candles.close) == [40.0]


def test_bars_are_adjusted_before_they_are_resampled(five_days: Path, csv: Write, read: Read) -> None:
    actions = str(csv(PLAIN, "actions.csv"))
    week = read(five_days, "1w", adjustment="Splits", adjustment_uri=actions, partial_bars="Keep")
    assert (week.open[0], week.high[0], week.low[0], week.close[0]) == (50.0, 50.0, 40.0, 40.0)


def test_factors_in_parquet_are_read_by_name(five_days: Path, parquet: Write, read: Read) -> None:
    table = {"date": ["2024-01-02", "2050-12-31"], "price_factor": [1.0, 1.0], "split_factor": [0.5, 1.0]}
    actions = str(parquet(table, "factors.parquet"))
    assert list(read(five_days, "1d", adjustment="Splits", adjustment_uri=actions).close)[:3] == [50.0] * 3


def test_an_adjustment_without_factors_names_the_field(five_days: Path, read: Read) -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.data\.adjustmentUri: is required by spec.data.adjustment"):
        read(five_days, "1d", adjustment="Splits")
    with pytest.raises(InvalidSpec, match=r"spec\.data\.adjustment: must be None or Splits or"):
        read(five_days, "1d", adjustment="All")


def test_factors_without_an_adjustment_are_not_read(five_days: Path, read: Read) -> None:
    candles = read(five_days, "1d", adjustment_uri="/nowhere/at/all.csv")
    assert (candles.quality_report.adjusted_rows, candles.adjustment_sha256) == (0, "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("date,open\n2024-01-03,1\n", "neither price_factor and split_factor, nor split or dividend"),
        ("split,dividend\n2,1\n", "no column date or ex_date"),
        ("date,price_factor\n2024-01-03,1\n", "no column split_factor"),
        ("20240103,1\n", "no header and 2 columns"),
        ("20240103,1,0\n", "2024-01-03: the split factor must be above 0; is 0.0"),
        ("20240103,nan,1\n20500101,1,1\n", "2024-01-03: the price factor must be above 0; is nan"),
        ("20240103,1,1\n20240103,1,0.5\n", "two rows of 2024-01-03"),
        ("date,split\n2024-01-03,-2\n", "2024-01-03: the split must be above 0"),
        ("date,dividend\n2024-01-03,100\n", "must lie between 0 and the close before it, 100.0"),
        ("date,split\n2024-13-03,2\n", "row 1: '2024-13-03' is not a time"),
        ("date,split\n2024-01-03,two\n", "row 1, column split: 'two' is not a number"),
        ("20240103,1e-200,1e-200\n", "the factors leave no price at 2024-01-01"),
        ("20240103,1,1e-320\n", "the factors leave no volume at 2024-01-01"),
    ],
)
def test_bad_actions_name_their_field(
    text: str, message: str, five_days: Path, csv: Write, read: Read
) -> None:
    with pytest.raises(InvalidData, match=message) as refused:
        read(five_days, "1d", adjustment="SplitsAndDividends", adjustment_uri=str(csv(text, "actions.csv")))
    assert refused.value.field == "spec.data.adjustmentUri"


def test_a_missing_factor_file_names_its_field(five_days: Path, read: Read) -> None:
    with pytest.raises(InvalidData, match=r"spec\.data\.adjustmentUri: there is no /nowhere"):
        read(five_days, "1d", adjustment="Splits", adjustment_uri="/nowhere/factors.csv")


def test_weekly_sources_cannot_be_adjusted(
    bars: Callable[..., Any], parquet: Write, csv: Write, read: Read
) -> None:
    weeks = parquet(bars(5, step_ms=7 * DAY))
    with pytest.raises(InvalidData, match=r"spec\.data\.adjustment: needs a source of bars of at most 1d"):
        read(weeks, "1w", adjustment="Splits", adjustment_uri=str(csv(PLAIN, "actions.csv")))
