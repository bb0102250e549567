"""Prices as whole ticks, by the letter of SEMANTICS section 2."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spark_engine.data.candles import Candles
from spark_engine.data.rows import Rows, zeros
from spark_engine.data.ticks import Ticks, in_ticks
from spark_engine.errors import InvalidData

Bars = Callable[..., dict[str, list[Any]]]
Read = Callable[..., Candles]
Parquet = Callable[..., Path]


def flat(prices: list[float], price_scale: int | None = None) -> tuple[Rows, Ticks]:
    """Bars of one price each."""
    columns = [memoryview(array("d", prices)) for _ in range(4)]
    rows = Rows(zeros("q", len(prices)), *columns, zeros("d", len(prices)), zeros("b", len(prices)))
    return rows, in_ticks(rows, price_scale)


def by_the_letter(prices: list[float]) -> int | None:
    for scale in range(10):
        power = 10**scale
        if all(abs(math.floor(x * power + 0.5) / power - x) <= 1e-12 * x for x in prices):
            return scale
    return None


@given(st.lists(st.integers(1, 10**11), min_size=1, max_size=30), st.integers(0, 9))
def test_prices_in_ticks_keep_their_value_and_find_their_scale(ticks: list[int], scale: int) -> None:
    prices = [tick / 10**scale for tick in ticks]
    rows, found = flat(prices)
    assert found.exact
    assert found.scale <= scale
    assert list(rows.close) == prices
    assert [Fraction(tick, 10**found.scale) for tick in found.close] == [
        Fraction(t, 10**scale) for t in ticks
    ]


@settings(max_examples=300)
@given(
    st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=5)
    | st.lists(st.decimals("0.001", 10**5, places=3).map(float), min_size=1)
)
def test_the_scale_is_the_smallest_that_fits_every_price(prices: list[float]) -> None:
    rows, found = flat(prices)
    scale = by_the_letter(prices)
    assert (found.exact, found.scale) == ((True, scale) if scale is not None else (False, 9))
    power = 10**found.scale
    assert list(found.close) == [math.floor(price * power + 0.5) for price in prices]
    assert list(rows.close) == ([tick / power for tick in found.close] if found.exact else prices)


def test_float_noise_is_removed_and_counted() -> None:
    rows, ticks = flat([0.1 + 0.2, 0.3, 1.1])
    assert list(rows.close) == [0.3, 0.3, 1.1]
    assert (ticks.snapped, ticks.scale, list(ticks.close)) == (1, 1, [3, 3, 11])


def test_a_given_scale_rounds_half_to_even() -> None:
    rows, ticks = flat([0.125, 0.375, 2.5, 3.5, 0.126], price_scale=2)
    assert list(rows.close) == [0.12, 0.38, 2.5, 3.5, 0.13]
    assert list(ticks.close) == [12, 38, 250, 350, 13]
    assert (ticks.snapped, ticks.exact, ticks.scale) == (3, True, 2)


def test_the_given_scale_is_asked_of_every_price_and_the_found_one_too(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = bars(10)
    columns["high"][7] = 200.12345
    found, given_scale = read(parquet(columns)), read(parquet(columns), price_scale=1)
    assert (found.quality_report.price_scale, found.high[7]) == (5, 200.12345)
    assert (given_scale.quality_report.price_scale, given_scale.high[7]) == (1, 200.1)


def test_the_scale_is_that_of_the_window_and_its_warm_up(bars: Bars, parquet: Parquet, read: Read) -> None:
    columns = bars(10)
    columns["high"][2] = 200.12345
    path, hour, midnight = parquet(columns), 3_600_000, columns["ts"][0]
    assert read(path, start_ms=midnight + 4 * hour, warmup_bars=1).quality_report.price_scale == 2
    assert read(path, start_ms=midnight + 4 * hour, warmup_bars=2).quality_report.price_scale == 5


@pytest.mark.parametrize(
    ("price", "scale", "field"), [(1e300, None, "uri"), (1e18 / 7, None, "uri"), (1e15, 9, "x")]
)
def test_gigantic_prices_are_refused(
    price: float, scale: int | None, field: str, bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = bars(5)
    columns["high"][3] = price
    columns["low"][1] = 0.123456789 if scale is None else 99.0
    with pytest.raises(InvalidData, match="too large: prices must stay below") as refused:
        read(parquet(columns), price_scale=scale)
    assert refused.value.field == ("spec.data.uri" if field == "uri" else "spec.market.priceScale")


def test_a_price_that_the_given_scale_rounds_to_nothing_is_refused(
    bars: Bars, parquet: Parquet, read: Read
) -> None:
    columns = bars(5)
    columns["low"][3] = 0.004
    with pytest.raises(InvalidData, match=r"2 decimals round the price 0\.004 to 0") as refused:
        read(parquet(columns), price_scale=2)
    assert refused.value.field == "spec.market.priceScale"
