"""The further built-in strategies, against their definitions in exact fractions, on real and small data."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from fractions import Fraction
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.candles import Candles
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.errors import InvalidSpec
from spark_engine.strategies.registry import check_parameters, find

Builds = dict[str, Callable[[], AbstractContextManager[None]]]
MakeCandles = Callable[..., Candles]
Events = list[tuple[int, float]]
Sign = Callable[[int], int]
TICKS = st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=50)
HOUR = 3_600_000
START = 1_577_836_800_000  # 2020-01-01


@pytest.fixture(scope="module")
def real() -> Candles:
    """700 hours of BTCUSDT, from the sample inside the package."""
    return read_candles(
        CandleRequest(
            uri="sample://btcusdt-1h",
            symbol="BTCUSDT",
            timeframe="1h",
            start_ms=START,
            end_ms=START + 700 * HOUR,
            warmup_bars=40,
        )
    )


def events(candles: Candles, name: str, **parameters: object) -> Events:
    strategy = find(name)
    checked = check_parameters(strategy, {"direction": "long-short", **parameters})
    assert strategy.decide is not None
    decisions = strategy.decide(candles, checked)
    return list(zip(decisions.bar.tolist(), decisions.target.tolist(), strict=True))


def from_ticks(ticks: list[int], make_candles: MakeCandles, warmup: int = 0) -> Candles:
    prices = [float(tick) for tick in ticks]
    return make_candles(prices, prices, scale=0, warmup=min(warmup, len(ticks)))


def crossings(candles: Candles, first: int, sign: Sign) -> Events:
    """Where `sign`, defined from row `first` on, becomes +1 or -1 from something else."""
    found = []
    for row in range(max(first + 1, candles.warmup), len(candles)):
        now, before = sign(row), sign(row - 1)
        if now != before and now != 0:
            found.append((row - candles.warmup, float(now)))
    return found


def sign_of(value: Fraction | int) -> int:
    return (value > 0) - (value < 0)


def exponential(values: list[Fraction], n: int) -> list[Fraction]:
    """Of values[n-1:]: the mean of the first n, then weight 2/(n+1), exactly."""
    averages = [sum(values[:n], Fraction(0)) / n]
    for value in values[n:]:
        averages.append(averages[-1] + (value - averages[-1]) * Fraction(2, n + 1))
    return averages


def ema_cross_by_definition(candles: Candles, fast: int, slow: int) -> Events:
    ticks = [Fraction(tick) for tick in candles.ticks_close]
    if len(ticks) < slow:
        return []
    quick, steady = exponential(ticks, fast), exponential(ticks, slow)
    return crossings(candles, slow - 1, lambda row: sign_of(quick[row - fast + 1] - steady[row - slow + 1]))


def macd_by_definition(candles: Candles, fast: int, slow: int, signal: int) -> Events:
    ticks = [Fraction(tick) for tick in candles.ticks_close]
    if len(ticks) < slow + signal:
        return []
    quick, steady = exponential(ticks[slow - fast :], fast), exponential(ticks, slow)
    line = [a - b for a, b in zip(quick, steady, strict=True)]
    smooth = exponential(line, signal)
    first = slow + signal - 2
    return crossings(candles, first, lambda row: sign_of(line[row - slow + 1] - smooth[row - first]))


def bollinger_by_definition(candles: Candles, period: int, width: Fraction) -> Events:
    ticks = candles.ticks_close.tolist()

    def outside(row: int) -> int:
        window = ticks[row - period + 1 : row + 1]
        mean = Fraction(sum(window), period)
        variance = sum((tick - mean) ** 2 for tick in window) / period
        distance = ticks[row] - mean
        return sign_of(distance) if distance**2 > width**2 * variance else 0

    found = []
    for row in range(max(period, candles.warmup), len(ticks)):
        if outside(row - 1) < 0 <= outside(row):
            found.append((row - candles.warmup, 1.0))
        elif outside(row - 1) > 0 >= outside(row):
            found.append((row - candles.warmup, -1.0))
    return found


def donchian_by_definition(candles: Candles, entry: int, leave: int) -> Events:
    high, low, close = candles.high.tolist(), candles.low.tolist(), candles.close.tolist()
    found = []
    for row in range(candles.warmup, len(close)):

        def above(at: int) -> bool:
            return close[at] > max(high[at - entry : at])

        def below(at: int) -> bool:
            return close[at] < min(low[at - leave : at])

        if row > entry and above(row) and not above(row - 1):
            found.append((row - candles.warmup, 1.0))
        elif row > leave and below(row) and not below(row - 1):
            found.append((row - candles.warmup, -1.0))
    return found


def cases(real: Candles) -> Iterator[tuple[Events, Events]]:
    yield events(real, "ema-cross", fast=5, slow=13), ema_cross_by_definition(real, 5, 13)
    yield events(real, "ema-cross"), ema_cross_by_definition(real, 12, 26)
    yield events(real, "macd"), macd_by_definition(real, 12, 26, 9)
    yield events(real, "macd", fast=3, slow=50, signal=1), macd_by_definition(real, 3, 50, 1)
    yield events(real, "bollinger"), bollinger_by_definition(real, 20, Fraction(2))
    yield events(real, "bollinger", period=7, width=1.5), bollinger_by_definition(real, 7, Fraction(3, 2))
    yield events(real, "donchian"), donchian_by_definition(real, 20, 10)
    yield events(real, "donchian", entry=3, exit=60), donchian_by_definition(real, 3, 60)


@pytest.mark.usefixtures("build")
def test_real_candles_give_the_events_of_the_definitions_in_exact_fractions(real: Candles) -> None:
    for found, expected in cases(real):
        assert found == expected
        assert len(found) > 5 or expected == []


def test_the_real_candles_have_warm_up_and_prices_in_ticks(real: Candles) -> None:
    assert real.warmup == 40
    assert real.quality_report.ticks_exact


@given(
    ticks=TICKS,
    period=st.integers(2, 8),
    width=st.sampled_from([0.5, 1.0, 1.5, 2.0]),
    warmup=st.integers(0, 6),
)
def test_a_close_on_a_band_is_not_outside(
    ticks: list[int], period: int, width: float, warmup: int, make_candles: MakeCandles
) -> None:
    candles = from_ticks(ticks, make_candles, warmup)
    expected = bollinger_by_definition(candles, period, Fraction(width))
    assert events(candles, "bollinger", period=period, width=width) == expected


@given(ticks=TICKS, entry=st.integers(1, 7), leave=st.integers(1, 7), warmup=st.integers(0, 6))
def test_a_close_on_the_channel_is_inside(
    ticks: list[int], entry: int, leave: int, warmup: int, make_candles: MakeCandles
) -> None:
    candles = from_ticks(ticks, make_candles, warmup)
    expected = donchian_by_definition(candles, entry, leave)
    assert events(candles, "donchian", entry=entry, exit=leave) == expected


@given(ticks=TICKS, warmup=st.integers(0, 6))
def test_both_builds_give_the_same_events(
    ticks: list[int], warmup: int, builds: Builds, make_candles: MakeCandles
) -> None:
    candles = from_ticks(ticks, make_candles, warmup)
    seen = []
    for build in builds.values():
        with build():
            seen.append(
                [
                    events(candles, "ema-cross", fast=2, slow=3),
                    events(candles, "macd", fast=2, slow=3, signal=2),
                    events(candles, "bollinger", period=3, width=0.7),
                    events(candles, "donchian", entry=2, exit=3),
                ]
            )
    assert seen[0] == seen[1]


@pytest.mark.usefixtures("build")
def test_one_of_five_closes_stands_exactly_two_deviations_out_and_is_no_signal(
    make_candles: MakeCandles,
) -> None:
    ticks = [5, 5, 5, 5, 1, 5, 5]
    assert events(from_ticks(ticks, make_candles), "bollinger", period=5, width=2) == []
    assert events(from_ticks(ticks, make_candles), "bollinger", period=5, width=1.9) == [(5, 1.0)]


@pytest.mark.usefixtures("build")
def test_prices_that_stand_still_have_no_bands_to_leave(make_candles: MakeCandles) -> None:
    assert events(from_ticks([7] * 40, make_candles), "bollinger", period=5, width=0.1) == []
    assert events(from_ticks([7] * 40, make_candles), "ema-cross", fast=2, slow=5) == []
    assert events(from_ticks([7] * 40, make_candles), "macd") == []


def test_bands_agree_with_the_standard_library_on_real_candles(real: Candles) -> None:
    closes = real.close.tolist()
    outside = [0] * len(closes)
    for row in range(19, len(closes)):
        window = closes[row - 19 : row + 1]
        reach = 2 * pstdev(window)
        outside[row] = (closes[row] > fmean(window) + reach) - (closes[row] < fmean(window) - reach)
    ups = [
        row - real.warmup
        for row in range(max(20, real.warmup), len(closes))
        if outside[row - 1] < 0 <= outside[row]
    ]
    assert [bar for bar, target in events(real, "bollinger") if target > 0] == ups


@pytest.mark.usefixtures("build")
def test_a_spread_whose_squares_leave_64_bits_is_refused_by_field(make_candles: MakeCandles) -> None:
    candles = from_ticks([1, 2**31], make_candles)
    with pytest.raises(InvalidSpec, match=r"must be at most 1: shorten it, or set a lower") as refusal:
        events(candles, "bollinger", period=2)
    assert refusal.value.field == "spec.strategy.params.period"


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("name", ["ema-cross", "macd"])
def test_sums_beyond_64_bits_are_refused_by_field(name: str, make_candles: MakeCandles) -> None:
    candles = from_ticks([2**50, 2**50 + 1], make_candles)
    with pytest.raises(InvalidSpec, match="at most 8191: shorten the windows") as refusal:
        events(candles, name, slow=10_000)
    assert refusal.value.field == "spec.strategy.params.slow"


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("name", ["ema-cross", "macd", "bollinger", "donchian"])
def test_windows_longer_than_the_data_give_no_signal(name: str, make_candles: MakeCandles) -> None:
    assert events(from_ticks([5, 6, 7], make_candles), name) == []
    assert events(from_ticks([], make_candles), name) == []


def test_buy_and_hold_buys_at_the_first_bar_after_the_warm_up(real: Candles) -> None:
    strategy = find("buy-and-hold")
    assert strategy.decide is not None
    decisions = strategy.decide(real, check_parameters(strategy, {}))
    assert (decisions.bar.tolist(), decisions.target.tolist()) == ([0], [1.0])


PARAMETERS: dict[str, dict[str, Any]] = {
    "sma-cross": {"fast": 3, "slow": 7},
    "ema-cross": {"fast": 3, "slow": 7},
    "rsi": {"period": 3, "lower": 40, "upper": 60},
    "macd": {"fast": 3, "slow": 5, "signal": 3},
    "bollinger": {"period": 5, "width": 0.5},
    "donchian": {"entry": 3, "exit": 3},
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_no_decision_comes_before_the_rows_of_the_lookback(
    name: str, real: Candles, make_candles: MakeCandles
) -> None:
    strategy = find(name)
    rows = strategy.lookback(check_parameters(strategy, PARAMETERS[name]))
    firsts = []
    for begin in range(0, 400, 7):
        ticks = real.ticks_close[begin : begin + 120].tolist()
        found = events(from_ticks(ticks, make_candles), name, **PARAMETERS[name])
        firsts.append(found[0][0])
    assert min(firsts) == rows


@pytest.mark.parametrize("name", PARAMETERS)
def test_bars_to_come_change_no_event(name: str, real: Candles) -> None:
    whole = events(real, name, **PARAMETERS[name])
    columns = ("ts", "open", "high", "low", "close", "volume", "quality", "ticks_close")
    for rows in range(50, 700, 97):
        begun = replace(real, **{column: getattr(real, column)[:rows] for column in columns})
        last = rows - real.warmup
        assert events(begun, name, **PARAMETERS[name]) == [event for event in whole if event[0] < last]


def test_candles_beyond_the_first_room_for_events_are_all_written(make_candles: MakeCandles) -> None:
    ticks = array("q", [5, 6] * 1000)
    found = events(from_ticks(ticks.tolist(), make_candles), "donchian", entry=1, exit=1)
    assert len(found) == 1998
