"""Dirty rows: what is mended and counted, and what is refused under which policy."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.candles import Candles
from spark_engine.data.check import BARS_ARE_GAPLESS, BARS_ARE_WHOLE, ROW_CHECKS
from spark_engine.errors import InvalidData

HOUR = 3_600_000
MIDNIGHT = 1_704_067_200_000
Bars = Callable[..., dict[str, list[Any]]]
Read = Callable[..., Candles]
Parquet = Callable[..., Path]


def spoilt(columns: dict[str, list[Any]], row: int, **values: Any) -> dict[str, list[Any]]:
    """A copy in which `row` holds `values`."""
    copy = {name: list(column) for name, column in columns.items()}
    for name, value in values.items():
        copy[name][row] = value
    return copy


def repeated(columns: dict[str, list[Any]], row: int, **values: Any) -> dict[str, list[Any]]:
    """A copy with `row` once more at its end, holding `values`."""
    return spoilt({name: [*column, column[row]] for name, column in columns.items()}, -1, **values)


def test_unsorted_rows_are_sorted_and_counted(bars: Bars, parquet: Parquet, read: Read) -> None:
    columns = bars(50)
    order = sorted(range(50), key=lambda i: i * 17 % 50)
    shuffled = {name: [values[i] for i in order] for name, values in columns.items()}
    candles = read(parquet(shuffled))
    assert list(candles.ts) == columns["ts"]
    assert list(candles.close) == columns["close"]
    late = sum(order[i] < max(order[:i], default=-1) for i in range(50))
    assert candles.quality_report.unsorted_rows == late > 0


def test_an_exact_duplicate_row_is_dropped_and_counted(bars: Bars, parquet: Parquet, read: Read) -> None:
    columns = bars(10)
    candles = read(parquet(repeated(repeated(columns, 4), 4)))
    assert list(candles.ts) == columns["ts"]
    assert (candles.quality_report.duplicate_rows, candles.quality_report.conflicting_duplicates) == (2, 0)


@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
def test_a_duplicate_row_with_another_value_is_refused(
    column: str, bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = bars(10)
    path = parquet(repeated(columns, 4, **{column: columns[column][4] + 0.25}))
    with pytest.raises(
        InvalidData, match=r"bar 4 at 2024-01-01T04:00:00Z.*KeepLast keeps the row"
    ) as refused:
        read(path)
    assert refused.value.field == "spec.data.duplicates"


def test_keep_last_keeps_the_row_that_comes_last_in_the_source(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = bars(10)
    candles = read(parquet(repeated(columns, 4, close=100.25)), duplicates="KeepLast")
    assert list(candles.ts) == columns["ts"]
    assert candles.close[4] == 100.25
    assert (candles.quality_report.duplicate_rows, candles.quality_report.conflicting_duplicates) == (0, 1)


def test_a_bad_row_that_keep_last_drops_does_no_harm(bars: Bars, parquet: Parquet, read: Read) -> None:
    columns = repeated(bars(10), 4)
    assert len(read(parquet(spoilt(columns, 4, close=math.nan)), duplicates="KeepLast")) == 10


@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf, 0.0, -0.0, -5.0, None])
def test_a_price_that_is_not_finite_and_positive_is_refused(
    column: str, price: float | None, bars: Bars, parquet: Parquet, read: Read
) -> None:
    told = (
        r"prices must be finite and above 0: bar 3 at 2024-01-01T03:00:00Z: open .*, high .*, low .*, close"
    )
    with pytest.raises(InvalidData, match=told) as refused:
        read(parquet(spoilt(bars(10), 3, **{column: price})))
    assert refused.value.field == "spec.data.uri"


@pytest.mark.parametrize(
    ("column", "price"), [("high", 100.0), ("low", 100.4), ("open", 120.0), ("close", 1.0)]
)
def test_a_body_outside_its_range_is_refused(
    column: str, price: float, bars: Bars, parquet: Parquet, read: Read
) -> None:
    with pytest.raises(InvalidData, match=r"low must be at most, and high at least, .*: bar 3 at"):
        read(parquet(spoilt(bars(10), 3, **{column: price})))


def test_a_range_missed_by_rounding_is_mended_and_counted(bars: Bars, parquet: Parquet, read: Read) -> None:
    columns = spoilt(
        bars(10), 3, low=100.03 * (1 + 5e-10), open=100.03, high=100.53 * (1 - 5e-10), close=100.53
    )
    candles = read(parquet(columns), price_scale=9)
    assert candles.quality_report.clamped_rows == 1
    assert (candles.low[3], candles.high[3]) == (candles.open[3], candles.close[3]) == (100.03, 100.53)


def test_a_range_missed_by_a_little_more_is_refused(bars: Bars, parquet: Parquet, read: Read) -> None:
    with pytest.raises(InvalidData, match="low must be at most"):
        read(parquet(spoilt(bars(10), 3, low=100.03 * (1 + 2e-9), open=100.03)))


@pytest.mark.parametrize("volume", [-1.0, math.inf])
def test_a_volume_that_is_negative_or_infinite_is_refused(
    volume: float, bars: Bars, parquet: Parquet, read: Read
) -> None:
    with pytest.raises(InvalidData, match=r"volumes must be finite and at least 0: bar 3 at .*: volume"):
        read(parquet(spoilt(bars(10), 3, volume=volume)))


def test_null_and_zero_volumes_are_counted_apart(bars: Bars, parquet: Parquet, read: Read) -> None:
    columns = spoilt(spoilt(spoilt(bars(10), 3, volume=None), 4, volume=math.nan), 5, volume=0.0)
    quality = read(parquet(columns)).quality_report
    assert (quality.null_volumes, quality.zero_volume_rows) == (2, 3)


def test_a_time_off_the_grid_is_refused(bars: Bars, parquet: Parquet, read: Read) -> None:
    with pytest.raises(
        InvalidData, match=r"begin on the grid .*: bar 6 at 2024-01-01T06:00:01Z: 1000 ms after"
    ):
        read(parquet(spoilt(bars(20), 6, ts=MIDNIGHT + 6 * HOUR + 1000)))


def test_days_must_begin_at_midnight(bars: Bars, parquet: Parquet, read: Read) -> None:
    columns = bars(10, 24 * HOUR, MIDNIGHT + 5 * HOUR)
    with pytest.raises(InvalidData, match=r"grid .*bar 0 at 2024-01-01T05:00:00Z .the first of 10"):
        read(parquet(columns), "1d")


@pytest.mark.parametrize("flag", ["partial", "feed-down"])
def test_a_flagged_bar_is_refused_dropped_or_kept_by_policy(
    flag: str, bars: Bars, parquet: Parquet, read: Read
) -> None:
    path = parquet({**bars(10), "quality": ["complete"] * 5 + [flag] + ["no-trades"] * 4})
    with pytest.raises(InvalidData, match=f"bar 5 at 2024-01-01T05:00:00Z: {flag}; Drop leaves") as refused:
        read(path)
    assert refused.value.field == "spec.data.partialBars"
    dropped, kept = read(path, partial_bars="Drop"), read(path, partial_bars="Keep")
    assert (len(dropped), dropped.quality_report.partial_rows_dropped, dropped.quality_report.gaps) == (
        9,
        1,
        1,
    )
    assert (len(kept), kept.quality_report.partial_rows, kept.quality_report.partial_rows_dropped) == (
        10,
        1,
        0,
    )


def test_warm_up_is_as_long_as_asked_where_partial_bars_are_dropped(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    path = parquet({**bars(10), "quality": [0, 0, 0, 1, 1, 0, 0, 0, 0, 0]})
    candles = read(path, start_ms=MIDNIGHT + 6 * HOUR, warmup_bars=3, partial_bars="Drop")
    assert [(ts - MIDNIGHT) // HOUR for ts in candles.ts] == [1, 2, 5, 6, 7, 8, 9]
    assert candles.warmup == 3


def test_dropping_every_bar_leaves_nothing_to_run_on(bars: Bars, parquet: Parquet, read: Read) -> None:
    with pytest.raises(InvalidData, match="every bar of the window is partial") as refused:
        read(parquet({**bars(3), "quality": [1, 1, 3]}), partial_bars="Drop")
    assert refused.value.field == "spec.data.partialBars"


def test_a_missing_bar_is_kept_missing_and_counted_or_refused_by_policy(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = {
        name: [x for i, x in enumerate(values) if i not in (3, 6, 7)] for name, values in bars(12).items()
    }
    path = parquet(columns)
    quality = read(path).quality_report
    assert (quality.gaps, quality.missing_bars, quality.longest_gap_seconds, quality.rows) == (2, 3, 7200, 9)
    with pytest.raises(InvalidData, match="no bar may be missing: bar 3 at 2024-01-01T04:00:00Z") as refused:
        read(path, gaps="Fail")
    assert refused.value.field == "spec.data.gaps"


def test_bad_rows_outside_the_window_and_its_warm_up_do_no_harm(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = spoilt(spoilt(bars(20), 2, close=math.nan), 17, high=1.0)
    span = {"start_ms": MIDNIGHT + 6 * HOUR, "end_ms": MIDNIGHT + 12 * HOUR}
    assert len(read(parquet(columns), warmup_bars=3, **span)) == 9
    with pytest.raises(InvalidData, match="bar 0 at 2024-01-01T02:00:00Z"):
        read(parquet(columns), warmup_bars=4, **span)


def test_every_check_names_a_field_of_the_spec_and_reads_as_a_rule() -> None:
    for check in (*ROW_CHECKS, BARS_ARE_WHOLE, BARS_ARE_GAPLESS):
        assert check.field.startswith("spec.data.")
        assert " must " in check.rule or " may " in check.rule
