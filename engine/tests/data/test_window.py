"""Which bars a run sees: start and end, warm-up, the forming bar, stamps of the close."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidData

HOUR = 3_600_000
MIDNIGHT = 1_704_067_200_000  # a Monday
Bars = Callable[..., dict[str, list[Any]]]


def hours(candles: Candles) -> list[float]:
    return [(ts - MIDNIGHT) / HOUR for ts in candles.ts]


@pytest.fixture
def ten_hours(bars: Bars, parquet: Callable[..., Path]) -> Path:
    return parquet(bars(10))


def test_the_window_holds_bars_from_start_whose_close_is_at_most_end(
    ten_hours: Path, read: Callable[..., Candles]
) -> None:
    candles = read(ten_hours, start_ms=MIDNIGHT + 2 * HOUR, end_ms=MIDNIGHT + 6 * HOUR)
    assert hours(candles) == [2, 3, 4, 5]
    assert candles.warmup == 0


def test_bars_that_only_touch_the_window_are_outside(ten_hours: Path, read: Callable[..., Candles]) -> None:
    candles = read(ten_hours, start_ms=MIDNIGHT + 2 * HOUR + 1, end_ms=MIDNIGHT + 6 * HOUR - 1)
    assert hours(candles) == [3, 4]


def test_warm_up_rows_come_before_start(ten_hours: Path, read: Callable[..., Candles]) -> None:
    candles = read(ten_hours, start_ms=MIDNIGHT + 4 * HOUR, warmup_bars=3)
    assert hours(candles) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert candles.warmup == 3


def test_warm_up_counts_rows_and_not_hours(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = {
        name: [x for i, x in enumerate(values) if i not in (2, 3)] for name, values in bars(10).items()
    }
    candles = read(parquet(columns), start_ms=MIDNIGHT + 5 * HOUR, warmup_bars=3)
    assert hours(candles)[:4] == [0, 1, 4, 5]
    assert candles.warmup == 3


def test_warm_up_is_what_there_is(ten_hours: Path, read: Callable[..., Candles]) -> None:
    candles = read(ten_hours, start_ms=MIDNIGHT + 2 * HOUR, warmup_bars=50)
    assert (hours(candles)[0], candles.warmup) == (0, 2)


def test_without_a_start_there_is_no_warm_up(ten_hours: Path, read: Callable[..., Candles]) -> None:
    assert read(ten_hours, warmup_bars=3).warmup == 0


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (20, None, "spec.market.start"),
        (None, -5, "spec.market.end"),
        (None, 0.5, "spec.market.end"),
        (3, 3.5, "spec.market.start"),
    ],
)
def test_an_empty_window_says_what_the_data_covers(
    start: float | None, end: float | None, field: str, ten_hours: Path, read: Callable[..., Candles]
) -> None:
    span = {
        "start_ms": None if start is None else MIDNIGHT + int(start * HOUR),
        "end_ms": None if end is None else MIDNIGHT + int(end * HOUR),
    }
    told = "first bar of the data is at 2024-01-01T00:00:00Z, the last at 2024-01-01T09:00:00Z"
    with pytest.raises(InvalidData, match=told) as refused:
        read(ten_hours, **span)
    assert refused.value.field == field


def test_a_bar_that_is_still_forming_is_dropped(ten_hours: Path, read: Callable[..., Candles]) -> None:
    forming = read(ten_hours, now_ms=MIDNIGHT + 10 * HOUR - 1)
    closed = read(ten_hours, now_ms=MIDNIGHT + 10 * HOUR)
    assert (hours(forming)[-1], forming.quality_report.forming_bar_dropped) == (8, True)
    assert (hours(closed)[-1], closed.quality_report.forming_bar_dropped) == (9, False)


def test_a_forming_bar_of_finer_rows_is_dropped_whole_and_is_not_partial(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    candles = read(parquet(bars(10)), "4h", now_ms=MIDNIGHT + 10 * HOUR)
    assert hours(candles) == [0, 4]
    assert (candles.quality_report.forming_bar_dropped, candles.quality_report.partial_rows) == (True, 0)


def test_a_file_of_nothing_but_the_forming_bar_is_an_empty_window(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(InvalidData, match="no whole bar of 1h from the beginning to the end"):
        read(parquet(bars(1)), now_ms=MIDNIGHT + 5)


@pytest.mark.parametrize("off", [0, -1])
def test_stamps_of_the_close_are_shifted_to_the_open(
    off: int, bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    """Full hours, and the `...:59.999` that exchanges write."""
    columns = bars(10)
    closes = [ts + HOUR + off for ts in columns["ts"]]
    assert list(read(parquet({**columns, "ts": closes}), timestamps="Close").ts) == columns["ts"]


def test_stamps_of_the_close_are_shifted_by_the_bars_of_the_source_and_then_resampled(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(8)
    path = parquet({**columns, "ts": [ts + HOUR for ts in columns["ts"]]})
    assert hours(read(path, "4h", timestamps="Close")) == [0, 4]


def test_a_close_time_column_is_preferred_where_stamps_are_of_the_close(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(10)
    path = parquet({**columns, "close_time": [ts + HOUR - 1 for ts in columns["ts"]]})
    assert list(read(path, timestamps="Close").ts) == list(read(path).ts) == columns["ts"]


def test_stamps_of_the_close_read_as_opens_are_off_the_grid_with_a_hint(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(10)
    path = parquet({**columns, "ts": [ts + HOUR - 1 for ts in columns["ts"]]})
    with pytest.raises(InvalidData, match=r"3599999 ms after the grid; .*spec\.data\.timestamps: Close"):
        read(path)
