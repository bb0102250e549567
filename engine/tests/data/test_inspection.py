"""`backtest data inspect`: dirty data is described, never an error."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.inspect import inspect_candles
from spark_engine.errors import InvalidData

HOUR = 3_600_000
MIDNIGHT = 1_704_067_200_000
Bars = Callable[..., dict[str, list[Any]]]
Parquet = Callable[..., Path]


def test_clean_data_is_accepted(bars: Bars, parquet: Parquet) -> None:
    seen = inspect_candles(str(parquet(bars(100))))
    assert (seen.rows, seen.timeframe, seen.first_ms, seen.last_ms) == (
        100,
        "1h",
        MIDNIGHT,
        MIDNIGHT + 99 * HOUR,
    )
    assert (seen.accepted, seen.refusals, seen.price_scale, seen.files) == (True, (), 2, ("candles.parquet",))


def test_every_kind_of_dirt_is_counted_and_refused_by_the_field_that_governs_it(
    bars: Bars, parquet: Parquet
) -> None:
    columns = bars(60)
    for name, row, value in [
        ("open", 3, math.nan),
        ("close", 4, math.inf),
        ("low", 5, -1.0),
        ("high", 6, 1.0),
        ("volume", 8, None),
        ("volume", 9, 0.0),
        ("volume", 10, -2.0),
        ("ts", 11, MIDNIGHT + 11 * HOUR + 60_000),
        ("ts", 21, MIDNIGHT + 20 * HOUR),
    ]:
        columns[name][row] = value
    for name in columns:
        columns[name][31] = columns[name][30]
        del columns[name][40:43]
    for name in ("high", "low", "close"):
        columns[name][50] = columns["open"][50]
    flags = [0] * 57
    flags[55] = 1
    seen = inspect_candles(str(parquet({**columns, "quality": flags})))
    assert (seen.nan_prices, seen.infinite_prices, seen.prices_not_above_zero) == (1, 1, 1)
    assert seen.broken_ranges == 1
    assert (seen.null_volumes, seen.zero_volumes, seen.bad_volumes) == (1, 2, 1)
    assert (seen.off_grid_rows, seen.exact_duplicates, seen.conflicting_duplicates) == (1, 1, 1)
    assert (seen.flat_bars, seen.partial_bars, seen.timeframe) == (1, 1, "1h")
    assert seen.longest_gaps[0].missing_bars == 3
    assert not seen.accepted
    assert [refusal.field for refusal in seen.refusals] == [
        "spec.data.duplicates",
        "spec.data.uri",
        "spec.data.uri",
        "spec.data.uri",
        "spec.data.uri",
        "spec.data.partialBars",
    ]


def test_a_refusal_that_no_rule_of_a_row_explains_is_told_too(bars: Bars, parquet: Parquet) -> None:
    columns = bars(5)
    columns["high"][3] = 1e300
    seen = inspect_candles(str(parquet(columns)))
    assert [refusal.field for refusal in seen.refusals] == ["spec.data.uri"]
    assert "too large" in seen.refusals[0].message


def test_the_longest_gaps_come_first_and_are_ten_at_most(bars: Bars, parquet: Parquet) -> None:
    columns = bars(1)
    for gap in range(1, 15):
        columns["ts"] += [columns["ts"][-1] + HOUR * i for i in (1, 2, 3 + gap)]
    rows = len(columns["ts"])
    seen = inspect_candles(str(parquet({**bars(rows), "ts": columns["ts"]})))
    assert (seen.gaps, seen.missing_bars) == (14, sum(range(1, 15)))
    assert [gap.missing_bars for gap in seen.longest_gaps] == list(range(14, 4, -1))


def test_one_row_has_no_timeframe(bars: Bars, parquet: Parquet) -> None:
    seen = inspect_candles(str(parquet(bars(1))))
    assert (seen.rows, seen.timeframe, seen.gaps) == (1, None, 0)


def test_a_source_of_several_symbols_wants_one_named(bars: Bars, parquet: Parquet) -> None:
    path = str(parquet({**bars(4), "symbol": ["BTCUSDT", "BTCUSDT", "ETHUSDT", "ETHUSDT"]}))
    with pytest.raises(InvalidData, match="holds 2 symbols, name one of BTCUSDT, ETHUSDT"):
        inspect_candles(path)
    assert inspect_candles(path, "ethusdt").rows == 2


def test_what_holds_no_candles_is_an_error(csv: Callable[..., Path]) -> None:
    with pytest.raises(InvalidData, match="has no column"):
        inspect_candles(str(csv("a,b\n1,2\n")))
