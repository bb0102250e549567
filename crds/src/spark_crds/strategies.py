"""The catalogue of built-in strategies (strategies.json, generated from the engine) and checks against it."""

from __future__ import annotations

import difflib
import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from spark_crds.check import violations
from spark_crds.schema import with_defaults
from spark_crds.violation import Violation, quoted

CATALOGUE_SCHEMA = "spark.trading/strategies/v1"
NAME_FIELD = "spec.strategy.name"
PARAMETERS_FIELD = "spec.strategy.params"
PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]+", re.ASCII)
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """A condition between two parameters."""

    left: str
    operator: str
    right: str
    message: str

    def holds(self, parameters: Mapping[str, Any]) -> bool:
        return OPERATORS[self.operator](parameters[self.left], parameters[self.right])


@dataclass(frozen=True, slots=True)
class StrategyEntry:
    """A built-in strategy; `parameters` is a JSON schema."""

    name: str
    aliases: tuple[str, ...]
    summary: str
    parameters: Mapping[str, Any]
    checks: tuple[CrossCheck, ...]


@cache
def catalogue() -> tuple[StrategyEntry, ...]:
    """All built-in strategies, in the order of the file."""
    document = json.loads(files("spark_crds").joinpath("strategies.json").read_bytes())
    if document["schema"] != CATALOGUE_SCHEMA:
        raise ValueError(f"strategies.json has the schema {document['schema']!r}, not {CATALOGUE_SCHEMA!r}")
    return tuple(_entry(entry) for entry in document["strategies"])


def find_strategy(name: str) -> StrategyEntry | None:
    """The strategy of that name or alias."""
    return next((entry for entry in catalogue() if name in (entry.name, *entry.aliases)), None)


def unknown_strategy(name: str) -> Violation:
    """What to say about a name that is no built-in."""
    known = [entry.name for entry in catalogue()]
    hint = _did_you_mean(name, [*known, *(alias for entry in catalogue() for alias in entry.aliases)])
    return _operator(NAME_FIELD, f'unknown strategy "{name}"{hint}; built-in strategies: {", ".join(known)}')


def with_parameter_defaults(entry: StrategyEntry, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the strategy's own defaults filled in."""
    filled: dict[str, Any] = with_defaults(parameters, entry.parameters)
    return filled


def parameter_violations(entry: StrategyEntry, parameters: Mapping[str, Any]) -> Iterator[Violation]:
    """What is wrong with parameters whose defaults are filled in."""
    properties = entry.parameters["properties"]
    broken = set()
    for name in parameters:
        if name not in properties:
            broken.add(name)
            hint = _did_you_mean(name, properties)
            message = f"{entry.name} has no such parameter{hint}; it takes {', '.join(properties)}"
            yield _operator(f"{PARAMETERS_FIELD}.{name}", message)
    known = {name: value for name, value in parameters.items() if name in properties}
    for found in violations(known, entry.parameters, PARAMETERS_FIELD):
        name = found.field.removeprefix(PARAMETERS_FIELD + ".")
        broken.add(name)
        problem = f"is {quoted(known[name])}" if name in known else "is missing"
        yield _operator(found.field, f"{problem}; {entry.name} takes {_allowed(properties[name])}")
    for check in entry.checks:
        if not broken & {check.left, check.right} and not check.holds(parameters):
            values = f"{check.left} is {parameters[check.left]}, {check.right} is {parameters[check.right]}"
            yield _operator(f"{PARAMETERS_FIELD}.{check.left}", f"{check.message} ({values})")


def strategy_violations(spec: Mapping[str, Any]) -> Iterator[Violation]:
    """What the catalogue says about the strategy of a spec that has its schema's defaults.

    A name that is not in the catalogue may be registered in an image of the user's own, which only the engine
    sees.
    """
    strategy = spec["strategy"]
    parameters = strategy.get("params", {})
    entry = find_strategy(strategy["name"]) if "name" in strategy else None
    if entry is not None:
        filled = with_parameter_defaults(entry, parameters)
        yield from parameter_violations(entry, filled)
        yield from short_violations(filled, spec["account"])
    elif "name" in strategy and "image" not in spec.get("engine", {}):
        yield unknown_strategy(strategy["name"])
    else:
        yield from own_parameter_violations(parameters)


def short_violations(parameters: Mapping[str, Any], account: Mapping[str, Any]) -> Iterator[Violation]:
    if parameters.get("direction") == "long-short" and not account["allowShort"]:
        message = 'is "long-short", which needs spec.account.allowShort: true (it is false)'
        yield _operator(f"{PARAMETERS_FIELD}.direction", message)


def own_parameter_violations(parameters: Mapping[str, Any]) -> Iterator[Violation]:
    """What is wrong with parameters of a strategy that is not in the catalogue, whatever it declares."""
    for name, value in parameters.items():
        field = f"{PARAMETERS_FIELD}.{name}"
        if not PARAMETER_NAME.fullmatch(name):
            yield _operator(field, "is no parameter name: two or more letters, digits or _, no digit first")
        elif not isinstance(value, str | int | float | bool):
            yield _operator(field, "must be an integer, a number, a boolean or a string")


def _allowed(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(quoted(choice) for choice in schema["enum"])
    article = "an" if schema["type"][0] in "aeiou" else "a"
    words = (("minimum", "from"), ("maximum", "to"))
    bounds = [f"{word} {schema[key]}" for key, word in words if key in schema]
    return " ".join([f"{article} {schema['type']}", *bounds])


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f' (did you mean "{close[0]}"?)' if close else ""


def _operator(field: str, message: str) -> Violation:
    return Violation(field, message, "operator")


def _entry(document: Mapping[str, Any]) -> StrategyEntry:
    return StrategyEntry(
        name=document["name"],
        aliases=tuple(document["aliases"]),
        summary=document["summary"],
        parameters=document["parameters"],
        checks=tuple(CrossCheck(**check) for check in document["checks"]),
    )
