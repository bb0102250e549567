"""An object against a structural schema, in the words of the API server.

Covers the keywords that our CRDs use, and no others; `crds/tests` checks that, and compares the reading of
each with the jsonschema package. Not that package itself: its words are others, and it imports for 0.1 s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from spark_crds.schema import Schema
from spark_crds.violation import Violation, listed, quoted

DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def unknown_fields(value: Any, schema: Schema, path: str = "") -> Iterator[Violation]:
    """Fields that no schema names: the server's strict decoding refuses them."""
    if isinstance(value, Mapping):
        if "additionalProperties" in schema or "x-kubernetes-preserve-unknown-fields" in schema:
            return
        for name, child in value.items():
            place = _joined(path, name)
            if name in schema.get("properties", {}):
                yield from unknown_fields(child, schema["properties"][name], place)
            else:
                yield Violation(place, f'unknown field "{place}"', "decoding")
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from unknown_fields(item, schema["items"], f"{path}[{index}]")


def violations(value: Any, schema: Schema, path: str = "") -> Iterator[Violation]:
    """Everything in `value` that the schema does not allow, CEL rules apart."""
    if wrong := _type_violation(value, schema, path):
        yield wrong
        return
    if "enum" in schema and value not in schema["enum"]:
        supported = listed(schema["enum"])
        yield _blocking(path, f"Unsupported value: {quoted(value)}: supported values: {supported}")
    if isinstance(value, str):
        yield from _text_violations(value, schema, path)
    elif isinstance(value, Mapping):
        yield from _object_violations(value, schema, path)
    elif isinstance(value, list):
        yield from _list_violations(value, schema, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number_violations(value, schema, path)


def type_name(value: Any) -> str:
    """The JSON type of a value, as the server names it."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float) and value == value // 1 and abs(value) < 2**63:
        return "integer"
    names = {float: "number", int: "number", str: "string", list: "array", type(None): "null"}
    return names.get(type(value), "object")


def _type_violation(value: Any, schema: Schema, path: str) -> Violation | None:
    actual = type_name(value)
    if schema.get("x-kubernetes-int-or-string"):
        if actual in ("integer", "string"):
            return None
        expected = "integer,string"
    else:
        expected = schema.get("type", actual)
    if actual == expected or (expected == "number" and actual == "integer"):
        return None
    shown = quoted(actual)
    return _blocking(path, f"Invalid value: {shown}: {path} in body must be of type {expected}: {shown}")


def _text_violations(value: str, schema: Schema, path: str) -> Iterator[Violation]:
    if len(value) > schema.get("maxLength", len(value)):
        yield _blocking(path, f"Too long: may not be more than {schema['maxLength']} bytes")
    elif len(value) < schema.get("minLength", 0):
        yield Violation(
            path,
            f"Invalid value: {quoted(value)}: {path} in body should be at least "
            f"{schema['minLength']} chars long",
        )
    elif "pattern" in schema and not go_search(schema["pattern"], value):
        yield Violation(
            path, f"Invalid value: {quoted(value)}: {path} in body should match '{schema['pattern']}'"
        )
    if schema.get("format") == "date-time" and not is_date_time(value):
        yield _blocking(
            path, f"Invalid value: {quoted(value)}: {path} in body must be of type date-time: {quoted(value)}"
        )


def _object_violations(value: Mapping[str, Any], schema: Schema, path: str) -> Iterator[Violation]:
    properties, additional = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield _blocking(_joined(path, name), "Required value")
    if len(value) > schema.get("maxProperties", len(value)):
        yield _blocking(path, f"Too many: {len(value)}: must have at most {schema['maxProperties']} items")
    for name, child in value.items():
        yield from violations(child, properties.get(name, additional), _joined(path, name))
    yield from _choice_violations(value, schema, path)


def _choice_violations(value: Mapping[str, Any], schema: Schema, path: str) -> Iterator[Violation]:
    """`oneOf` as our kinds use it: each choice requires one field."""
    choices = [name for choice in schema.get("oneOf", ()) for name in choice["required"]]
    found = sum(name in value for name in choices)
    if not choices or found == 1:
        return
    if not found:
        yield _blocking(_joined(path, choices[0]), "Required value")
    count = f"{found} valid alternatives" if found else "none valid"
    words = f"{quoted(path)} must validate one and only one schema (oneOf). Found {count}"
    yield Violation("<nil>", f'Invalid value: "": {words}')


def _list_violations(value: list[Any], schema: Schema, path: str) -> Iterator[Violation]:
    if len(value) > schema.get("maxItems", len(value)):
        yield _blocking(path, f"Too many: {len(value)}: must have at most {schema['maxItems']} items")
    elif len(value) < schema.get("minItems", 0):
        least = f"{path} in body should have at least {schema['minItems']} items"
        yield Violation(path, f"Invalid value: {len(value)}: {least}")
    for index, item in enumerate(value):
        yield from violations(item, schema.get("items", {}), f"{path}[{index}]")
        if schema.get("x-kubernetes-list-type") == "set" and item in value[:index]:
            yield Violation(f"{path}[{index}]", f"Duplicate value: {quoted(item)}")


def _number_violations(value: float, schema: Schema, path: str) -> Iterator[Violation]:
    least, most = schema.get("minimum", value), schema.get("maximum", value)
    head = f"Invalid value: {quoted(value)}: {path} in body should be"
    if value < least:
        yield Violation(path, f"{head} greater than or equal to {least}")
    if value > most:
        yield Violation(path, f"{head} less than or equal to {most}")


def _blocking(path: str, message: str) -> Violation:
    return Violation(path, message, blocking=True)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def go_search(pattern: str, value: str) -> bool:
    """Go's reading of a pattern: classes are ASCII, and $ is the very end, not before a last line break."""
    python = pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern
    return re.search(python, value, re.ASCII) is not None


def is_date_time(value: str) -> bool:
    """Whether the server takes the text as an RFC 3339 time: it looks at the date, not at the offset."""
    if not DATE_TIME.fullmatch(value):
        return False
    year = "2000" if value.startswith("0000") else value[:4]  # Go has a year 0, a leap year; Python has not
    try:
        datetime.fromisoformat(year + value[4:19].upper())
    except ValueError:
        return False
    return True
