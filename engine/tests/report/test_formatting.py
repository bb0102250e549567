"""Numbers as a reader sees them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.report import formatting
from spark_engine.report.scale import LinearScale, LogScale, TimeScale, padded

any_float = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00"), (1234567.891, "1,234,567.89"), (-0.5, "−0.5"), (1e-8, "1e−8"), (-0.0001, "−0.0001")],
)
def test_money_keeps_two_decimals_and_never_hides_a_small_amount(value: float, text: str) -> None:
    assert formatting.money(value) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0, "0.00%"), (0.12345, "12.35%"), (-0.5, "−50.00%"), (0.00001, "0.001%"), (150, "15,000%")],
)
def test_fractions_are_shown_as_percent(fraction: float, text: str) -> None:
    assert formatting.percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (90, "1 min 30 s"), (3600, "1 h"), (93_600, "1 d 2 h"), (86_400, "1 d")]
)
def test_durations_name_their_two_largest_units(seconds: float, text: str) -> None:
    assert formatting.duration(seconds) == text


def test_times_are_utc_to_the_minute_and_seconds_only_where_needed() -> None:
    assert formatting.utc(1_706_706_000_000) == "2024-01-31 13:00"
    assert formatting.utc(1_706_706_030_000) == "2024-01-31 13:00:30"


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert formatting.number(-0.001, 2) == "0.00"


def test_a_column_shows_enough_decimals_for_its_smallest_value() -> None:
    decimals = formatting.column_decimals([3000.5, 73_000.25])
    assert [formatting.aligned(value, decimals) for value in (3000.5, 73_000.25)] == ["3,000.50", "73,000.25"]


@given(any_float)
def test_every_float_has_a_text(value: float) -> None:
    for show in (formatting.money, formatting.percent, formatting.signed_percent, formatting.number):
        assert show(value)
    assert formatting.significant(value, 5)
    assert formatting.aligned(value, formatting.column_decimals([value]))


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=30))
def test_all_values_lie_within_their_padded_scale(values: list[float]) -> None:
    scale = padded(values)
    assert all(0 <= scale.place(value) <= 1 for value in values)
    assert len(scale.ticks()) <= 7


@given(st.floats(1e-12, 1e12), st.floats(1.0, 1e12))
def test_a_logarithmic_scale_has_its_ticks_in_range_and_in_order(low: float, ratio: float) -> None:
    scale = padded([low, low * ratio], log=True)
    assert isinstance(scale, LogScale)
    places = [tick.at for tick in scale.ticks()]
    assert places == sorted(places)
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
    assert len(places) <= 12


@given(st.integers(0, 4_000_000_000_000), st.integers(1_000, 4_000_000_000_000))
def test_a_time_axis_has_few_labels_and_never_the_same_twice_in_a_row(start: int, length: int) -> None:
    ticks = TimeScale(start, start + length).ticks()
    assert len(ticks) <= 10
    assert all(0 <= tick.at <= 1 for tick in ticks)
    labels = [tick.label for tick in ticks]
    assert all(before != after for before, after in pairwise(labels))


def test_neighbouring_ticks_are_told_apart_by_their_labels() -> None:
    for low, high in ((0.0, 1e-8), (1.00001, 1.00002), (1e9, 1.0000001e9), (-3.0, 2.0), (5e12, 6e12)):
        labels = [tick.label for tick in LinearScale(low, high).ticks()]
        assert len(labels) == len(set(labels)) >= 2
