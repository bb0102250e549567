"""The finer bars of `execution.resolveWith`, from the same source as the bars of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidData, InvalidSpec

MINUTE = 60_000
HOUR = 60 * MINUTE
MIDNIGHT = 1_704_067_200_000
Read = Callable[..., Candles]


@pytest.fixture
def minutes(bars: Callable[..., Any], parquet: Callable[..., Path]) -> Path:
    return parquet(bars(240, step_ms=MINUTE))


def covers(candles: Candles) -> None:
    """Every bar of the window has the prices of its finer bars."""
    finer = candles.finer
    assert finer is not None
    for bar in range(candles.warmup, len(candles)):
        inside = [
            row for row in range(len(finer)) if candles.ts[bar] <= finer.ts[row] < candles.close_time(bar)
        ]
        assert len(inside) == candles.timeframe_ms // finer.timeframe_ms
        assert candles.open[bar] == finer.open[inside[0]]
        assert candles.high[bar] == max(finer.high[row] for row in inside)
        assert candles.low[bar] == min(finer.low[row] for row in inside)
        assert candles.close[bar] == finer.close[inside[-1]]


@pytest.mark.parametrize("finer", ["1m", "5m", "30m"])
def test_finer_bars_cover_the_window(finer: str, minutes: Path, read: Read) -> None:
    candles = read(minutes, resolve_with=finer)
    covers(candles)
    assert read(minutes).finer is None


def test_finer_bars_begin_with_the_window_and_not_with_its_warm_up(minutes: Path, read: Read) -> None:
    candles = read(minutes, start_ms=MIDNIGHT + 2 * HOUR, warmup_bars=2, resolve_with="5m")
    assert candles.warmup == 2
    assert candles.finer is not None
    assert (candles.finer.ts[0], len(candles.finer)) == (MIDNIGHT + 2 * HOUR, 24)
    covers(candles)


def test_finer_prices_are_replaced_by_the_ticks_of_the_run(
    bars: Callable[..., Any], parquet: Callable[..., Path], read: Read
) -> None:
    table = bars(120, step_ms=MINUTE)
    noisy = {name: [price + 1e-13 for price in table[name]] for name in ("open", "high", "low", "close")}
    candles = read(parquet(table | noisy), resolve_with="1m")
    covers(candles)
    assert candles.finer is not None
    assert list(candles.finer.close) == table["close"]
    power = 10.0**candles.quality_report.price_scale
    assert [tick / power for tick in candles.finer.ticks_close] == table["close"]


def test_finer_bars_are_made_of_mended_rows(
    bars: Callable[..., Any], parquet: Callable[..., Path], read: Read
) -> None:
    table = bars(120, step_ms=MINUTE)
    doubled = {name: [*values, values[7]] for name, values in table.items()}
    candles = read(parquet(doubled), resolve_with="1m")
    covers(candles)
    assert candles.quality_report.duplicate_rows == 1


def test_a_source_that_is_too_coarse_is_refused(
    bars: Callable[..., Any], parquet: Callable[..., Path], read: Read
) -> None:
    path = parquet(bars(10))
    with pytest.raises(InvalidData, match=r"spec\.execution\.resolveWith: bars of 5m .*source's 1h"):
        read(path, resolve_with="5m")


@pytest.mark.parametrize(("finer", "why"), [("7m", "whole part"), ("1h", "whole part"), ("2h", "whole part")])
def test_a_timeframe_that_does_not_divide_the_runs_is_refused(
    finer: str, why: str, minutes: Path, read: Read
) -> None:
    with pytest.raises(InvalidSpec, match=rf"spec\.execution\.resolveWith: must be a {why}.*1h; is {finer}"):
        read(minutes, resolve_with=finer)
    with pytest.raises(InvalidSpec, match=r"spec\.execution\.resolveWith: must be a count"):
        read(minutes, resolve_with="fast")


def test_sessions_are_resolved_from_their_open(
    bars: Callable[..., Any], parquet: Callable[..., Path], read: Read, ms: Callable[[str], int]
) -> None:
    path = parquet(bars(13, step_ms=30 * MINUTE, start_ms=ms("2024-11-25T14:30")))
    candles = read(path, "1d", calendar="XNYS", resolve_with="1h")
    assert candles.finer is not None
    assert [(ts - candles.ts[0]) // HOUR for ts in candles.finer.ts] == list(range(7))
    assert candles.finer.close[-1] == candles.close[0]
    assert max(candles.finer.high) == candles.high[0]
