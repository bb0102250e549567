"""The body of a start as the BacktestRun that it means. Pure.

A whole `spec` is taken as kubectl would take it. A short body names what it wants, and the rest are the
platform's run defaults; either way everything is resolved and frozen into the object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spark_crds import API_VERSION
from spark_crds.resolve import SpecError, resolve
from spark_crds.strategies import find_strategy

from spark_operator.api.problem import FieldError, Problem, invalid

SHORT_FIELDS = ("pair", "timeframe", "notes", "strategy", "params")
BUILT_IN: Mapping[str, Any] = {
    "strategy": {"name": "sma-cross", "params": {"fast": 9, "slow": 21}},
    "market": {"symbol": "BTCUSDT", "timeframe": "1h"},
    "data": {"uri": "sample://btcusdt-1h"},
}
# How the fields of a spec are called in a short body
SHORT_NAMES = {
    "spec.market.symbol": "pair",
    "spec.market.timeframe": "timeframe",
    "spec.notes": "notes",
    "spec.strategy.name": "strategy",
    "spec.strategy.params": "params",
}


class InvalidDefaults(ValueError):
    """api.runDefaults of the platform's configuration make no run."""


def complete_defaults(run_defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The spec that `{}` means: `run_defaults` over the built-in ones, resolved. Raises `InvalidDefaults`."""
    try:
        return resolve(_manifest("defaults", run_defaults), BUILT_IN)
    except SpecError as error:
        field = error.field.replace("spec", "api.runDefaults", 1)
        raise InvalidDefaults(f"{field}: {error.message}") from None


def requested_spec(body: Mapping[str, Any], name: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The resolved spec of a start with the given body. Raises a 422 `Problem` that names the field."""
    if "spec" in body:
        return _whole(body, name)
    for field in body:
        if field not in SHORT_FIELDS:
            allowed = ", ".join(SHORT_FIELDS)
            raise invalid(field, f"is no field of a start; a body has spec, or any of {allowed}")
    for field in ("pair", "timeframe", "notes", "strategy"):
        if field in body and not isinstance(body[field], str):
            raise invalid(field, "must be a string")
    if "params" in body and not isinstance(body["params"], Mapping):
        raise invalid("params", "must be an object of parameters by name")
    spec = _short(body, defaults)
    try:
        return resolve(_manifest(name, spec), _with_data_of(spec["market"], defaults))
    except SpecError as error:
        raise invalid(_short_name(error.field), error.message) from None


def _whole(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    if others := [field for field in body if field != "spec"]:
        raise invalid(others[0], "may not stand beside spec: runs started over HTTP are named by the server")
    try:
        return resolve(_manifest(name, body["spec"]))
    except SpecError as error:
        raise Problem(422, "Invalid", str(error), errors=[FieldError(error.field, error.message)]) from None


def _short(body: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    market = dict(defaults["market"])
    if "pair" in body:
        market["symbol"] = body["pair"]
    if "timeframe" in body:
        market["timeframe"] = body["timeframe"]
    spec: dict[str, Any] = {"market": market}
    if "notes" in body:
        spec["notes"] = body["notes"]
    if strategy := _strategy(body, defaults["strategy"]):
        spec["strategy"] = strategy
    return spec


def _strategy(body: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters replace the default ones as a whole; another strategy leaves them behind."""
    if "strategy" not in body and "params" not in body:
        return {}
    known = {name: default[name] for name in ("name", "entryPoint") if name in default}
    chosen = {"name": body["strategy"]} if "strategy" in body else known
    if "params" in body:
        return {**chosen, "params": body["params"]}
    entry = find_strategy(chosen["name"])
    return dict(default) if entry and entry.name == default.get("name") else chosen


def _with_data_of(market: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """{symbol} and {timeframe} in the default data's addresses are those of the run."""
    data = dict(defaults["data"])
    for name in ("uri", "fundingUri"):
        if name in data:
            data[name] = (
                data[name].replace("{symbol}", market["symbol"]).replace("{timeframe}", market["timeframe"])
            )
    return {**defaults, "data": data}


def _short_name(field: str) -> str:
    for path, short in SHORT_NAMES.items():
        if field == path or field.startswith(f"{path}."):
            return short + field.removeprefix(path)
    return field


def _manifest(name: str, spec: Any) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": "BacktestRun", "metadata": {"name": name}, "spec": spec}
