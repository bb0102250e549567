"""The CEL rules of a schema, evaluated offline: also transition rules, when the old object is given."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from types import ModuleType
from typing import Any, Protocol

from spark_crds.schema import Schema
from spark_crds.violation import Violation, quoted

RULES = "x-kubernetes-validations"
REASONS = {"FieldValueInvalid": "Invalid value", "FieldValueForbidden": "Forbidden"}


class Program(Protocol):
    """A compiled CEL expression."""

    def execute(self, context: dict[str, Any]) -> Any: ...


def rule_violations(value: Any, schema: Schema, old: Any = None, path: str = "") -> Iterator[Violation]:
    """What the rules of `schema` and of all below it say of a `typed` value. `old` None: a creation."""
    for rule in schema.get(RULES, ()):
        if (old is None and is_transition(rule["rule"])) or _holds(rule["rule"], value, old):
            continue
        yield _violation(rule, value, path)
    if isinstance(value, Mapping):
        yield from _below_object(value, schema, old, path)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from rule_violations(item, schema["items"], None, f"{path}[{index}]")


def typed(value: Any, schema: Schema) -> Any:
    """`value` as the server's CEL sees it: times as times, integers beyond 64 bits as floats."""
    if isinstance(value, Mapping):
        properties, additional = schema.get("properties", {}), schema.get("additionalProperties", {})
        return {name: typed(child, properties.get(name, additional)) for name, child in value.items()}
    if isinstance(value, list):
        return [typed(item, schema.get("items", {})) for item in value]
    if isinstance(value, str) and schema.get("format") == "date-time":
        return _time(value)
    if isinstance(value, int) and abs(value) >= 2**63:
        return float(value)
    return value


def _time(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError:
        return text


def is_transition(expression: str) -> bool:
    """Whether a rule compares with the old object; the server then skips it on creation."""
    return re.search(r"\boldSelf\b", expression) is not None


def _below_object(value: Mapping[str, Any], schema: Schema, old: Any, path: str) -> Iterator[Violation]:
    additional = schema.get("additionalProperties", {})
    for name, child in value.items():
        child_schema = schema.get("properties", {}).get(name, additional)
        before = old.get(name) if isinstance(old, Mapping) else None
        yield from rule_violations(child, child_schema, before, f"{path}.{name}" if path else name)


def _holds(expression: str, value: Any, old: Any) -> bool:
    try:
        return program(expression).execute({"self": value, "oldSelf": old}) is True
    except (RuntimeError, TypeError, ValueError, OverflowError):
        return False


def _violation(rule: Mapping[str, str], value: Any, path: str) -> Violation:
    field = (path + rule.get("fieldPath", "")).removeprefix(".")
    reason = REASONS[rule.get("reason", "FieldValueInvalid")]
    if reason == "Forbidden":
        return Violation(field, f"Forbidden: {rule['message']}", "rule")
    shown = f"{quoted(value)}: " if isinstance(value, str | int | float) and "fieldPath" not in rule else ""
    return Violation(field or "<nil>", f"{reason}: {shown}{rule['message']}", "rule")


@cache
def program(expression: str) -> Program:
    """The compiled expression. Raises `ValueError` where it is no CEL."""
    compiled: Program = _cel().compile(expression)
    return compiled


@cache
def _cel() -> ModuleType:
    """The extension module alone: `import cel` also loads the package's terminal client, 0.4 s of imports."""
    package = importlib.util.find_spec("cel")
    if package is None or not package.submodule_search_locations:
        raise ImportError("common-expression-language is not installed")
    finder = importlib.machinery.PathFinder()
    spec = finder.find_spec("cel.cel", list(package.submodule_search_locations))
    if spec is None or spec.loader is None:
        raise ImportError("common-expression-language has no extension module cel.cel")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
