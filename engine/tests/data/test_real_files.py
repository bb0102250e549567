"""Every real candle file, with the numbers that its manifest measured by other means."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.candles import Candles
from spark_engine.data.inspect import inspect_candles
from spark_engine.errors import InvalidData

FILES = {
    "btcusdt_1h_binance_2017_2024.parquet": "1h",
    "ethusdt_1h_binance_2022_2025.parquet": "1h",
    "btcusdt_1m_binance_2025.parquet": "1m",
    "btcusdt_5m_binance_2023.parquet": "5m",
    "compusdt_3m_binance_2022_2023.parquet": "3m",
    "unittestbtc_1m_gappy_2017.parquet": "1m",
    "xrpeth_1m_2019.parquet": "1m",
    "btcperp_1m_ftx_2022.parquet": "1m",
    "btctry_1m_binance_2022.parquet": "1m",
    "usdttry_1m_binance_2022.parquet": "1m",
    "aapl_1d_raw_lean.parquet": "1d",
    "bist_thyao_1d_2021_2026.parquet": "1d",
    "bist_eregl_1d_2021_2026.parquet": "1d",
    "gbpusd_1m_bid_fxcm_2012.parquet": "1m",
}
SYMBOLS = {"btctry_1m_binance_2022.parquet": "BTCTRY", "usdttry_1m_binance_2022.parquet": "USDTTRY"}
SCALES = {
    "btcusdt_1h_binance_2017_2024.parquet": 2,
    "btctry_1m_binance_2022.parquet": 0,
    "xrpeth_1m_2019.parquet": 8,
    "gbpusd_1m_bid_fxcm_2012.parquet": 5,
    "aapl_1d_raw_lean.parquet": 4,
}
BACK_ADJUSTED = {"bist_thyao_1d_2021_2026.parquet", "bist_eregl_1d_2021_2026.parquet"}


def measured(market_data: Callable[[str], Path], name: str) -> dict[str, Any]:
    manifest = json.loads(market_data("MANIFEST.json").read_text())
    entry: dict[str, Any] = next(entry for entry in manifest if entry["file"] == name)
    return entry


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_has_the_rows_gaps_and_volumes_of_its_manifest(
    name: str, market_data: Callable[[str], Path], read: Callable[..., Candles], ms: Callable[[str], int]
) -> None:
    expected = measured(market_data, name)
    candles = read(market_data(name), FILES[name], SYMBOLS.get(name, "X"), sha256=expected["sha256"])
    quality = candles.quality_report
    assert quality.rows_read == quality.rows == len(candles) == expected["rows"]
    assert (quality.first_ts, quality.last_ts) == (
        ms(expected["first"].removesuffix("+00:00")),
        ms(expected["last"].removesuffix("+00:00")),
    )
    assert (quality.gaps, quality.missing_bars) == (expected["gaps"], expected["missing_bars"])
    longest_step = quality.longest_gap_seconds + expected["step_s"] if quality.gaps else 0
    assert longest_step == expected["biggest_gap_s"]
    assert quality.clamped_rows == expected["bad_ohlc"]
    assert quality.duplicate_rows == quality.conflicting_duplicates == expected["dup_ts"]
    if expected["zero_volume"] is None:
        assert quality.null_volumes == quality.zero_volume_rows == expected["rows"]
    else:
        assert (quality.null_volumes, quality.zero_volume_rows) == (0, expected["zero_volume"])


@pytest.mark.parametrize("name", FILES)
def test_an_inspection_of_a_real_file_agrees_with_its_manifest(
    name: str, market_data: Callable[[str], Path]
) -> None:
    expected = measured(market_data, name)
    seen = inspect_candles(str(market_data(name)))
    assert (seen.rows, seen.timeframe, seen.sha256) == (expected["rows"], FILES[name], expected["sha256"])
    assert (seen.gaps, seen.missing_bars) == (expected["gaps"], expected["missing_bars"])
    assert seen.flat_bars == expected["flat"]
    assert (seen.nan_prices, seen.infinite_prices, seen.prices_not_above_zero) == (0, 0, expected["nonpos"])
    assert seen.broken_ranges == 0
    assert seen.broken_ranges_within_1e9 == expected["bad_ohlc"]
    assert seen.accepted, seen.refusals


@pytest.mark.parametrize("name", SCALES)
def test_the_tick_of_a_real_file_is_found(
    name: str, market_data: Callable[[str], Path], read: Callable[..., Candles]
) -> None:
    candles = read(market_data(name), FILES[name], SYMBOLS.get(name, "X"))
    assert (candles.quality_report.price_scale, candles.quality_report.ticks_exact) == (SCALES[name], True)
    power = 10.0 ** SCALES[name]
    assert all(tick / power == close for tick, close in zip(candles.ticks_close, candles.close, strict=True))


@pytest.mark.parametrize("name", sorted(BACK_ADJUSTED))
def test_back_adjusted_prices_stay_as_they_are(
    name: str, market_data: Callable[[str], Path], read: Callable[..., Candles]
) -> None:
    import polars

    candles = read(market_data(name), "1d", "X")
    assert (candles.quality_report.ticks_exact, candles.quality_report.price_scale) == (False, 9)
    assert candles.quality_report.snapped_rows == 0
    assert list(candles.close) == polars.read_parquet(market_data(name))["close"].to_list()


def test_the_dirty_export_is_refused_for_its_conflicting_duplicates(
    market_data: Callable[[str], Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(InvalidData, match=r"spec\.data\.duplicates: .*2020-08-01T23:00:00Z .*KeepLast"):
        read(market_data("ethusdt_1h_cdd_dirty.csv.gz"), "1h", "ETHUSDT")


def test_the_dirty_export_gives_its_expected_hours_and_gaps_when_the_last_row_is_kept(
    market_data: Callable[[str], Path], read: Callable[..., Candles], ms: Callable[[str], int]
) -> None:
    expected = json.loads(market_data("ethusdt_1h_cdd_dirty.expected.json").read_text())
    candles = read(market_data("ethusdt_1h_cdd_dirty.csv.gz"), "1h", "ETHUSDT", duplicates="KeepLast")
    quality = candles.quality_report
    assert quality.rows_read == expected["data_rows"]
    assert quality.rows == expected["unique_hours"]
    assert quality.duplicate_rows + quality.conflicting_duplicates == expected["duplicate_hours"]
    assert quality.conflicting_duplicates >= expected["duplicate_price_conflicts_gt_0.01"]
    assert quality.unsorted_rows == expected["data_rows"] - 1
    assert quality.zero_volume_rows == expected["zero_volume_rows"]
    assert (quality.first_ts, quality.last_ts) == (ms(expected["first"][:-1]), ms(expected["last"][:-1]))
    found = [
        (candles.ts[i - 1], (candles.ts[i] - candles.ts[i - 1]) // 3_600_000 - 1)
        for i in range(1, len(candles))
        if candles.ts[i] - candles.ts[i - 1] > 3_600_000
    ]
    assert found == [(ms(after[:-1]), missing) for after, missing in expected["gaps_after_dedupe"]]


def test_the_dirty_export_is_read_by_unix_and_not_by_its_wrong_dates(
    market_data: Callable[[str], Path], read: Callable[..., Candles], ms: Callable[[str], int]
) -> None:
    """`date` would put the four missing hours at the other end of the 91 wrong rows."""
    candles = read(market_data("ethusdt_1h_cdd_dirty.csv.gz"), "1h", "ETHUSDT", duplicates="KeepLast")
    before = bisect_left(candles.ts, ms("2017-09-22T19:00:00"))
    assert candles.ts[before + 1] == ms("2017-09-23T00:00:00")


def test_volume_of_the_dirty_export_is_in_the_base_unit(
    market_data: Callable[[str], Path], read: Callable[..., Candles]
) -> None:
    candles = read(market_data("ethusdt_1h_cdd_dirty.csv.gz"), "1h", "ETHUSDT", duplicates="KeepLast")
    assert candles.volume[-1] == 4681.07201


def test_trades_are_not_candles(market_data: Callable[[str], Path], read: Callable[..., Candles]) -> None:
    with pytest.raises(InvalidData, match=r"no column open, high, low, close; .*found ts_ms, id, side"):
        read(market_data("xrpeth_trades_2019.parquet"), "1m", "XRPETH")


def test_five_minutes_resampled_are_the_hours_of_an_independent_source(
    market_data: Callable[[str], Path], read: Callable[..., Candles], ms: Callable[[str], int]
) -> None:
    """8,734 full hours of two repositories agree bar for bar."""
    span = {"start_ms": ms("2023-01-01T00:00:00"), "end_ms": ms("2023-12-30T00:00:00")}
    fine = read(market_data("btcusdt_5m_binance_2023.parquet"), "1h", "X", **span)
    coarse = read(market_data("btcusdt_1h_binance_2017_2024.parquet"), "1h", "X", **span)
    assert fine.quality_report.resampled_from == "5m"
    hours = {ts: row for row, ts in enumerate(coarse.ts)}
    common = [(row, hours[ts]) for row, ts in enumerate(fine.ts) if ts in hours]
    assert len(common) > 8_700
    prices = ("open", "high", "low", "close")
    assert (
        sum(all(getattr(fine, name)[i] == getattr(coarse, name)[j] for name in prices) for i, j in common)
        >= len(common) - 2
    )  # the halt of 2023-03-24, which the two sources cut differently


def test_resampled_minutes_are_what_polars_makes_of_them(
    market_data: Callable[[str], Path], read: Callable[..., Candles]
) -> None:
    import polars

    path = market_data("btcusdt_1m_binance_2025.parquet")
    candles = read(path, "15m", "X", partial_bars="Drop")
    groups = (
        polars.read_parquet(path)
        .group_by_dynamic("ts", every="15m")
        .agg(
            polars.col("open").first(),
            polars.col("high").max(),
            polars.col("low").min(),
            polars.col("close").last(),
            polars.col("volume").sum(),
            polars.len().alias("rows"),
        )
        .filter(polars.col("rows") == 15)
    )
    for name in ("open", "high", "low", "close"):
        assert list(getattr(candles, name)) == groups[name].to_list()
    assert list(candles.volume) == pytest.approx(groups["volume"].to_list(), rel=1e-12)
