"""Longer bars out of shorter ones, and the timeframe of a source."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.candles import Candles
from spark_engine.data.timeframe import source_step_ms
from spark_engine.errors import InvalidData

HOUR = 3_600_000
MIDNIGHT = 1_704_067_200_000  # a Monday
Bars = Callable[..., dict[str, list[Any]]]
Read = Callable[..., Candles]
Parquet = Callable[..., Path]


def test_a_bucket_is_first_max_min_last_and_the_sum_from_left_to_right(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = bars(8)
    columns["volume"] = [0.1, 0.2, 0.3, 1e16, 1.0, 1.0, 1.0, 1.0]
    columns["high"][2] = 150.0
    columns["low"][5] = 50.0
    candles = read(parquet(columns), "4h")
    assert list(candles.ts) == [MIDNIGHT, MIDNIGHT + 4 * HOUR]
    assert list(candles.open) == [columns["open"][0], columns["open"][4]]
    assert list(candles.high) == [150.0, max(columns["high"][4:])]
    assert list(candles.low) == [min(columns["low"][:4]), 50.0]
    assert list(candles.close) == [columns["close"][3], columns["close"][7]]
    assert list(candles.volume) == [((0.1 + 0.2) + 0.3) + 1e16, 4.0]
    assert candles.quality_report.resampled_from == "1h"


def test_rows_out_of_order_are_resampled_in_the_order_of_time(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = bars(8)
    backwards = {name: values[::-1] for name, values in columns.items()}
    assert list(read(parquet(backwards), "4h").open) == [columns["open"][0], columns["open"][4]]


def test_weeks_begin_on_monday_and_other_bars_at_the_epoch(bars: Bars, parquet: Parquet, read: Read) -> None:
    days = parquet(bars(21, 24 * HOUR))
    assert list(read(days, "1w").ts) == [MIDNIGHT + i * 7 * 24 * HOUR for i in range(3)]
    assert (
        read(days, "7d", partial_bars="Keep").ts[0] == MIDNIGHT - 4 * 24 * HOUR
    )  # a Thursday, as 1970-01-01


def test_buckets_that_reach_beyond_the_source_are_partial(bars: Bars, parquet: Parquet, read: Read) -> None:
    path = parquet(bars(10, HOUR, MIDNIGHT + HOUR))
    with pytest.raises(
        InvalidData, match=r"bar 0 at 2024-01-01T00:00:00Z \(the first of 2\): partial"
    ) as refused:
        read(path, "4h")
    assert refused.value.field == "spec.data.partialBars"
    kept, dropped = read(path, "4h", partial_bars="Keep"), read(path, "4h", partial_bars="Drop")
    assert list(kept.quality) == [1, 0, 1]
    assert list(dropped.ts) == [MIDNIGHT + 4 * HOUR]
    assert list(read(path, "4h", start_ms=MIDNIGHT + 2 * HOUR, end_ms=MIDNIGHT + 8 * HOUR).ts) == list(
        dropped.ts
    )


def test_a_window_that_cuts_the_source_does_not_make_bars_partial(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    span = {"start_ms": MIDNIGHT + 5 * HOUR, "end_ms": MIDNIGHT + 17 * HOUR}
    candles = read(parquet(bars(24)), "4h", warmup_bars=1, **span)
    assert list(candles.ts) == [MIDNIGHT + h * HOUR for h in (4, 8, 12)]
    assert (candles.warmup, candles.quality_report.partial_rows) == (1, 0)


def test_inner_missing_bars_do_not_make_a_bucket_partial_and_empty_ones_are_missing(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = {
        name: [x for i, x in enumerate(values) if i not in (1, 4, 5, 6, 7)]
        for name, values in bars(12).items()
    }
    candles = read(parquet(columns), "4h")
    assert list(candles.ts) == [MIDNIGHT, MIDNIGHT + 8 * HOUR]
    assert list(candles.quality) == [0, 0]
    assert candles.quality_report.missing_bars == 1


@pytest.mark.parametrize("flag", [1, 3])
def test_a_bucket_with_a_partial_or_feed_down_row_is_partial(
    flag: int, bars: Bars, parquet: Parquet, read: Read
) -> None:
    path = parquet({**bars(12), "quality": [0, 2, 0, 0, 0, flag, 0, 0, 2, 2, 2, 2]})
    assert list(read(path, "4h", partial_bars="Keep").quality) == [0, 1, 0]


def test_conflicts_and_bad_prices_of_the_source_are_found_before_it_is_resampled(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = bars(8)
    columns["high"][6] = float("nan")
    with pytest.raises(InvalidData, match="bar 6 at 2024-01-01T06:00:00Z"):
        read(parquet(columns), "4h")


def test_a_coarser_source_is_refused_with_both_timeframes_named(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    told = "bars of 5m were asked, the source has bars of 1h, which is coarser"
    with pytest.raises(InvalidData, match=told) as refused:
        read(parquet(bars(20)), "5m")
    assert refused.value.field == "spec.market.timeframe"


def test_a_source_whose_bars_do_not_fit_is_refused(bars: Bars, parquet: Parquet, read: Read) -> None:
    with pytest.raises(
        InvalidData, match="bars of 1h were asked, the source has bars of 45m, which is no whole"
    ):
        read(parquet(bars(20, 45 * 60_000)), "1h")


def test_one_stray_row_does_not_make_an_hourly_source_a_finer_one(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = bars(40)
    columns["ts"][20] += HOUR // 2
    with pytest.raises(InvalidData, match="the source has bars of 1h"):
        read(parquet(columns), "30m")
    with pytest.raises(InvalidData, match="grid"):
        read(parquet(columns), "1h")


def test_a_sparse_source_is_of_the_bars_that_were_asked(bars: Bars, parquet: Parquet, read: Read) -> None:
    columns = {name: [x for i, x in enumerate(v) if i in (0, 1, 3, 5, 7, 9)] for name, v in bars(10).items()}
    candles = read(parquet(columns))
    assert (len(candles), candles.quality_report.missing_bars) == (6, 4)


def test_a_single_row_is_of_the_bars_that_were_asked(bars: Bars, parquet: Parquet, read: Read) -> None:
    assert read(parquet(bars(1)), "4h").quality_report.resampled_from is None


def test_the_timeframe_of_trading_days_is_a_day() -> None:
    days = [day for day in range(400) if day % 7 not in (2, 3)]
    assert source_step_ms(memoryview(array("q", [day * 24 * HOUR for day in days]))) == 24 * HOUR


@given(st.lists(st.integers(0, 60), min_size=2, unique=True))
def test_the_timeframe_is_the_most_frequent_step(minutes: list[int]) -> None:
    stamps = sorted(minutes)
    steps = [after - before for before, after in pairwise(stamps)]
    frequent = max(set(steps), key=lambda step: (steps.count(step), -step))
    assert source_step_ms(memoryview(array("q", [60_000 * minute for minute in stamps]))) == 60_000 * frequent
