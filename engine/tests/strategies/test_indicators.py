"""Incremental indicators, against plain definitions over whole columns, in both builds."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from statistics import fmean, pstdev, stdev
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.candles import Candles
from spark_engine.strategies import indicators

Definition = Callable[[list[float], int], float]
PRICES = st.lists(st.floats(1.0, 1e6, allow_nan=False), min_size=1, max_size=80)


def uncompiled() -> ModuleType:
    source = Path(str(indicators.__file__)).with_name("indicators.py")
    spec = spec_from_loader("plain_indicators", SourceFileLoader("plain_indicators", str(source)))
    assert spec is not None and spec.loader is not None
    loaded = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


BUILDS = {"compiled": indicators, "uncompiled": uncompiled()}


@pytest.fixture(params=BUILDS)
def build(request: pytest.FixtureRequest) -> ModuleType:
    return BUILDS[request.param]


def test_the_module_is_compiled_and_its_twin_is_not() -> None:
    assert not str(indicators.__file__).endswith(".py"), "not compiled: run make"
    assert str(BUILDS["uncompiled"].__file__).endswith(".py")


WINDOWS: dict[str, Definition] = {
    "SMA": lambda values, n: fmean(values[-n:]),
    "Highest": lambda values, n: max(values[-n:]),
    "Lowest": lambda values, n: min(values[-n:]),
    "StandardDeviation": lambda values, n: pstdev(values[-n:]),
}


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("length", [1, 2, 7, 20])
def test_a_window_is_that_of_the_definition_on_real_closes(
    name: str, length: int, build: ModuleType, sample: Candles
) -> None:
    closes = sample.close.tolist()[:600]
    indicator = getattr(build, name)(length)
    for row, close in enumerate(closes):
        value = indicator.update(close)
        assert indicator.ready == (row >= length - 1)
        assert value == indicator.value or math.isnan(value)
        if indicator.ready:
            expected = WINDOWS[name](closes[: row + 1], length)
            assert value == pytest.approx(expected, rel=1e-11, abs=1e-7)
        else:
            assert math.isnan(indicator.value)


def test_a_long_run_does_not_pile_up_rounding_errors(sample: Candles) -> None:
    closes = sample.close.tolist() * 20
    average, deviation = indicators.SMA(50), indicators.StandardDeviation(50)
    for close in closes:
        average.update(close)
        deviation.update(close)
    assert average.value == pytest.approx(fmean(closes[-50:]), rel=1e-14)
    assert deviation.value == pytest.approx(pstdev(closes[-50:]), rel=1e-11)


def test_the_deviation_of_a_sample_divides_by_one_less(build: ModuleType) -> None:
    indicator = build.StandardDeviation(4, ddof=1)
    indicator.feed([3.0, 1.0, 4.0, 1.0, 5.0])
    assert indicator.value == pytest.approx(stdev([1.0, 4.0, 1.0, 5.0]), rel=1e-15)


def test_an_exponential_average_starts_with_a_mean(build: ModuleType) -> None:
    indicator = build.EMA(3)
    seen = [indicator.update(value) for value in (1.0, 2.0, 6.0, 5.0, 1.0)]
    assert all(map(math.isnan, seen[:2]))
    assert seen[2:] == [3.0, 4.0, 2.5]


def test_rsi_and_atr_are_wilders(build: ModuleType) -> None:
    rsi = build.RSI(2)
    seen = [rsi.update(value) for value in (5.0, 6.0, 5.0, 7.0)]
    assert all(map(math.isnan, seen[:2]))
    assert seen[2] == 50.0  # gain 0.5, loss 0.5
    assert seen[3] == (100.0 * 1.25) / (1.25 + 0.25)
    atr = build.ATR(2)
    bars = [(10.0, 9.0, 9.5), (12.0, 11.0, 11.5), (11.0, 10.0, 10.5), (10.5, 10.0, 10.0)]
    ranges = [atr.update(*bar) for bar in bars]
    assert all(map(math.isnan, ranges[:2]))
    assert ranges[2] == (2.5 + 1.5) / 2
    assert ranges[3] == (2.0 * 1 + 0.5) / 2


def test_rsi_agrees_with_the_built_in(sample: Candles) -> None:
    from spark_engine.strategies.registry import check_parameters, find

    strategy = find("rsi")
    assert strategy.decide is not None
    decisions = strategy.decide(sample, check_parameters(strategy, {}))
    rsi = indicators.RSI(14)
    values = [rsi.update(close) for close in sample.close.tolist()]
    ups = [
        row - sample.warmup
        for row in range(sample.warmup, len(values))
        if values[row] < 30 <= values[row - 1]
    ]
    found = zip(decisions.bar.tolist(), decisions.target.tolist(), strict=True)
    assert [bar for bar, target in found if target > 0] == ups


@given(prices=PRICES, length=st.integers(1, 9))
def test_both_builds_give_the_same_bits(prices: list[float], length: int) -> None:
    names = ("SMA", "EMA", "RSI", "Highest", "Lowest", "StandardDeviation")
    pairs = [tuple(getattr(build, name)(length) for build in BUILDS.values()) for name in names]
    ranges = [build.ATR(length) for build in BUILDS.values()]
    for price in prices:
        for one, other in pairs:
            assert repr(one.update(price)) == repr(other.update(price))
        one, other = (atr.update(price + 1.0, price - 0.5, price) for atr in ranges)
        assert repr(one) == repr(other)


def test_feeding_is_updating(build: ModuleType) -> None:
    one, other = build.ATR(2), build.ATR(2)
    columns = ([3.0, 4.0, 5.0], [1.0, 2.0, 2.5], [2.0, 3.0, 4.0])
    one.feed(*columns)
    for bar in zip(*columns, strict=True):
        other.update(*bar)
    assert one.value == other.value


@pytest.mark.parametrize("name", ["SMA", "EMA", "RSI", "ATR", "Highest", "Lowest", "StandardDeviation"])
def test_a_length_below_one_is_refused(name: str, build: ModuleType) -> None:
    with pytest.raises(ValueError, match=f"{name}: length must be a whole number of at least 1, is 0"):
        getattr(build, name)(0)


def test_one_value_has_no_deviation_of_a_sample(build: ModuleType) -> None:
    with pytest.raises(ValueError, match="at least 2, is 1"):
        build.StandardDeviation(1, ddof=1)
    with pytest.raises(ValueError, match="ddof must be 0 or 1, is 2"):
        build.StandardDeviation(5, ddof=2)
