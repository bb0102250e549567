"""Pydantic's JSON schema as the structural schema that a CustomResourceDefinition takes."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel

DROPPED = ("title", "$defs", "discriminator", "propertyNames")


def structural_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of `model`: references inlined, optional as absent (never nullable), defaults nested."""
    schema = model.model_json_schema(by_alias=True)
    return _structural(schema, schema.get("$defs", {}))


def _structural(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    node = _inlined(_without_null(node), definitions)
    schema = {name: value for name, value in node.items() if name not in DROPPED}
    if "description" in schema:
        schema["description"] = re.sub(r"\s+", " ", schema["description"])
    if schema.get("type") == "integer":
        schema["format"] = "int64"
    if "properties" in schema:
        schema.pop("additionalProperties", None)
        schema["properties"] = {
            name: _property(child, definitions, name in schema.get("required", ()))
            for name, child in schema["properties"].items()
        }
    if isinstance(schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = _structural(schema["additionalProperties"], definitions)
    if "items" in schema:
        schema["items"] = _structural(schema["items"], definitions)
    return schema


def _property(node: dict[str, Any], definitions: dict[str, Any], required: bool) -> dict[str, Any]:
    schema = _structural(node, definitions)
    if schema.get("default", 0) is None:
        del schema["default"]
    if not required and _is_defaulted(schema) and "default" not in schema and "anyOf" not in node:
        schema["default"] = {}
    return schema


def _is_defaulted(schema: dict[str, Any]) -> bool:
    """An object with defaults inside needs `default: {}`, or they would not be applied to an absent one."""
    return any("default" in child for child in schema.get("properties", {}).values())


def _inlined(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    target = definitions[node["$ref"].rsplit("/", 1)[1]]
    return {**target, **{name: value for name, value in node.items() if name != "$ref"}}


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in node.get("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) == len(node.get("anyOf", ())):
        return node
    (choice,) = choices
    return {**choice, **{name: value for name, value in node.items() if name != "anyOf"}}
