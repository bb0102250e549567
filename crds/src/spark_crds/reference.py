"""The fields of a kind as Markdown tables, from its generated schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from spark_crds.patterns import (
    BASIS_POINTS_PATTERN,
    DECIMAL_PATTERN,
    DIGEST_PATTERN,
    DNS_SUBDOMAIN_PATTERN,
    DURATION_PATTERN,
    FRACTION_PATTERN,
    QUANTITY_PATTERN,
    SIGNED_DECIMAL_PATTERN,
    TIMEFRAME_PATTERN,
)

Schema = Mapping[str, Any]
WORDS = {
    DECIMAL_PATTERN: "decimal",
    SIGNED_DECIMAL_PATTERN: "decimal, also negative",
    BASIS_POINTS_PATTERN: "decimal below 10000",
    FRACTION_PATTERN: "decimal below 1",
    TIMEFRAME_PATTERN: "as `1h`",
    DURATION_PATTERN: "as `30s`, `10m`, `1d`",
    DIGEST_PATTERN: "`sha256:` and 64 hex digits",
    DNS_SUBDOMAIN_PATTERN: "name of an object",
    QUANTITY_PATTERN: "quantity",
    "^[0-9a-f]{64}$": "64 hex digits",
}
HEAD = "| field | value | default | meaning |\n|---|---|---|---|"


def field_tables(schema: Schema, taken_over: Mapping[str, str] = MappingProxyType({})) -> str:
    """One table for each object directly below `spec`, and one for the rest of `spec`.

    `taken_over`: what to say of an object instead of a table of its fields.
    """
    spec = schema["properties"]["spec"]
    objects = {name: child for name, child in spec["properties"].items() if "properties" in child}
    plain = {name: child for name, child in spec["properties"].items() if name not in objects}
    sections = [
        f"### spec.{name}\n\n{taken_over[name]}" if name in taken_over else _section(f"spec.{name}", child)
        for name, child in objects.items()
    ]
    rest = {"properties": plain, "description": "Besides the objects above."}
    return "\n\n".join([*sections, _section("spec", rest)])


def _section(path: str, schema: Schema) -> str:
    rules = [f"- {rule['message']}." for rule in schema.get("x-kubernetes-validations", ())]
    rows = [HEAD, *_rows(schema, "")]
    parts = [f"### {path}", schema["description"], "\n".join(rows), "\n".join(rules)]
    return "\n\n".join(part for part in parts if part)


def _rows(schema: Schema, prefix: str) -> Iterator[str]:
    required = schema.get("required", ())
    for name, child in schema.get("properties", {}).items():
        default = json.dumps(child["default"]) if "default" in child else ""
        shown = "required" if name in required else f"`{default}`" if default and default != "{}" else ""
        yield f"| `{prefix}{name}` | {_value(child)} | {shown} | {_escaped(child['description'])} |"
        yield from _rows(child.get("items", child), f"{prefix}{name}{'[]' if 'items' in child else ''}.")


def _value(schema: Schema) -> str:
    """What may stand there, in few words; patterns by what they mean."""
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    if schema.get("format") == "date-time":
        return "RFC 3339 time"
    if schema.get("x-kubernetes-int-or-string"):
        return f"whole number or {WORDS[schema['pattern']]}"
    if schema.get("type") == "integer":
        return f"integer, {schema['minimum']} to {schema['maximum']}"
    if "pattern" in schema:
        pattern = schema["pattern"]
        return WORDS.get(pattern, f"`{_escaped(pattern)}`")
    kind: str = schema["type"]
    return {"string": "text", "array": "list"}.get(kind, kind)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
