"""The generated CRDs, as the package carries them: which objects there are, and their defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from spark_crds import API_VERSION, GROUP

Schema = Mapping[str, Any]
PLURALS = {
    "BacktestRun": "backtestruns",
    "ParameterSweep": "parametersweeps",
    "GuardrailConfig": "guardrailconfigs",
    "GuardrailApproval": "guardrailapprovals",
    "MarketDataFeed": "marketdatafeeds",
}
INDEX = re.compile(r"\[\d+\]")


@cache
def object_schema(kind: str) -> Schema:
    """The openAPIV3Schema of a kind. Raises `KeyError` for a kind that is not ours."""
    content = files("spark_crds").joinpath("manifests", f"{GROUP}_{PLURALS[kind]}.yaml").read_bytes()
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    definition = yaml.load(content, Loader=loader)  # noqa: S506  # safe loaders both
    schema: Schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def is_ours(manifest: Mapping[str, Any]) -> bool:
    """Whether apiVersion and kind name a kind of this package."""
    kind = manifest.get("kind")
    return manifest.get("apiVersion") == API_VERSION and isinstance(kind, str) and kind in PLURALS


def field_schema(kind: str, path: str) -> Schema:
    """The schema at a path such as spec.parameters[0].name; empty where there is none."""
    schema = object_schema(kind)
    for name in path.split("."):
        plain, indices = INDEX.subn("", name)
        schema = schema.get("properties", {}).get(plain, {})
        for _ in range(indices):
            schema = schema.get("items", {})
    return schema


def field_description(kind: str, path: str) -> str:
    """What a field is for, in one line; empty where the schema does not say."""
    return " ".join(str(field_schema(kind, path).get("description", "")).split())


def with_defaults(value: Any, schema: Schema) -> Any:
    """A copy of `value` with every default of the schema filled in, as the API server stores it.

    Null where the schema does not allow it counts as absent.
    """
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        additional = schema.get("additionalProperties") or {}  # false in the schemas of parameters
        filled = {
            name: with_defaults(child, properties.get(name, additional))
            for name, child in value.items()
            if child is not None or (name not in properties and not additional)
        }
        for name, child_schema in properties.items():
            if name not in filled and "default" in child_schema:
                filled[name] = with_defaults(child_schema["default"], child_schema)
        return filled
    if isinstance(value, list):
        return [with_defaults(item, schema.get("items", {})) for item in value]
    return value
