"""From a manifest to a run with nothing left to decide. Laptops and notebooks only: pods get it resolved."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from spark_crds.formats.run import RunDocument, RunIdentity
from spark_crds.manifest import ManifestError, load_manifest
from spark_crds.resolve import SpecError, resolve, spec_hash
from spark_crds.schema import field_description
from spark_crds.validate import validate
from spark_crds.violation import Violation

from spark_engine.errors import InvalidSpec
from spark_engine.execute.guardrails import Limits, check_limits
from spark_engine.settings import value_at
from spark_engine.strategies.load import installed
from spark_engine.strategies.registry import built_in


def load_object(content: bytes, source: str) -> dict[str, Any]:
    """The one object in a manifest. Raises `InvalidSpec`."""
    try:
        objects = load_manifest(content, source)
    except ManifestError as error:
        raise InvalidSpec(str(error)) from None
    if len(objects) != 1:
        raise InvalidSpec(f"{source} holds {len(objects)} objects; a run takes one BacktestRun")
    return objects[0]


def load_limits(content: bytes, source: str) -> Limits:
    """The limits in a guardrails.json, or in the `spec` of a GuardrailConfig. Raises `InvalidSpec`."""
    limits = load_object(content, source)
    if "kind" not in limits:
        return check_limits(limits)
    if limits["kind"] != "GuardrailConfig":
        raise InvalidSpec(
            f"{source} is a {limits['kind']}; guardrails are a GuardrailConfig or its limits alone",
            field="guardrails",
        )
    _refuse(limits)
    return check_limits(limits["spec"].get("limits", {}))


def resolve_run(manifest: Mapping[str, Any], kind: str = "BacktestRun") -> RunDocument:
    """A BacktestRun, or a ParameterSweep where `kind` says so, validated and resolved.

    Raises `InvalidSpec` with everything that is wrong with it.
    """
    spec = resolved_spec(manifest, kind)
    return RunDocument(
        run=RunIdentity(name=object_name(manifest), namespace=manifest["metadata"].get("namespace") or ""),
        spec=spec,
        spec_hash=spec_hash(spec),
        deadline_seconds=spec.get("activeDeadlineSeconds"),
    )


def with_data(manifest: Mapping[str, Any], uri: str) -> dict[str, Any]:
    """A copy whose candles are those at `uri`: in place of another URI, a pin, or a feed."""
    spec = manifest.get("spec")
    if not isinstance(spec, Mapping):
        return dict(manifest)
    if manifest.get("kind") == "ParameterSweep":
        template = spec.get("template")
        return {**manifest, "spec": {**spec, "template": _with_data(template, uri)}}
    return {**manifest, "spec": _with_data(spec, uri)}


def _with_data(spec: Any, uri: str) -> dict[str, Any]:
    spec = spec if isinstance(spec, Mapping) else {}
    named = spec.get("data")
    policies = named if isinstance(named, Mapping) else {}
    kept = {name: value for name, value in policies.items() if name not in ("sha256", "feedRef")}
    return {**spec, "data": {**kept, "uri": uri}}


def resolved_spec(manifest: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The resolved spec of an object of that kind. Raises `InvalidSpec` with everything that is wrong."""
    _refuse(manifest)
    if manifest["kind"] != kind:
        raise InvalidSpec(f"must be {kind} here, is {manifest['kind']}", field="kind")
    try:
        return resolve(manifest, registered=_registered(manifest))
    except SpecError as error:
        raise InvalidSpec(error.message, field=error.field) from None


def object_name(manifest: Mapping[str, Any]) -> str:
    """Raises `InvalidSpec` where only the API server could say what an object is called."""
    name: str | None = manifest["metadata"].get("name")
    if not name:
        raise InvalidSpec(
            "is needed where there is no API server to make one of generateName", field="metadata.name"
        )
    return name


def _refuse(manifest: Mapping[str, Any]) -> None:
    """Raises `InvalidSpec` with all objections to an object, if there are any."""
    violations = validate(manifest, registered=_registered(manifest))
    if violations:
        first, *others = violations
        lines = [
            _explained(first, manifest),
            *(f"{other.field}: {_explained(other, manifest)}" for other in others),
        ]
        raise InvalidSpec("\n       ".join(lines), field=first.field)


def _registered(manifest: Mapping[str, Any]) -> Collection[str]:
    """What is installed here, where the manifest names a strategy that is not built in."""
    name = value_at(manifest, "spec.strategy.name") or value_at(manifest, "spec.template.strategy.name")
    return installed() if isinstance(name, str) and built_in(name) is None else ()


def _explained(violation: Violation, manifest: Mapping[str, Any]) -> str:
    """The API server's words, and where they are only a pattern, what the field is for."""
    if "should match" not in violation.message:
        return violation.message
    meaning = field_description(manifest["kind"], violation.field)
    return f"{violation.message}\n       {meaning}" if meaning else violation.message
