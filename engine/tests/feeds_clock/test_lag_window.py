"""Percentiles of lag in bounded memory."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.clock.lag import LARGEST_MS, SMALLEST_MS, LagWindow

SECOND = 1_000_000_000


@given(
    st.lists(st.floats(SMALLEST_MS, LARGEST_MS), min_size=1, max_size=200),
    st.sampled_from([50.0, 95.0, 99.0]),
)
def test_a_percentile_is_within_two_percent(lags: list[float], percent: float) -> None:
    window = LagWindow()
    for lag in lags:
        window.add(0, lag)
    exact = sorted(lags)[ceil(len(lags) * percent / 100) - 1]
    assert window.percentiles(0, (percent,)) == (pytest.approx(exact, rel=0.0201),)


def test_without_samples_there_are_no_percentiles() -> None:
    window = LagWindow(300)
    assert window.percentiles(0) is None
    window.add(0, 5.0)
    assert window.percentiles(1000 * SECOND) is None
    assert window.count(1000 * SECOND) == 0


@pytest.mark.parametrize(("before", "after"), [(1000.0, 10.0), (10.0, 1000.0)])
def test_samples_leave_the_window_with_time(before: float, after: float) -> None:
    window = LagWindow(300)
    for second in range(600):
        window.add(second * SECOND, before if second < 300 else after)
    assert 290 <= window.count(599 * SECOND) <= 300
    assert window.percentiles(599 * SECOND, (1.0, 99.0)) == pytest.approx((after, after), rel=0.02)


@given(st.lists(st.tuples(st.integers(-50, 500), st.floats(0, 1e6)), max_size=100))
def test_every_sample_counts_once_whatever_time_does(samples: list[tuple[int, float]]) -> None:
    window, latest = LagWindow(1000), 0
    for second, lag in samples:
        window.add(second * SECOND, lag)
        latest = max(latest, second)
    assert window.count(latest * SECOND) == len(samples)


def test_what_is_out_of_range_counts_at_its_end() -> None:
    window = LagWindow()
    window.add(0, -5.0)
    assert window.percentiles(0, (50.0,)) == (SMALLEST_MS,)
    window.add(0, float("inf"))
    assert window.percentiles(0, (99.0,)) == (pytest.approx(LARGEST_MS, rel=0.03),)


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a number"):
        LagWindow().add(0, float("nan"))
