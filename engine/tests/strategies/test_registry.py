"""Strategies by name, and what a spec may pass to them."""

from __future__ import annotations

from typing import Any

import pytest
from spark_engine.errors import InvalidSpec
from spark_engine.strategies.registry import BUILT_IN, check_parameters, find


def refusal(name: str, parameters: dict[str, Any]) -> tuple[str | None, str]:
    with pytest.raises(InvalidSpec) as caught:
        check_parameters(find(name), parameters)
    return caught.value.field, caught.value.message


def test_a_strategy_is_found_by_its_name_and_by_its_alias() -> None:
    assert find("sma-cross").name == find("smaCross").name == "sma-cross"
    assert find("rsi").name == "rsi"


def test_no_name_or_alias_is_taken_twice() -> None:
    names = [name for strategy in BUILT_IN for name in (strategy.name, *strategy.aliases)]
    assert len(names) == len(set(names))


def test_an_unknown_strategy_is_refused_with_the_names_that_exist_and_a_suggestion() -> None:
    with pytest.raises(InvalidSpec) as caught:
        find("sma_cros")
    assert caught.value.field == "spec.strategy.name"
    assert caught.value.message == (
        "there is no strategy 'sma_cros', did you mean 'sma-cross'?; there are: sma-cross, ema-cross, rsi, "
        "bollinger, donchian, macd, buy-and-hold"
    )


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    with pytest.raises(InvalidSpec) as caught:
        find("zzz")
    assert "did you mean" not in caught.value.message


def test_defaults_are_filled_in_the_order_of_the_table() -> None:
    checked = check_parameters(find("rsi"), {"upper": 80})
    assert list(checked.items()) == [("period", 14), ("lower", 30), ("upper", 80), ("direction", "long")]


@pytest.mark.parametrize("value", [9, 9.0])
def test_a_whole_number_may_be_written_with_a_point(value: float) -> None:
    checked = check_parameters(find("sma-cross"), {"fast": value, "slow": 21})
    assert checked["fast"] == 9
    assert isinstance(checked["fast"], int)


def test_a_number_may_have_decimals() -> None:
    assert check_parameters(find("rsi"), {"lower": 25.5})["lower"] == 25.5


def test_a_missing_parameter_is_named_with_what_is_allowed() -> None:
    assert refusal("sma-cross", {"fast": 9}) == (
        "spec.strategy.params.slow",
        "is required: a whole number from 1 to 10000",
    )


def test_null_counts_as_missing() -> None:
    assert refusal("sma-cross", {"fast": None, "slow": 21})[0] == "spec.strategy.params.fast"


def test_an_unknown_parameter_is_refused_with_a_suggestion() -> None:
    assert refusal("sma-cross", {"fast": 9, "slow": 21, "fsat": 3}) == (
        "spec.strategy.params.fsat",
        "sma-cross has no such parameter, did you mean 'fast'?; it has: fast, slow, direction",
    )


@pytest.mark.parametrize(
    "value", [True, "9", 9.5, 0, -1, 10_001, float("nan"), float("inf"), 10**400, [9], {"value": 9}]
)
def test_anything_but_a_whole_number_in_range_is_refused(value: object) -> None:
    field, message = refusal("sma-cross", {"fast": value, "slow": 21})
    assert field == "spec.strategy.params.fast"
    assert message == f"must be a whole number from 1 to 10000, is {value!r}"


@pytest.mark.parametrize("value", [True, "30", -0.1, 100.1, float("nan"), 10**400])
def test_anything_but_a_number_in_range_is_refused(value: object) -> None:
    field, message = refusal("rsi", {"lower": value})
    assert field == "spec.strategy.params.lower"
    assert message == f"must be a number from 0 to 100, is {value!r}"


@pytest.mark.parametrize("value", ["short", "Long", 1, True, ["long"]])
def test_a_choice_that_is_not_offered_is_refused(value: object) -> None:
    assert refusal("rsi", {"direction": value}) == (
        "spec.strategy.params.direction",
        f"must be one of long, long-short, is {value!r}",
    )


@pytest.mark.parametrize(("fast", "slow"), [(21, 21), (21, 9)])
def test_fast_must_be_smaller_than_slow(fast: int, slow: int) -> None:
    assert refusal("sma-cross", {"fast": fast, "slow": slow}) == (
        "spec.strategy.params.fast",
        f"fast must be smaller than slow: fast is {fast}, slow is {slow}",
    )


def test_lower_must_be_smaller_than_the_default_of_upper_too() -> None:
    assert refusal("rsi", {"lower": 70})[0] == "spec.strategy.params.lower"


def test_the_caller_keeps_its_parameters_as_they_were() -> None:
    given = {"fast": 9.0, "slow": 21}
    check_parameters(find("sma-cross"), given)
    assert given == {"fast": 9.0, "slow": 21}
