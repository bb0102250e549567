"""Index to parameters: a pure function of the spec, exact, in the order of the spec, and never a list."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_crds.sweeps.axis import axes
from spark_engine.errors import InvalidSpec
from spark_engine.sweeps.space import Grid, space

Sweep = Callable[..., dict[str, Any]]


def values(sweep: Sweep, parameter: dict[str, Any], integers: tuple[str, ...] = ()) -> list[Any]:
    found = space(sweep([{"name": "xx", **parameter}]), integers)
    return [found.values(trial)[0] for trial in range(found.size)]


def test_the_last_parameter_varies_fastest(sweep: Sweep) -> None:
    found = space(sweep([{"name": "aa", "values": [1, 2]}, {"name": "bb", "values": ["x", "y", "z"]}]))
    assert found.names == ("aa", "bb")
    assert [found.values(trial) for trial in range(found.size)] == [
        (1, "x"),
        (1, "y"),
        (1, "z"),
        (2, "x"),
        (2, "y"),
        (2, "z"),
    ]
    assert found.parameters(3) == {"aa": 2, "bb": "x"}


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_a_grid_is_the_product_of_its_axes(counts: list[int]) -> None:
    parameters = [{"name": f"p{number}", "values": list(range(count))} for number, count in enumerate(counts)]
    grid = Grid(axes(parameters))
    assert [grid.values(trial) for trial in range(grid.size)] == list(
        itertools.product(*(range(count) for count in counts))
    )


def test_a_range_has_both_ends_where_the_steps_meet_them(sweep: Sweep) -> None:
    assert values(sweep, {"range": {"start": 5, "stop": 20, "step": 5}}) == [5, 10, 15, 20]
    assert values(sweep, {"range": {"start": 5, "stop": 19, "step": 5}}) == [5, 10, 15]
    assert values(sweep, {"range": {"start": 5, "stop": 5, "step": 1}}) == [5]
    assert values(sweep, {"range": {"start": "-1", "stop": 1, "step": "0.5"}}) == [-1, -0.5, 0, 0.5, 1]


def test_steps_do_not_add_up_errors_as_floats_would(sweep: Sweep) -> None:
    found = values(sweep, {"range": {"start": "0.1", "stop": "1.0", "step": "0.1"}})
    assert found == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    assert [type(value) for value in found] == [float] * 9 + [int]


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**9), st.integers(0, 9), st.integers(0, 1000))
def test_a_value_of_a_range_is_the_float_nearest_to_the_decimal(
    first: int, step: int, digits: int, index: int
) -> None:
    start, distance = Decimal(first).scaleb(-digits), Decimal(step).scaleb(-digits)
    stop = start + 1000 * distance
    bounds = {"start": f"{start:f}", "stop": f"{stop:f}", "step": f"{distance:f}"}
    (axis,) = axes([{"name": "xx", "range": bounds}])
    assert len(axis) == 1001
    assert axis.value_at(index) == float(start + index * distance)


def test_values_of_thirty_six_digits_are_rounded_once(sweep: Sweep) -> None:
    start = "123456789012345678.000000000000000001"
    (first,) = values(sweep, {"range": {"start": start, "stop": start, "step": 1}})
    assert first == float(Decimal(start))


def test_a_log_range_has_equal_factors_and_both_ends(sweep: Sweep) -> None:
    assert values(sweep, {"logRange": {"start": 1, "stop": 1000, "num": 4}}) == [1, 10, 100, 1000]
    found = values(sweep, {"logRange": {"start": "0.001", "stop": 10, "num": 9}})
    assert (found[0], found[-1]) == (0.001, 10)
    assert found[1] == 0.00316227766017  # 10^-2.5, to 12 digits


def test_a_log_range_of_an_integer_parameter_is_rounded_half_to_even_and_has_no_value_twice(
    sweep: Sweep,
) -> None:
    log_range = {"logRange": {"start": 1, "stop": "6.25", "num": 3}}  # 1, 2.5, 6.25
    assert values(sweep, log_range) == [1, 2.5, 6.25]
    assert values(sweep, log_range, ("xx",)) == [1, 2, 6]
    assert values(sweep, {"logRange": {"start": 1, "stop": 4, "num": 9}}, ("xx",)) == [1, 2, 3, 4]


def test_a_log_range_does_not_depend_on_the_decimal_context(sweep: Sweep) -> None:
    parameter = {"logRange": {"start": "0.07", "stop": 9, "num": 100}}
    expected = values(sweep, parameter)
    with localcontext() as context:
        context.prec = 5
        assert values(sweep, parameter) == expected


def test_a_whole_number_is_an_integer_however_it_is_written(sweep: Sweep) -> None:
    found = values(sweep, {"values": [5.0, 0.5, True, "5"]})
    assert found == [5, 0.5, True, "5"]
    assert [type(value) for value in found] == [int, float, bool, str]


def test_sets_keep_their_order_and_their_names(sweep: Sweep) -> None:
    found = space(sweep(sets=[{"aa": 1, "bb": 2}, {"bb": 4, "aa": 3}]))
    assert [found.parameters(trial) for trial in (0, 1)] == [{"aa": 1, "bb": 2}, {"aa": 3, "bb": 4}]


def test_the_id_of_a_trial_does_not_depend_on_the_condition(sweep: Sweep) -> None:
    parameters = [{"name": "aa", "values": [1, 2, 3]}, {"name": "bb", "values": [1, 2, 3]}]
    everything, some = space(sweep(parameters)), space(sweep(parameters, where="aa < bb"))
    assert list(everything.trials()) == list(range(9))
    assert list(some.trials()) == [1, 2, 5]
    assert [some.parameters(trial) for trial in some.trials()] == [
        everything.parameters(trial) for trial in (1, 2, 5)
    ]


def test_ten_million_sets_are_no_list(sweep: Sweep) -> None:
    found = space(
        sweep(
            [
                {"name": "aa", "range": {"start": 1, "stop": 1000, "step": 1}},
                {"name": "bb", "range": {"start": "0.0001", "stop": 1, "step": "0.0001"}},
            ],
            where="aa * bb < 100",
        )
    )
    assert found.size == 10_000_000
    assert found.values(9_999_999) == (1000, 1)
    assert list(found.trials(4_000_000, 4_000_002)) == [4_000_000, 4_000_001]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_any_stretch_of_a_grid_is_walked_as_if_set_by_set(counts: list[int], data: st.DataObject) -> None:
    grid = Grid(axes([{"name": f"p{n}", "values": list(range(count))} for n, count in enumerate(counts)]))
    start = data.draw(st.integers(0, grid.size))
    stop = data.draw(st.integers(start, grid.size))
    assert list(grid.exact_rows(start, stop)) == [(trial, grid.exact(trial)) for trial in range(start, stop)]


def test_a_division_by_zero_is_an_error_of_the_spec_when_it_is_met(sweep: Sweep) -> None:
    found = space(sweep([{"name": "aa", "values": [1, 0]}], where="1 / aa > 0"))
    assert found.is_trial(0)
    with pytest.raises(InvalidSpec, match="divides by zero at aa = 0"):
        list(found.trials())


def test_more_sets_than_ten_million_are_refused_by_field() -> None:
    # past the resolver, as a spec that nobody resolved
    step = {"start": "0", "stop": "1", "step": "0.0001"}
    parameters = [{"name": "aa", "range": step}, {"name": "bb", "range": step}]
    with pytest.raises(InvalidSpec, match="100020001 sets; at most 10000000") as caught:
        space({"parameters": parameters})
    assert caught.value.field == "spec.parameters"


def test_the_form_in_which_a_range_is_written_makes_no_difference(sweep: Sweep) -> None:
    one = sweep([{"name": "xx", "range": {"start": 5, "stop": "20.0", "step": "05"}}])
    other = sweep([{"name": "xx", "range": {"start": "5", "stop": 20, "step": 5}}])
    assert one == other
