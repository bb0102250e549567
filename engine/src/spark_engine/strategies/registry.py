"""Strategies by name, and the check of what a spec passes to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spark_engine.errors import InvalidSpec
from spark_engine.strategies import bollinger, buy_and_hold, donchian, ema_cross, macd, rsi, sma_cross
from spark_engine.strategies.table import Parameter, Parameters, Strategy, Value

__all__ = ["BUILT_IN", "Strategy", "check_parameters", "find"]

BUILT_IN: tuple[Strategy, ...] = (
    sma_cross.STRATEGY,
    ema_cross.STRATEGY,
    rsi.STRATEGY,
    bollinger.STRATEGY,
    donchian.STRATEGY,
    macd.STRATEGY,
    buy_and_hold.STRATEGY,
)

NOUNS = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "a text"}


def find(name: str) -> Strategy:
    """The built-in strategy of that name or alias. Raises `InvalidSpec` with the names that exist."""
    strategy = built_in(name)
    if strategy is None:
        raise unknown(name, [strategy.name for strategy in BUILT_IN])
    return strategy


def built_in(name: str) -> Strategy | None:
    """The built-in strategy of that name or alias."""
    return next((one for one in BUILT_IN if name == one.name or name in one.aliases), None)


def unknown(name: str, names: Sequence[str]) -> InvalidSpec:
    """What to say about a name that no strategy has; `names` are those that exist."""
    return InvalidSpec(
        f"there is no strategy {name!r}{suggestion(name, names)}; there are: {', '.join(names)}",
        field="spec.strategy.name",
    )


def check_parameters(strategy: Strategy, parameters: Mapping[str, Any]) -> dict[str, Value]:
    """`parameters` with every default filled, in the order of the table; 9.0 becomes 9 where 9 is meant.

    Raises `InvalidSpec` naming `spec.strategy.params.<name>` for what is unknown, missing, of another type,
    out of range or against a cross-check.
    """
    if strategy.check is not None:
        return strategy.check(parameters)
    refuse_unknown(strategy.name, [parameter.name for parameter in strategy.parameters], parameters)
    checked = {parameter.name: _checked(parameter, parameters) for parameter in strategy.parameters}
    _cross_check(strategy, checked)
    return checked


def allowed(parameter: Parameter) -> str:
    """What a parameter may be, in words: "a whole number from 1 to 10000"."""
    if parameter.choices:
        return "one of " + ", ".join(parameter.choices)
    if parameter.minimum is not None and parameter.maximum is not None:
        return f"{NOUNS[parameter.type]} from {parameter.minimum} to {parameter.maximum}"
    return NOUNS[parameter.type]


def refuse_unknown(strategy: str, names: Sequence[str], parameters: Mapping[str, Any]) -> None:
    """Raises `InvalidSpec` for a parameter that `strategy`, which takes `names`, does not have."""
    for name in parameters:
        if name not in names:
            raise InvalidSpec(
                f"{strategy} has no such parameter{suggestion(str(name), names)}; "
                f"it has: {', '.join(names) or 'none'}",
                field=parameter_field(name),
            )


def _checked(parameter: Parameter, parameters: Mapping[str, Any]) -> Value:
    value = parameters.get(parameter.name)
    if value is None:
        if parameter.default is None:
            raise InvalidSpec(f"is required: {allowed(parameter)}", field=parameter_field(parameter.name))
        return parameter.default
    if not _is_of_type(parameter, value) or not _is_in_range(parameter, value):
        raise InvalidSpec(
            f"must be {allowed(parameter)}, is {value!r}", field=parameter_field(parameter.name)
        )
    if isinstance(value, float) and value.is_integer():
        return int(value)  # the API server stores 30.0 as 30; both spell one spec
    checked: Value = value
    return checked


def _is_of_type(parameter: Parameter, value: Any) -> bool:
    if parameter.type == "boolean" or isinstance(value, bool):
        return parameter.type == "boolean" and isinstance(value, bool)
    if parameter.type == "string":
        return isinstance(value, str)
    if parameter.type == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int | float)


def _is_in_range(parameter: Parameter, value: Any) -> bool:
    if parameter.choices:
        return value in parameter.choices
    if parameter.minimum is not None and not value >= parameter.minimum:
        return False
    return parameter.maximum is None or bool(value <= parameter.maximum)


def _cross_check(strategy: Strategy, parameters: Parameters) -> None:
    for check in strategy.checks:
        if not check.passes(parameters):
            left, right = parameters[check.left], parameters[check.right]
            raise InvalidSpec(
                f"{check.message}: {check.left} is {left}, {check.right} is {right}",
                field=parameter_field(check.left),
            )


def parameter_field(name: object) -> str:
    """Where a parameter stands in the spec."""
    return f"spec.strategy.params.{name}"


def suggestion(name: str, names: Iterable[str]) -> str:
    """What follows a name that does not exist: ", did you mean 'fast'?", or nothing."""
    from difflib import get_close_matches  # only where a run fails anyway

    close = get_close_matches(name.lower(), list(names), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
