"""What the operator would say of a sweep that the API server accepts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from spark_crds.strategies import (
    PARAMETERS_FIELD,
    CrossCheck,
    StrategyEntry,
    find_strategy,
    own_parameter_violations,
    parameter_violations,
    short_violations,
    unknown_strategy,
    with_parameter_defaults,
)
from spark_crds.sweeps.axis import Axis, SteppedAxis, Value, axis, exact_number
from spark_crds.sweeps.error import SweepError
from spark_crds.sweeps.lengths import lengths
from spark_crds.sweeps.where import FIELD as WHERE
from spark_crds.sweeps.where import Where
from spark_crds.violation import Violation, quoted

MAX_TRIALS = 10_000_000
PARAMETERS = "spec.parameters"
SETS = "spec.sets"
TEMPLATE = "spec.template"


def sweep_violations(spec: Mapping[str, Any]) -> Iterator[Violation]:
    """Everything wrong with the spec of a ParameterSweep that has its schema's defaults."""
    if "sets" in spec:
        yield from _set_violations(spec)
    else:
        yield from _grid_violations(spec)
    if "walkForward" in spec:
        yield from _caught(lambda: lengths(spec["walkForward"], spec["template"]["market"]["timeframe"]))


def integer_names(spec: Mapping[str, Any]) -> frozenset[str]:
    """The parameters that a strategy of the catalogue declares as integers; none of any other strategy."""
    strategy = spec["template"]["strategy"]
    entry = find_strategy(strategy["name"]) if "name" in strategy else None
    properties = {} if entry is None else entry.parameters["properties"]
    return frozenset(name for name, schema in properties.items() if schema["type"] == "integer")


def _grid_violations(spec: Mapping[str, Any]) -> Iterator[Violation]:
    integers, axes = integer_names(spec), []
    for number, parameter in enumerate(spec["parameters"]):
        try:
            axes.append(axis(parameter, f"{PARAMETERS}[{number}]", parameter["name"] in integers))
        except SweepError as error:
            yield _violation(error)
    fixed = spec["template"]["strategy"].get("params", {})
    for number, parameter in enumerate(spec["parameters"]):
        if parameter["name"] in fixed:
            message = f"{parameter['name']} is fixed in {TEMPLATE}.strategy.params too"
            yield Violation(f"{PARAMETERS}[{number}].name", message, "operator")
    if len(axes) < len(spec["parameters"]):
        return
    size = 1
    for each in axes:
        size *= len(each)
    if size > MAX_TRIALS:
        yield Violation(PARAMETERS, f"make {size} sets; at most {MAX_TRIALS} are allowed", "operator")
    numeric = [each.name for each in axes if all(number is not None for number in _ends(each))]
    yield from _where_violations(spec, [each.name for each in axes], numeric)
    yield from _catalogue_violations(spec, axes)


def _set_violations(spec: Mapping[str, Any]) -> Iterator[Violation]:
    sets: Sequence[Mapping[str, Any]] = spec["sets"]
    names = list(sets[0])
    fixed = spec["template"]["strategy"].get("params", {})
    for number, each in enumerate(sets):
        if set(each) != set(names):
            message = f"names {_named(each)}; the first set names {_named(names)}"
            yield Violation(f"{SETS}[{number}]", message, "operator")
            return
        for name, found in ((name, name in fixed) for name in names):
            if found:
                message = f"{name} is fixed in {TEMPLATE}.strategy.params too"
                yield Violation(f"{SETS}[{number}].{name}", message, "operator")
        yield from _placed(_strategy_violations(spec, {**fixed, **each}), names, f"{SETS}[{number}]")
    numeric = [name for name in names if all(exact_number(each[name]) is not None for each in sets)]
    yield from _where_violations(spec, names, numeric)


def _where_violations(spec: Mapping[str, Any], names: list[str], numeric: list[str]) -> Iterator[Violation]:
    if "where" not in spec:
        return
    try:
        used = Where(spec["where"], names).used()
    except SweepError as error:
        yield _violation(error)
        return
    for name in names:
        if name in used and name not in numeric:
            yield Violation(WHERE, f'"{name}" has values that are no numbers', "operator")


def _catalogue_violations(spec: Mapping[str, Any], axes: Sequence[Axis]) -> Iterator[Violation]:
    """The strategy's own checks of the fixed parameters and of each axis at its ends."""
    strategy = spec["template"]["strategy"]
    entry = find_strategy(strategy["name"]) if "name" in strategy else None
    first = {**strategy.get("params", {}), **{each.name: each.value_at(0) for each in axes}}
    said = set()
    for candidate in _candidates(first, axes):
        found = _strategy_violations(spec, candidate, with_checks=False)
        for violation in _placed(found, [each.name for each in axes], PARAMETERS, spec):
            if violation not in said:
                said.add(violation)
                yield violation
    if entry is not None and not said:
        yield from _hopeless(entry, strategy.get("params", {}), axes)


def _candidates(first: Mapping[str, Value], axes: Sequence[Axis]) -> Iterator[dict[str, Value]]:
    yield dict(first)
    for each in axes:
        for index in _looked_at(each):
            yield {**first, each.name: each.value_at(index)}


def _looked_at(each: Axis) -> Iterator[int]:
    """All of a list; of equal steps the first two, which tell whole numbers from others, and the last."""
    count = len(each)
    return iter(sorted({0, min(1, count - 1), count - 1}) if isinstance(each, SteppedAxis) else range(count))


def _ends(each: Axis) -> Iterator[Any]:
    return (each.exact_at(index) for index in _looked_at(each))


def _strategy_violations(
    spec: Mapping[str, Any], parameters: Mapping[str, Any], with_checks: bool = True
) -> Iterator[Violation]:
    strategy = spec["template"]["strategy"]
    entry = find_strategy(strategy["name"]) if "name" in strategy else None
    if entry is not None:
        filled = with_parameter_defaults(entry, parameters)
        yield from parameter_violations(entry if with_checks else replace(entry, checks=()), filled)
        yield from short_violations(filled, spec["template"]["account"])
    elif "name" in strategy and "image" not in spec.get("engine", {}):
        yield unknown_strategy(strategy["name"])
    else:
        yield from own_parameter_violations(parameters)


def _placed(
    found: Iterator[Violation], names: Sequence[str], place: str, spec: Mapping[str, Any] | None = None
) -> Iterator[Violation]:
    """The same violations, by the fields of a sweep."""
    for violation in found:
        name = violation.field.removeprefix(PARAMETERS_FIELD + ".")
        message = violation.message.replace("spec.account", f"{TEMPLATE}.account")
        if name not in names:
            yield replace(violation, field=violation.field.replace("spec", TEMPLATE, 1), message=message)
        elif spec is None:
            yield replace(violation, field=f"{place}.{name}", message=message)
        else:
            parameter = spec["parameters"][names.index(name)]
            key = next(key for key in ("values", "range", "logRange") if key in parameter)
            unknown = "has no such parameter" in message
            field = f"{place}[{names.index(name)}].{'name' if unknown else key}"
            yield replace(violation, field=field, message=message)


def _hopeless(entry: StrategyEntry, fixed: Mapping[str, Any], axes: Sequence[Axis]) -> Iterator[Violation]:
    """Cross-checks that not even the most favourable ends pass: then no set at all does."""
    filled = with_parameter_defaults(entry, fixed)
    values = {name: [value] for name, value in filled.items()}
    values |= {each.name: [each.value_at(index) for index in _looked_at(each)] for each in axes}
    for check in entry.checks:
        if not _passable(check, values[check.left], values[check.right]):
            shown = f"{check.left} is {_span(values[check.left])}, {check.right} {_span(values[check.right])}"
            yield Violation(PARAMETERS, f"no set is allowed: {check.message} ({shown})", "operator")


def _passable(check: CrossCheck, left: Sequence[Any], right: Sequence[Any]) -> bool:
    return any(
        check.holds({check.left: one, check.right: other})
        for one in {min(left), max(left)}
        for other in {min(right), max(right)}
    )


def _span(values: Sequence[Any]) -> str:
    low, high = quoted(min(values)), quoted(max(values))
    return low if low == high else f"{low} to {high}"


def _named(names: Any) -> str:
    return ", ".join(names) or "nothing"


def _caught(act: Any) -> Iterator[Violation]:
    try:
        act()
    except SweepError as error:
        yield _violation(error)


def _violation(error: SweepError) -> Violation:
    return Violation(error.field, error.message, "operator")
