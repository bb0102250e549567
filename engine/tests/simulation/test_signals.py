"""Events on exact ticks, against the definitions in exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidSpec
from spark_engine.strategies.registry import check_parameters, find

Builds = dict[str, Callable[[], AbstractContextManager[None]]]
MakeCandles = Callable[..., Candles]
TICKS = st.lists(st.integers(min_value=1, max_value=12), min_size=1, max_size=60)


def events(candles: Candles, name: str, **parameters: object) -> list[tuple[int, float]]:
    strategy = find(name)
    decisions = strategy.decide(candles, check_parameters(strategy, parameters))
    return list(zip(decisions.bar.tolist(), decisions.target.tolist(), strict=True))


def from_ticks(ticks: list[int], make_candles: MakeCandles, warmup: int = 0) -> Candles:
    return make_candles(
        [float(tick) for tick in ticks], [float(tick) for tick in ticks], scale=0, warmup=warmup
    )


@given(ticks=TICKS, fast=st.integers(1, 5), gap=st.integers(1, 6), warmup=st.integers(0, 8))
def test_an_average_crosses_where_exact_fractions_say_so(
    ticks: list[int], fast: int, gap: int, warmup: int, make_candles: MakeCandles
) -> None:
    slow, warmup = fast + gap, min(warmup, len(ticks))

    def average(n: int, row: int) -> Fraction:
        return Fraction(sum(ticks[row - n + 1 : row + 1]), n)

    expected = []
    for row in range(max(slow, warmup), len(ticks)):
        now, before = (average(fast, at) - average(slow, at) for at in (row, row - 1))
        if now > 0 and before <= 0:
            expected.append((row - warmup, 1.0))
        elif now < 0 and before >= 0:
            expected.append((row - warmup, -1.0))
    candles = from_ticks(ticks, make_candles, warmup)
    assert events(candles, "sma-cross", fast=fast, slow=slow, direction="long-short") == expected


@given(ticks=TICKS, period=st.integers(2, 6), warmup=st.integers(0, 8))
def test_rsi_crosses_where_wilders_definition_says_so(
    ticks: list[int], period: int, warmup: int, make_candles: MakeCandles
) -> None:
    warmup = min(warmup, len(ticks))
    moves = [after - before for before, after in pairwise(ticks)]
    values: dict[int, float] = {}
    if len(moves) >= period:
        gain = sum(max(move, 0) for move in moves[:period]) / period
        loss = sum(max(-move, 0) for move in moves[:period]) / period
        values[period] = 50.0 if gain + loss == 0 else (100.0 * gain) / (gain + loss)
        for row in range(period + 1, len(ticks)):
            gain = (gain * (period - 1) + max(moves[row - 1], 0)) / period
            loss = (loss * (period - 1) + max(-moves[row - 1], 0)) / period
            values[row] = 50.0 if gain + loss == 0 else (100.0 * gain) / (gain + loss)
    expected = []
    for row in range(max(period + 1, warmup), len(ticks)):
        if values[row] < 35 <= values[row - 1]:
            expected.append((row - warmup, 1.0))
        elif values[row] > 65 >= values[row - 1]:
            expected.append((row - warmup, 0.0))
    candles = from_ticks(ticks, make_candles, warmup)
    assert events(candles, "rsi", period=period, lower=35, upper=65) == expected


@given(ticks=TICKS, warmup=st.integers(0, 8))
def test_both_builds_give_the_same_events(
    ticks: list[int], warmup: int, builds: Builds, make_candles: MakeCandles
) -> None:
    candles = from_ticks(ticks, make_candles, min(warmup, len(ticks)))
    seen = []
    for build in builds.values():
        with build():
            seen.append((events(candles, "sma-cross", fast=2, slow=5), events(candles, "rsi", period=3)))
    assert seen[0] == seen[1]


@pytest.mark.usefixtures("build")
def test_a_tie_is_neither_up_nor_down(make_candles: MakeCandles) -> None:
    touching = from_ticks([5, 5, 5, 4, 4, 5, 5, 5], make_candles)
    assert events(touching, "sma-cross", fast=1, slow=2) == [(3, 0.0), (5, 1.0)]


@pytest.mark.usefixtures("build")
def test_rsi_acts_when_it_leaves_a_bound_on_which_it_stood(make_candles: MakeCandles) -> None:
    at_the_lower = from_ticks([5, 5, 5, 4, 4], make_candles)  # 50, then 0
    assert events(at_the_lower, "rsi", period=2, lower=50, upper=60) == [(3, 1.0)]
    at_the_upper = from_ticks([5, 5, 5, 6, 6], make_candles)  # 50, then 100
    assert events(at_the_upper, "rsi", period=2, lower=40, upper=50) == [(3, 0.0)]


@pytest.mark.usefixtures("build")
def test_rsi_on_its_bound_is_no_signal(make_candles: MakeCandles) -> None:
    rises_then_stands_at_50 = from_ticks([5, 6, 5, 5], make_candles)
    assert events(rises_then_stands_at_50, "rsi", period=2, lower=50, upper=60) == []
    falls_to_the_lower = from_ticks([5, 6, 7, 5], make_candles)  # 100, then 100 * 0.5 / 1.5
    assert events(falls_to_the_lower, "rsi", period=2, lower=(100.0 * 0.5) / 1.5, upper=100) == []


@pytest.mark.usefixtures("build")
def test_a_down_signal_is_flat_or_short_as_the_direction_says(make_candles: MakeCandles) -> None:
    falling = from_ticks([5, 5, 4], make_candles)
    assert events(falling, "sma-cross", fast=1, slow=2) == [(2, 0.0)]
    assert events(falling, "sma-cross", fast=1, slow=2, direction="long-short") == [(2, -1.0)]


@pytest.mark.usefixtures("build")
def test_a_signal_of_the_warm_up_does_not_act_but_feeds_the_averages(make_candles: MakeCandles) -> None:
    ticks = [5, 5, 6, 6, 6, 4]
    assert events(from_ticks(ticks, make_candles), "sma-cross", fast=1, slow=2) == [(2, 1.0), (5, 0.0)]
    assert events(from_ticks(ticks, make_candles, 2), "sma-cross", fast=1, slow=2) == [(0, 1.0), (3, 0.0)]
    assert events(from_ticks(ticks, make_candles, 3), "sma-cross", fast=1, slow=2) == [(2, 0.0)]


@pytest.mark.usefixtures("build")
def test_signals_at_every_bar_are_all_kept(make_candles: MakeCandles) -> None:
    ticks = [5, 6] * 1000
    found = events(from_ticks(ticks, make_candles), "sma-cross", fast=1, slow=2)
    assert [bar for bar, _ in found] == list(range(2, 2000))


@pytest.mark.usefixtures("build")
def test_windows_longer_than_the_data_give_no_signal(make_candles: MakeCandles) -> None:
    candles = from_ticks([5, 6, 7], make_candles)
    assert events(candles, "sma-cross", fast=1, slow=3) == []
    assert events(candles, "rsi", period=3) == []


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize(
    ("name", "parameters", "field"),
    [
        ("sma-cross", {"fast": 5000, "slow": 10_000}, "spec.strategy.params.slow"),
        ("rsi", {"period": 10_000}, "spec.strategy.params.period"),
    ],
)
def test_products_beyond_64_bits_are_refused_by_field(
    name: str, parameters: dict[str, object], field: str, make_candles: MakeCandles
) -> None:
    candles = from_ticks([2**50, 2**50 + 1], make_candles)
    with pytest.raises(InvalidSpec, match=r"at most 8191: shorten the windows") as refusal:
        events(candles, name, **parameters)
    assert refusal.value.field == field


@pytest.mark.usefixtures("build")
def test_the_largest_exact_product_is_accepted(make_candles: MakeCandles) -> None:
    price = 2**52
    candles = from_ticks([price - 1, price - 1, price, price - 1], make_candles)
    found = events(candles, "sma-cross", fast=1, slow=2)
    assert found == [(2, 1.0), (3, 0.0)]
