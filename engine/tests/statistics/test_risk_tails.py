"""Value at risk and expected shortfall against definitions, hand-worked samples and published bounds."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.statistics.risk_tails import (
    BANKRUPT,
    NORMAL_QUANTILES,
    Returns,
    Shape,
    cornish_fisher_expected_shortfall,
    cornish_fisher_value_at_risk,
    historical_expected_shortfall,
    historical_value_at_risk,
    in_domain,
    returns_of,
    shape_of,
    tail_ratio,
)

# 25 returns: the worst are -8, -5, -3 percent
SAMPLE = [-0.08, -0.05, -0.03, *(0.001 * k for k in range(22))]
samples = st.lists(st.floats(-0.5, 0.5, allow_nan=False), min_size=20, max_size=300)


def growth(returns: list[float]) -> list[float]:
    return [1.0 + value for value in returns]


def shaped(skew: float, excess: float, mean: float = 0.0, deviation: float = 0.01) -> Returns:
    """A sample of which only size and shape matter."""
    return Returns([0.0] * 1_000, Shape(mean, deviation, skew, excess))


def test_the_normal_quantiles_are_those_of_the_standard_library() -> None:
    for confidence, quantile in NORMAL_QUANTILES.items():
        assert quantile == pytest.approx(NormalDist().inv_cdf(1 - confidence / 100), abs=1e-14)


def test_of_25_returns_the_second_worst_is_the_value_at_risk_at_95_percent() -> None:
    returns = returns_of(growth(SAMPLE[::-1]))
    assert historical_value_at_risk(returns, 95)["value"] == pytest.approx(0.05)


def test_expected_shortfall_takes_a_fraction_of_the_next_return() -> None:
    returns = returns_of(growth(SAMPLE))
    # 25 * 0.05 = 1.25 returns: the worst whole, the next one to a quarter
    assert historical_expected_shortfall(returns, 95)["value"] == pytest.approx((0.08 + 0.25 * 0.05) / 1.25)


def test_with_whole_tails_expected_shortfall_is_the_mean_of_the_worst() -> None:
    returns = returns_of(growth(SAMPLE[:20]))
    assert historical_expected_shortfall(returns, 95)["value"] == pytest.approx(0.08)
    assert historical_value_at_risk(returns, 95)["value"] == pytest.approx(0.05)


@given(samples)
def test_no_more_than_a_twentieth_of_the_losses_is_above_the_value_at_risk(values: list[float]) -> None:
    returns = returns_of(growth(values))
    level = -sorted(returns.ascending)[len(values) // 20]
    assert historical_value_at_risk(returns, 95)["value"] == pytest.approx(level, rel=1e-11, abs=1e-300)
    assert sum(1 for value in returns.ascending if -value > level) <= len(values) * 0.05
    assert sum(1 for value in returns.ascending if -value >= level) > len(values) * 0.05 - 1e-9


@given(samples)
def test_expected_shortfall_is_at_least_the_value_at_risk(values: list[float]) -> None:
    returns = returns_of(growth(values))
    shortfall = historical_expected_shortfall(returns, 95)["value"]
    assert shortfall >= historical_value_at_risk(returns, 95)["value"] - 1e-12


@given(st.lists(st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)), min_size=20, max_size=80))
def test_expected_shortfall_is_subadditive(pairs: list[tuple[float, float]]) -> None:
    def shortfall(values: list[float]) -> float:
        return float(historical_expected_shortfall(returns_of(growth(values)), 95)["value"])

    both = shortfall([a + b for a, b in pairs])
    assert both <= shortfall([a for a, _ in pairs]) + shortfall([b for _, b in pairs]) + 1e-9


def test_a_tail_without_a_whole_return_has_no_figure() -> None:
    returns = returns_of(growth([0.01, -0.01] * 9 + [0.02]))  # 19
    for figure in (historical_value_at_risk, historical_expected_shortfall, cornish_fisher_value_at_risk):
        assert figure(returns, 95) == {"value": None, "reason": "TooFew"}
    assert tail_ratio(returns)["reason"] == "TooFew"
    assert historical_value_at_risk(BANKRUPT, 95)["reason"] == "Bankrupt"
    assert cornish_fisher_expected_shortfall(BANKRUPT, 95)["reason"] == "Bankrupt"


def test_without_skew_and_excess_the_estimate_is_the_normal_one() -> None:
    normal = NormalDist(0.001, 0.01)
    for confidence in NORMAL_QUANTILES:
        tail = 1 - confidence / 100
        found = cornish_fisher_value_at_risk(shaped(0, 0, mean=0.001), confidence)["value"]
        assert found == pytest.approx(-normal.inv_cdf(tail), rel=1e-11)
        z = NormalDist().inv_cdf(tail)
        shortfall = cornish_fisher_expected_shortfall(shaped(0, 0, mean=0.001), confidence)["value"]
        assert shortfall == pytest.approx(-0.001 + 0.01 * NormalDist().pdf(z) / tail, rel=1e-11)


def expansion(z: float, skew: float, excess: float) -> float:
    return z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36


@pytest.mark.parametrize(("skew", "excess"), [(0.0, 1.0), (-0.5, 1.5), (0.4, 2.0), (-1.0, 4.0)])
@pytest.mark.parametrize("confidence", NORMAL_QUANTILES)
def test_expected_shortfall_is_the_mean_of_the_expansion_over_the_tail(
    skew: float, excess: float, confidence: int
) -> None:
    tail, steps = 1 - confidence / 100, 40_000
    quantiles = (NormalDist().inv_cdf(tail * (k + 0.5) / steps) for k in range(steps))
    mean = sum(expansion(z, skew, excess) for z in quantiles) / steps
    found = cornish_fisher_expected_shortfall(shaped(skew, excess), confidence)["value"]
    assert found == pytest.approx(-0.01 * mean, rel=1e-3)


def test_the_domain_has_the_published_corners() -> None:
    """Maillard 2012: |S| at most 6*(sqrt(2) - 1), K between 0 and 8 for S = 0."""
    widest = 6 * (sqrt(2) - 1)
    at = 4 * (1 + 11 * (widest / 6) ** 2)  # both bounds of K meet there
    assert in_domain(widest - 1e-6, at)
    assert not in_domain(widest + 1e-3, at)
    assert in_domain(0, 0)
    assert in_domain(0, 8)
    assert not in_domain(0, -1e-9)
    assert not in_domain(0, 8 + 1e-9)


def ever_falls(skew: float, excess: float) -> bool:
    values = [expansion(k / 20, skew, excess) for k in range(-2_000, 2_001)]
    return any(after < before - 1e-9 for before, after in pairwise(values))


@given(st.floats(-2.5, 2.5), st.floats(-1, 30))
def test_inside_its_domain_the_expansion_never_falls(skew: float, excess: float) -> None:
    assert not (in_domain(skew, excess) and ever_falls(skew, excess))


@pytest.mark.parametrize(
    ("skew", "excess"), [(0, -0.5), (0, 9), (0, 50), (1, 0), (-1, 1), (1, 12), (2, 6), (-2, 12), (3, 20)]
)
def test_outside_its_domain_the_expansion_falls_somewhere(skew: float, excess: float) -> None:
    assert not in_domain(skew, excess)
    assert ever_falls(skew, excess)


@pytest.mark.parametrize(("skew", "excess"), [(0, 1), (0.5, 1), (-1, 3), (1, 5), (-2, 8), (2.4, 11)])
def test_the_domain_holds_the_moments_of_ordinary_returns(skew: float, excess: float) -> None:
    assert in_domain(skew, excess)


def test_outside_its_domain_there_is_no_estimate() -> None:
    for figure in (cornish_fisher_value_at_risk, cornish_fisher_expected_shortfall):
        assert figure(shaped(0.0, 12.0), 95) == {"value": None, "reason": "OutsideDomain"}


def test_returns_that_do_not_vary_have_no_shape() -> None:
    assert shape_of([0.01] * 50) is None
    assert cornish_fisher_value_at_risk(returns_of([1.0] * 50), 95)["reason"] == "NoVariance"


def test_the_shape_is_that_of_the_textbook() -> None:
    shape = shape_of([1.0, 2.0, 3.0, 4.0, 10.0])  # mean 4; deviations -3 -2 -1 0 6
    assert shape is not None
    assert shape.mean == 4.0
    assert shape.deviation == pytest.approx(sqrt(10.0))
    assert shape.skew == pytest.approx((180 / 5) / 10**1.5)
    assert shape.excess == pytest.approx((1394 / 5) / 100 - 3)


def test_the_tail_ratio_sets_the_gain_of_one_in_twenty_against_the_loss() -> None:
    returns = returns_of(growth([-0.04, -0.02, *[0.0] * 16, 0.03, 0.09]))
    assert tail_ratio(returns)["value"] == pytest.approx(0.03 / 0.02)


def test_without_losses_there_is_no_tail_ratio() -> None:
    assert tail_ratio(returns_of([1.0] * 10 + [1.1] * 20))["reason"] == "NoTail"
