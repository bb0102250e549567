"""The statistics of selection, against the numbers that their authors published."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.statistics.selection import (
    SharpeRatios,
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_backtest_length,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_ratios,
)


def trials_of(count: int, annual_variance: float, periods: int = 250) -> SharpeRatios:
    """`count` trials whose annualised Sharpe ratios have that variance."""
    return SharpeRatios(count, count, 0.0, (count - 1) * annual_variance / periods)


class TestBaileyAndLopezDePrado2012:
    """In "The Sharpe ratio efficient frontier": a fund with 24 monthly returns, Sharpe ratio 0.458 a month,
    skew -2.448 and kurtosis 10.164, and the track records that a Sharpe ratio of 2 needs to be above 1."""

    def test_psr_of_the_fund_were_its_returns_normal(self) -> None:
        assert probabilistic_sharpe(0.458, 24, 0.0, 3.0) == pytest.approx(0.982, abs=5e-4)

    def test_psr_of_the_fund_with_its_skew_and_kurtosis(self) -> None:
        assert probabilistic_sharpe(0.458, 24, -2.448, 10.164) == pytest.approx(0.913, abs=5e-4)

    @pytest.mark.parametrize(("periods", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
    def test_years_of_daily_weekly_and_monthly_returns(self, periods: int, years: float) -> None:
        bars = minimum_track_record(2 / sqrt(periods), 0.0, 3.0, 1 / sqrt(periods))
        assert bars is not None
        assert bars / periods == pytest.approx(years, abs=5e-3)


class TestBaileyAndLopezDePrado2014:
    """In "The deflated Sharpe ratio": 1,250 daily returns, annualised Sharpe ratio 2.5 of 250 days, skew -3
    and kurtosis 10, and trials whose annualised Sharpe ratios have the variance 1/2."""

    sharpe = 2.5 / sqrt(250)

    def test_the_best_of_a_hundred_without_skill(self) -> None:
        assert expected_maximum_sharpe(trials_of(100, 0.5)) == pytest.approx(0.1132, abs=5e-5)

    def test_dsr_after_a_hundred_trials(self) -> None:
        found = deflated_sharpe(self.sharpe, 1250, -3.0, 10.0, trials_of(100, 0.5))
        assert found == pytest.approx(0.9004, abs=5e-5)

    def test_dsr_after_forty_six_trials(self) -> None:
        found = deflated_sharpe(self.sharpe, 1250, -3.0, 10.0, trials_of(46, 0.5))
        assert found == pytest.approx(0.9505, abs=5e-5)

    def test_dsr_after_eighty_eight_trials_were_the_returns_normal(self) -> None:
        found = deflated_sharpe(self.sharpe, 1250, 0.0, 3.0, trials_of(88, 0.5))
        assert found == pytest.approx(0.9505, abs=5e-5)


def test_five_years_hold_no_more_than_forty_five_trials_of_sharpe_one() -> None:
    """Bailey, Borwein, Lopez de Prado and Zhu, Notices of the AMS 61(5), 2014."""
    within, beyond = minimum_backtest_length(1.0, 45), minimum_backtest_length(1.0, 46)
    assert within is not None
    assert beyond is not None
    assert within < 5.0 < beyond


def test_a_track_record_of_the_minimum_length_has_just_the_confidence_asked_for() -> None:
    sharpe, skew, kurtosis, benchmark = 0.05, -1.0, 6.0, 0.01
    bars = minimum_track_record(sharpe, skew, kurtosis, benchmark, 0.05)
    assert bars is not None
    before = probabilistic_sharpe(sharpe, int(bars), skew, kurtosis, benchmark)
    after = probabilistic_sharpe(sharpe, int(bars) + 1, skew, kurtosis, benchmark)
    assert before is not None
    assert after is not None
    assert before < 0.95 <= after


def test_more_trials_deflate_more() -> None:
    found = [deflated_sharpe(0.1, 1000, 0.0, 3.0, trials_of(count, 0.5)) for count in (2, 10, 100, 1000)]
    assert all(value is not None for value in found)
    assert found == sorted(found, reverse=True, key=lambda value: value or 0.0)
    assert found[0] != found[-1]


def test_without_another_trial_there_is_nothing_to_deflate_by() -> None:
    assert expected_maximum_sharpe(sharpe_ratios([0.1])) is None
    assert deflated_sharpe(0.1, 1000, 0.0, 3.0, sharpe_ratios([0.1])) is None
    assert minimum_backtest_length(1.0, 1) is None


def test_trials_that_are_all_alike_have_no_variance_to_deflate_by() -> None:
    assert expected_maximum_sharpe(sharpe_ratios([0.1, 0.1, 0.1])) is None


def test_returns_whose_moments_cannot_be_together_have_no_probability() -> None:
    assert probabilistic_sharpe(1.0, 100, 5.0, 3.0) is None  # 1 - 5 + 0.5 < 0
    assert minimum_track_record(1.0, 5.0, 3.0) is None


def test_no_length_is_enough_for_a_ratio_that_is_not_above_the_benchmark() -> None:
    assert minimum_track_record(0.1, 0.0, 3.0, 0.1) is None
    assert minimum_track_record(-0.1, 0.0, 3.0) is None
    assert minimum_backtest_length(0.0, 10) is None


def test_trials_without_a_ratio_count_as_trials_but_have_no_part_in_the_variance() -> None:
    some = sharpe_ratios([0.1, None, 0.3, None])
    assert (some.trials, some.defined) == (4, 2)
    assert some.variance() == pytest.approx(0.02)
    assert sharpe_ratios([None, None]).variance() is None


RATIOS = st.lists(st.none() | st.floats(-1, 1), max_size=20)


@given(RATIOS, RATIOS)
def test_earlier_sweeps_count_as_if_all_had_been_one(
    one: list[float | None], other: list[float | None]
) -> None:
    joined, whole = sharpe_ratios(one).joined(sharpe_ratios(other)), sharpe_ratios(one + other)
    assert (joined.trials, joined.defined) == (whole.trials, whole.defined)
    assert joined.mean == pytest.approx(whole.mean, abs=1e-12)
    assert joined.squares == pytest.approx(whole.squares, abs=1e-12)
