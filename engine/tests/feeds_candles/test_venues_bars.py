"""When a venue's bar and ours are of the same trades."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from spark_engine.feeds.candles.history import contains, mended, says_the_same
from spark_engine.feeds.market import Candle, Quality

HUGE = 33_197_947_059_992_666  # steps of 1e-10: a float holds it to 4 of them
OURS = Candle(
    symbol="AADUSDT", timeframe="1m", ts_ms=0, open=1942, high=1960, low=1941, close=1960, volume=HUGE,
    price_scale=4, quantity_scale=10, trades=163,
)  # fmt: skip
THEIRS = replace(OURS, source="history", trades=None)


@pytest.mark.parametrize("noise", [-4, 0, 2, 8])
def test_the_noise_of_a_float_is_no_trade(noise: int) -> None:
    told = replace(THEIRS, volume=HUGE + noise)
    assert says_the_same(OURS, told)
    assert contains(told, OURS)
    assert not mended(OURS, told).disagrees


@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
def test_another_price_is_another_bar(field: str) -> None:
    assert not says_the_same(OURS, replace(THEIRS, **{field: getattr(THEIRS, field) + 1}))


def test_a_small_trade_more_is_another_bar() -> None:
    told = replace(THEIRS, volume=HUGE + 1_000)
    assert not says_the_same(OURS, told)
    assert contains(told, OURS)
    assert not contains(OURS, told)


@pytest.mark.parametrize(("ours", "theirs", "same", "within"), [
    (None, None, True, True), (None, THEIRS, False, True), (OURS, None, False, False),
])  # fmt: skip
def test_a_bar_that_is_missing(ours: Any, theirs: Any, same: bool, within: bool) -> None:
    assert says_the_same(ours, theirs) is same
    assert contains(theirs, ours) is within


def test_a_partial_bar_is_replaced_in_spite_of_the_noise() -> None:
    partial = replace(OURS, quality=Quality.PARTIAL)
    found = mended(partial, replace(THEIRS, volume=HUGE - 2))
    assert found.candle is not None
    assert found.candle.source == "merged"
