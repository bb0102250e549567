"""A manifest and the platform's defaults to a resolved spec: nothing left to decide, one form a meaning."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from spark_crds.canonical import canonical_decimal, digest
from spark_crds.feeds import resolved_feed
from spark_crds.patterns import DECIMAL_PATTERNS
from spark_crds.schema import Schema, is_ours, object_schema, with_defaults
from spark_crds.strategies import find_strategy, with_parameter_defaults
from spark_crds.validate import validate

MAX_EXACT_INTEGER = 2**53 - 1
OUTSIDE_SPEC_HASH = (
    "suspend",
    "cancel",
    "notes",
    "engine",
    "retries",
    "ttlSecondsAfterFinished",
    "activeDeadlineSeconds",
)


DEFAULTED = ("BacktestRun", "ParameterSweep")  # the platform's defaults are those of runs

# Fields that mean something only together: a manifest that sets one of them overrides a group's defaults
GROUPS = (
    ("name", "entryPoint", "params"),
    ("uri", "feedRef", "sha256"),
    ("sizing", "size"),
    ("marginModel", "maintenanceMargin", "liquidationFeeBps"),
)


class SpecError(ValueError):
    """A manifest that cannot be run. `field` is the path of what is wrong, such as spec.market.symbol."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def resolve(
    manifest: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
    registered: Collection[str] = (),
) -> dict[str, Any]:
    """The `spec` of an object with every default filled in, decimals, times and names in one form.

    `defaults` is a partial spec of a BacktestRun from the platform, used where the manifest is silent, before
    the schema's own defaults; in a ParameterSweep also for its template, whose swept parameters get none.
    `registered`: names of strategies that are installed here besides the built-in ones.
    Idempotent: resolving a manifest with a resolved spec changes nothing. Raises `SpecError` for the first
    objection of the API server or of the operator.
    """
    merged = _with_platform_defaults(manifest, defaults or {})
    for violation in validate(merged, registered=registered):
        raise SpecError(violation.field, violation.message)
    schema = object_schema(merged["kind"])["properties"]["spec"]
    spec: dict[str, Any] = _normalised(with_defaults(merged["spec"], schema), schema, "spec")
    if "strategy" in spec:
        spec["strategy"] = _resolved_strategy(spec["strategy"])
    if merged["kind"] == "MarketDataFeed":
        return resolved_feed(spec)
    if "template" in spec:
        strategy = _resolved_strategy(spec["template"]["strategy"], swept_names(spec))
        spec["template"] = {**spec["template"], "strategy": strategy}
    return spec


def swept_names(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The parameters that a sweep varies, in the order of the columns of its table."""
    if "sets" in spec:
        return tuple(spec["sets"][0])
    return tuple(parameter["name"] for parameter in spec["parameters"])


def spec_hash(spec: Mapping[str, Any]) -> str:
    """`sha256:<hex>` of a resolved spec, without what does not decide its result."""
    return digest({name: value for name, value in spec.items() if name not in OUTSIDE_SPEC_HASH})


def canonical_timestamp(text: str) -> str:
    """An RFC 3339 time in UTC, with milliseconds only where there are any. Raises `OverflowError`."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    timespec = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")


def _with_platform_defaults(manifest: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    spec, kind = manifest.get("spec"), manifest.get("kind")
    if not isinstance(spec, Mapping) or not is_ours(manifest) or kind not in DEFAULTED or not defaults:
        return dict(manifest)
    fields = object_schema(str(kind))["properties"]["spec"]["properties"]
    known = {name: value for name, value in defaults.items() if name in fields or kind == "BacktestRun"}
    merged = _overlaid(known, spec)
    if "template" in fields and isinstance(spec.get("template"), Mapping):
        inner = {name: value for name, value in defaults.items() if name in fields["template"]["properties"]}
        merged["template"] = _overlaid(inner, spec["template"])
    return {**manifest, "spec": merged}


def _overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for group in GROUPS:
        if any(above.get(name) is not None for name in group):
            merged = {name: value for name, value in merged.items() if name not in group}
    for name, value in above.items():
        lower = merged.get(name)
        if isinstance(value, Mapping) and isinstance(lower, Mapping):
            merged[name] = _overlaid(lower, value)
        elif value is not None or name not in merged:
            merged[name] = value
    return merged


def _normalised(value: Any, schema: Schema, path: str) -> Any:
    if isinstance(value, Mapping):
        properties, additional = schema.get("properties", {}), schema.get("additionalProperties", {})
        return {
            name: _normalised(child, properties.get(name, additional), f"{path}.{name}")
            for name, child in value.items()
        }
    if isinstance(value, list):
        return [_normalised(item, schema.get("items", {}), f"{path}[{n}]") for n, item in enumerate(value)]
    if isinstance(value, str):
        return _normalised_text(value, schema, path)
    if isinstance(value, int) and schema.get("pattern") in DECIMAL_PATTERNS:
        return canonical_decimal(str(value))
    return _normalised_number(value, path) if isinstance(value, int | float) else value


def _normalised_number(value: float, path: str) -> float:
    """An integral number as an integer. Refuses what has no canonical form (RFC 8785)."""
    if isinstance(value, bool):
        return value
    if not math.isfinite(value):
        raise SpecError(path, f"must be a finite number, is {value}")
    if isinstance(value, int) and abs(value) > MAX_EXACT_INTEGER:
        raise SpecError(path, f"must be between -{MAX_EXACT_INTEGER} and {MAX_EXACT_INTEGER}, is {value}")
    integral = isinstance(value, int) or value.is_integer()
    return int(value) if integral and abs(value) <= MAX_EXACT_INTEGER else value


def _normalised_text(value: str, schema: Schema, path: str) -> str:
    if schema.get("pattern") in DECIMAL_PATTERNS:
        return canonical_decimal(value)
    if schema.get("format") == "date-time":
        try:
            return canonical_timestamp(value)
        except OverflowError as error:
            raise SpecError(path, f'"{value}" is out of range; years 1 to 9999 are allowed') from error
    return value


def _resolved_strategy(strategy: Mapping[str, Any], swept: Sequence[str] = ()) -> dict[str, Any]:
    parameters = strategy.get("params", {})
    entry = find_strategy(strategy["name"]) if "name" in strategy else None
    if entry is None:
        return {**strategy, "params": dict(parameters)}
    filled = with_parameter_defaults(entry, parameters)
    params = {name: value for name, value in filled.items() if name not in swept}
    return {**strategy, "name": entry.name, "params": params}
