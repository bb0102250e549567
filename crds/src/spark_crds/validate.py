"""The verdict of the API server on an object, offline, and after it what the operator would say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spark_crds.check import unknown_fields, violations
from spark_crds.rules import rule_violations
from spark_crds.schema import is_ours, object_schema, with_defaults
from spark_crds.strategies import find_strategy, parameter_violations, unknown_strategy, with_parameter_defaults
from spark_crds.violation import Violation


def server_violations(manifest: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> list[Violation]:
    """What the API server would refuse in a manifest that is created, or that replaces `old`."""
    if not is_ours(manifest):
        return [_no_match(manifest)]
    schema = object_schema(manifest["kind"])
    if unknown := list(unknown_fields(manifest, _without_metadata(schema))):
        return unknown
    filled = with_defaults(manifest, schema)
    if found := list(violations(filled, schema)):
        return found
    return list(rule_violations(filled, schema, None if old is None else with_defaults(old, schema)))


def validate(manifest: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> list[Violation]:
    """The API server's objections, or if it has none those of the resolver (kind "operator")."""
    if found := server_violations(manifest, old):
        return found
    return list(strategy_violations(with_defaults(manifest, object_schema(manifest["kind"]))["spec"]))


def strategy_violations(spec: Mapping[str, Any]) -> Iterator[Violation]:
    """What the catalogue says about the strategy of a spec that has its schema's defaults."""
    strategy = spec["strategy"]
    if "name" not in strategy:
        return
    entry = find_strategy(strategy["name"])
    if entry is None:
        yield unknown_strategy(strategy["name"])
        return
    parameters = with_parameter_defaults(entry, strategy.get("params", {}))
    yield from parameter_violations(entry, parameters)
    if parameters.get("direction") == "long-short" and not spec["account"]["allowShort"]:
        yield Violation(
            "spec.strategy.params.direction",
            'is "long-short", which needs spec.account.allowShort: true (it is false)',
            "operator",
        )


def _no_match(manifest: Mapping[str, Any]) -> Violation:
    kind, version = manifest.get("kind", ""), manifest.get("apiVersion", "")
    return Violation("kind", f'no matches for kind "{kind}" in version "{version}"')


def _without_metadata(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "properties": {**schema["properties"], "metadata": {"type": "object"}}}
