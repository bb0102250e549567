"""Each metric against numbers worked by hand, and each reason for its absence."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest
from spark_engine.simulation.ledger import Moments
from spark_engine.statistics.definitions import DEFINITIONS
from spark_engine.statistics.figures import DAY_MS, Figures, TradeSums
from spark_engine.statistics.metrics import ROWS, annual_periods, metrics_of

RETURNS = [0.1, -0.05, 0.02, -0.01]
MEAN = 0.06 / 4
DEVIATIONS = [value - MEAN for value in RETURNS]


def power_sum(power: int) -> float:
    return sum(value**power for value in RETURNS)


FIGURES = Figures(
    bars=5,
    span_ms=730 * DAY_MS,
    initial_cash=100.0,
    final_equity=121.0,
    final_equity_liquidated=120.0,
    equity_sum=550.0,
    moments=Moments(
        s1=power_sum(1),
        s2=power_sum(2),
        s3=power_sum(3),
        s4=power_sum(4),
        d2=0.05**2 + 0.01**2,
        min_equity=95.0,
        max_drawdown=0.05,
        max_drawdown_bars=2,
        max_drawdown_seconds=7200,
        bars_in_position=3,
    ),
    daily_returns=3,
    daily_s1=0.06,
    daily_s2=0.0014,
    trades=TradeSums(
        count=4, wins=2, losses=1, gained=30.0, lost=-10.0, total=20.0, best=25.0, worst=-10.0, bars=10
    ),
    total_fees=3.0,
    total_slippage=2.0,
    turnover_notional=440.0,
    periods_per_year=16.0,
)


def value(name: str, figures: Figures = FIGURES) -> float | None:
    return metrics_of(figures)[name].value


def reason(name: str, figures: Figures) -> str | None:
    metric = metrics_of(figures)[name]
    assert metric.value is None
    return metric.reason


def with_moments(**changes: float) -> Figures:
    return replace(FIGURES, moments=replace(FIGURES.moments, **changes))


VARIANCE = sum(deviation**2 for deviation in DEVIATIONS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("finalEquity", 121.0),
        ("finalEquityLiquidated", 120.0),
        ("totalReturn", 0.21),
        ("cagr", 0.1),  # 21 % in two years
        ("volatility", sqrt(VARIANCE / 3) * 4),
        ("sharpe", MEAN / sqrt(VARIANCE / 3) * 4),
        ("sortino", MEAN / sqrt(0.0026 / 4) * 4),
        ("maxDrawdown", 0.05),
        ("maxDrawdownBars", 2),
        ("maxDrawdownSeconds", 7200),
        ("calmar", 2.0),
        ("trades", 4),
        ("winRate", 0.5),
        ("profitFactor", 3.0),
        ("expectancy", 5.0),
        ("avgWin", 15.0),
        ("avgLoss", -10.0),
        ("bestTrade", 25.0),
        ("worstTrade", -10.0),
        ("avgTradeBars", 2.5),
        ("exposure", 0.6),
        ("turnover", 4.0),
        ("totalFees", 3.0),
        ("totalFunding", 0.0),
        ("totalSlippage", 2.0),
        ("skew", sum(d**3 for d in DEVIATIONS) / 4 / (VARIANCE / 4) ** 1.5),
        ("kurtosis", sum(d**4 for d in DEVIATIONS) / 4 / (VARIANCE / 4) ** 2),
        ("sharpeDaily", 0.02 / sqrt((0.0014 - 0.06**2 / 3) / 2) * sqrt(365)),
    ],
)
def test_a_metric_has_the_value_worked_by_hand(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected, rel=1e-11)


def test_every_metric_is_tested_above_and_defined() -> None:
    tested = {argument[0] for argument in test_a_metric_has_the_value_worked_by_hand.pytestmark[0].args[1]}
    assert tested == set(DEFINITIONS) == {name for name, _ in ROWS}
    assert [name for name, _ in ROWS] == list(DEFINITIONS)


def test_definition_ids_carry_the_name_and_a_version() -> None:
    assert DEFINITIONS["sharpe"].definition == "sharpe/v1"
    assert all(entry.definition.startswith(f"{name}/v") for name, entry in DEFINITIONS.items())


def test_values_have_twelve_significant_digits() -> None:
    assert value("finalEquity", replace(FIGURES, final_equity=1234.567890123456)) == 1234.56789012
    assert value("totalReturn", replace(FIGURES, final_equity=100.0 + 1e-9)) == 1.00000008274e-11


def test_counts_are_integers_and_no_value_is_negative_zero() -> None:
    assert isinstance(value("trades"), int)
    assert str(value("totalFees", replace(FIGURES, total_fees=-0.0))) == "0.0"


def test_fewer_than_two_returns_are_too_short() -> None:
    short = replace(FIGURES, bars=2)
    for name in ("volatility", "sharpe", "sortino", "skew", "kurtosis"):
        assert reason(name, short) == "TooShort"


def test_returns_that_hardly_vary_have_no_ratio_but_a_volatility() -> None:
    constant = with_moments(s1=0.4, s2=0.04, s3=0.004, s4=0.0004)
    for name in ("sharpe", "sortino", "skew", "kurtosis"):
        assert reason(name, constant) == "NoVariance"
    assert value("volatility", constant) == pytest.approx(0.0, abs=1e-7)


def test_no_returns_at_all_are_no_variance() -> None:
    flat = with_moments(s1=0.0, s2=0.0, s3=0.0, s4=0.0, d2=0.0)
    assert reason("sharpe", flat) == "NoVariance"
    assert value("volatility", flat) == 0.0


@pytest.mark.parametrize("least", [0.0, -5.0])
def test_a_bankrupt_account_has_no_metric_of_returns(least: float) -> None:
    for name in ("volatility", "sharpe", "sortino", "skew", "kurtosis", "sharpeDaily"):
        assert reason(name, with_moments(min_equity=least)) == "Bankrupt"


def test_only_rises_have_no_sortino() -> None:
    assert reason("sortino", with_moments(d2=0.0)) == "NoDownside"


def test_growth_needs_a_day_and_something_left() -> None:
    assert reason("cagr", replace(FIGURES, span_ms=DAY_MS - 1)) == "TooShort"
    assert reason("cagr", replace(FIGURES, final_equity=0.0)) == "Bankrupt"
    assert reason("calmar", replace(FIGURES, span_ms=DAY_MS - 1)) == "TooShort"
    assert value("cagr", replace(FIGURES, span_ms=DAY_MS)) == pytest.approx(1.21**365 - 1, rel=1e-11)


def test_growth_beyond_a_float_is_absent() -> None:
    assert reason("cagr", replace(FIGURES, span_ms=DAY_MS, final_equity=1e9)) == "Overflow"


def test_no_drawdown_has_no_calmar() -> None:
    assert reason("calmar", with_moments(max_drawdown=0.0)) == "NoDrawdown"


def test_without_trades_there_is_nothing_to_say_of_them() -> None:
    none = replace(FIGURES, trades=None)
    assert value("trades", none) == 0
    for name in ("winRate", "profitFactor", "expectancy", "avgWin", "avgLoss", "bestTrade", "avgTradeBars"):
        assert reason(name, none) == "NoTrades"


def test_without_losses_or_wins_their_means_are_absent() -> None:
    trades = FIGURES.trades
    assert trades is not None
    winning = replace(FIGURES, trades=replace(trades, losses=0, lost=0.0))
    losing = replace(FIGURES, trades=replace(trades, wins=0, gained=0.0))
    assert reason("profitFactor", winning) == reason("avgLoss", winning) == "NoLosses"
    assert reason("avgWin", losing) == "NoWins"
    assert value("profitFactor", losing) == 0.0


def test_turnover_needs_positive_mean_equity() -> None:
    assert reason("turnover", replace(FIGURES, equity_sum=0.0)) == "Bankrupt"


def test_daily_sharpe_needs_two_daily_returns() -> None:
    assert reason("sharpeDaily", replace(FIGURES, daily_returns=1)) == "TooShort"


def test_a_year_has_365_days_of_the_timeframe_unless_the_spec_says_otherwise() -> None:
    assert annual_periods(3_600_000, None) == 8760.0
    assert annual_periods(60_000, None) == 525_600.0
    assert annual_periods(DAY_MS, 252.0) == 252.0
