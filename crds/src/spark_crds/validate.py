"""The verdict of the API server on an object, offline, and after it what the operator would say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from spark_crds.check import unknown_fields, violations
from spark_crds.metadata import decoding_violations, name_violations, unknown_metadata, with_name
from spark_crds.rules import rule_violations, typed
from spark_crds.schema import is_ours, object_schema, with_defaults
from spark_crds.strategies import strategy_violations
from spark_crds.sweeps.check import sweep_violations
from spark_crds.violation import Violation

NOT_ALL_CHECKED = (
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)

STRATEGY_NAME = ".strategy.name"
OPERATOR_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Violation]]] = {
    "BacktestRun": strategy_violations,
    "ParameterSweep": sweep_violations,
}


def validate(
    manifest: Mapping[str, Any], old: Mapping[str, Any] | None = None, registered: Collection[str] = ()
) -> list[Violation]:
    """The objections of kubectl and the API server to an object that is created, or that replaces `old`.

    If they have none, those of the operator (`by` is "operator"): the checks of the strategy's parameters,
    and of a sweep what its parameters, condition and windows mean. `registered`: names of strategies that
    are installed here besides the built-in ones.
    """
    if found := server_violations(manifest, old):
        return found
    kind = manifest["kind"]
    check = OPERATOR_CHECKS.get(kind)
    if check is None:
        return []
    spec = with_defaults(manifest, object_schema(kind))["spec"]
    installed = spec.get("template", spec)["strategy"].get("name") in registered
    return [found for found in check(spec) if not (installed and found.field.endswith(STRATEGY_NAME))]


def server_violations(manifest: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> list[Violation]:
    """The objections of kubectl and the API server alone."""
    if not is_ours(manifest):
        return [_no_match(manifest)]
    schema = object_schema(manifest["kind"])
    if unreadable := list(decoding_violations(manifest)):
        return unreadable
    if unknown := list(_unknown(manifest, schema)):
        return unknown
    filled = with_defaults(with_name(manifest), schema)
    found = [*name_violations(filled), *violations(filled, schema)]
    if any(violation.blocking for violation in found):
        return found
    before = None if old is None else typed(with_defaults(old, schema), schema)
    return [*found, *rule_violations(typed(filled, schema), schema, before)]


def verdict(manifest: Mapping[str, Any], old: Mapping[str, Any] | None = None, source: str = "STDIN") -> str:
    """What kubectl would print for a manifest read from `source` that is refused; empty for one that is not.

    An object that the server accepts and the operator then fails is refused too, and the text says by whom.
    """
    found = validate(manifest, old)
    who = {violation.by for violation in found}
    if "kubectl" in who:
        return _kubectl_words(manifest, found, source)
    if "decoding" in who:
        return _decoding_words(manifest, found, "creating" if old is None else "replacing", source)
    if not found:
        return ""
    if "operator" in who:
        return _listed(f"{_title(manifest)} would be failed by the operator (InvalidSpec): ", found)
    return _listed(f"The {_title(manifest)} is invalid: ", found)


def _kubectl_words(manifest: Mapping[str, Any], found: list[Violation], source: str) -> str:
    if found[0].field != "kind":
        return f'error: unable to decode "{source}": {found[0].message}'
    metadata = manifest.get("metadata")
    known = metadata if isinstance(metadata, Mapping) else {}
    place = f'name: "{known.get("name", "")}" namespace: "{known.get("namespace", "")}" from "{source}"'
    missing = f"resource mapping not found for {place}: {found[0].message}"
    return f"error: {missing}\nensure CRDs are installed first"


def _decoding_words(manifest: Mapping[str, Any], found: list[Violation], act: str, source: str) -> str:
    kind, version = manifest["kind"], manifest["apiVersion"].rsplit("/", 1)[1]
    handled = f'{kind} in version "{version}" cannot be handled as a {kind}'
    fields = ", ".join(violation.message for violation in found)
    head = f'Error from server (BadRequest): error when {act} "{source}"'
    return f"{head}: {handled}: strict decoding error: {fields}"


def _title(manifest: Mapping[str, Any]) -> str:
    return f'{manifest["kind"]} "{(manifest.get("metadata") or {}).get("name", "")}"'


def _listed(head: str, found: list[Violation]) -> str:
    lines = [str(violation) for violation in found]
    if any(violation.blocking for violation in found):
        lines.append(NOT_ALL_CHECKED)
    return head + lines[0] if len(lines) == 1 else "\n* ".join([head, *lines])


def _unknown(manifest: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Violation]:
    yield from unknown_metadata(manifest)
    own = {name: value for name, value in manifest.items() if name != "metadata"}
    yield from unknown_fields(own, schema)


def _no_match(manifest: Mapping[str, Any]) -> Violation:
    kind, version = manifest.get("kind", ""), manifest.get("apiVersion", "")
    return Violation("kind", f'no matches for kind "{kind}" in version "{version}"', "kubectl")
