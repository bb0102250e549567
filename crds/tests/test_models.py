"""The pydantic models and the offline check read the schema alike, and jsonschema agrees with the check."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from spark_crds.check import violations
from spark_crds.generate import DEFINITIONS
from spark_crds.kinds.backtestrun import BacktestRun, BacktestRunSpec
from spark_crds.kinds.marketdatafeed import MarketDataFeed
from spark_crds.manifest import load_manifest
from spark_crds.schema import object_schema, with_defaults
from spark_crds.validate import server_violations

MODELS = {definition.kind: definition.model for definition in DEFINITIONS}


def stored(manifest: dict[str, Any]) -> dict[str, Any]:
    """The object as the server would hold it after decoding and defaulting."""
    loaded = load_manifest(json.dumps(manifest), "run.json")[0]
    kind = loaded.get("kind")
    filled: dict[str, Any] = with_defaults(loaded, object_schema(kind if kind in MODELS else "BacktestRun"))
    return filled


def accepted_by_model(manifest: dict[str, Any]) -> bool:
    try:
        MODELS.get(manifest.get("kind", ""), BacktestRun).model_validate(manifest, strict=True)
    except ValidationError:
        return False
    return True


def test_the_models_accept_and_refuse_what_the_schema_does(object_case: Any) -> None:
    """But for rules (CEL only), dates that do not exist, and metadata, which are the server's."""
    found = server_violations(object_case.manifest)
    of_spec = [each for each in found if each.field.startswith(("spec", "<nil>"))]
    judged = [each for each in of_spec if each.by in ("schema", "decoding")]
    if object_case.kubectl or any("date-time" in each.message for each in judged):
        return
    if not any(each.field.startswith("metadata") for each in found if each.by == "decoding"):
        assert accepted_by_model(stored(object_case.manifest)) == (not judged and not _at_top(found))


def _at_top(found: list[Any]) -> bool:
    return any(each.by == "decoding" and "." not in each.field for each in found)


def test_the_models_have_the_defaults_of_the_schema(manifest: dict[str, Any]) -> None:
    model = BacktestRunSpec.model_validate(manifest["spec"])
    assert model.model_dump(by_alias=True, exclude_none=True) == stored(manifest)["spec"]


DIGEST = "sha256:" + "a" * 64
STATUS: dict[str, Any] = {
    "observedGeneration": 1,
    "phase": "Succeeded",
    "conditions": [
        {
            "type": "Complete",
            "status": "True",
            "observedGeneration": 1,
            "lastTransitionTime": "2026-11-21T03:00:00Z",
            "reason": "Succeeded",
            "message": "",
        }
    ],
    "cancelRequested": False,
    "queuePosition": 0,
    "attempt": 1,
    "intent": {
        "image": "registry.example/engine@sha256:1",
        "guardrailRevision": "default-abc",
        "defaults": {"retries": 2},
        "artifactUri": "s3://evidence/",
        "data": {"uri": "sample://btcusdt-1h", "sha256": "a" * 64},
    },
    "jobName": "run-0123456789-1",
    "jobUID": "de59f4cb-62c4-4d45-a42e-2d54b7afe097",
    "specHash": DIGEST,
    "startTime": "2026-11-21T03:00:00Z",
    "completionTime": "2026-11-21T03:00:01.123456Z",
    "progress": {"completed": 1, "total": 1},
    "summary": {"trades": 147.0, "sharpe": 1.02},
    "display": {"return": "+12.3%", "sharpe": "1.02", "maxDrawdown": "18.2%"},
    "digest": DIGEST,
    "artifact": {"uri": "s3://evidence/", "sha256": "a" * 64, "bytes": 100},
    "provenance": {
        "image": "x",
        "engineVersion": "0.1.0",
        "dataDigest": DIGEST,
        "guardrailRevision": "d-abc",
    },
}


def test_a_full_status_has_a_place_for_everything_in_schema_and_model(manifest: dict[str, Any]) -> None:
    run = stored(manifest | {"status": STATUS})
    assert server_violations(run, run) == []
    model = BacktestRun.model_validate(run, strict=True)
    assert model.status.model_dump(by_alias=True, exclude_none=True) == STATUS
    assert set(STATUS) == set(object_schema("BacktestRun")["properties"]["status"]["properties"])


FEED_STATUS: dict[str, Any] = {
    "observedGeneration": 1,
    "phase": "Degraded",
    "conditions": STATUS["conditions"],
    "specHash": DIGEST,
    "deploymentName": "btcturk-spot-0123456789",
    "deploymentUID": "de59f4cb-62c4-4d45-a42e-2d54b7afe097",
    "serviceName": "btcturk-spot-0123456789",
    "image": "registry.example/engine@sha256:1",
    "startTime": "2026-11-21T03:00:00Z",
    "observedTime": "2026-11-21T03:00:30.5Z",
    "symbols": 30,
    "freshSymbols": 29,
    "wsUp": True,
    "lastTick": "2026-11-21T03:00:29.123Z",
    "lagMsP95": 12,
    "reconnects": 1,
    "gaps": 1,
}


def test_a_full_status_of_a_feed_has_a_place_for_everything(
    base_of: Callable[[str], dict[str, Any]],
) -> None:
    feed = stored(base_of("objects_marketdatafeed") | {"status": FEED_STATUS})
    assert server_violations(feed, feed) == []
    model = MarketDataFeed.model_validate(feed, strict=True)
    assert model.status.model_dump(by_alias=True, exclude_none=True) == FEED_STATUS
    assert set(FEED_STATUS) == set(object_schema("MarketDataFeed")["properties"]["status"]["properties"])


def plain_json_schema(schema: Any) -> Any:
    """Our schema for the jsonschema package: Go's end of text, and int-or-string as types."""
    if isinstance(schema, list):
        return [plain_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: plain_json_schema(child) for name, child in schema.items()}
    if isinstance(plain.get("pattern"), str):
        plain["pattern"] = plain["pattern"].removesuffix("$") + r"\Z"
    if plain.get("x-kubernetes-int-or-string") is True:
        plain["type"] = ["integer", "string"]
    if plain.get("x-kubernetes-list-type") == "set":
        plain["uniqueItems"] = True
    plain.pop("format", None)
    return plain


ORACLES = {kind: jsonschema.Draft202012Validator(plain_json_schema(object_schema(kind))) for kind in MODELS}


def judged_alike(value: Any, kind: str = "BacktestRun") -> None:
    found = [each for each in violations(value, object_schema(kind)) if "date-time" not in each.message]
    assert bool(found) == (not ORACLES[kind].is_valid(value)), found


def test_jsonschema_agrees_on_every_object_of_the_table(object_case: Any) -> None:
    judged_alike(stored(object_case.manifest), object_case.kind)


FULL: dict[str, Any] = {
    "market": {"symbol": "X", "timeframe": "1h", "tickSize": "0.1", "priceScale": 2},
    "strategy": {"name": "rsi", "params": {"period": 14}},
    "data": {"uri": "x", "sha256": "0" * 64},
    "account": {"initialCash": "1", "marginModel": "Isolated", "maintenanceMargin": "0.1"},
    "execution": {"fill": "NextOpen", "makerFeeBps": "1"},
    "engine": {
        "resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
        "nodeSelector": {"a": "b"},
        "tolerations": [{"key": "a", "tolerationSeconds": 3}],
    },
    "verdict": {"minTrades": 1, "minSharpe": "-1"},
    "seed": 1,
    "suspend": False,
}
PATHS = [
    (name, *inner)
    for name, child in FULL.items()
    for inner in ([(key,) for key in child] if isinstance(child, dict) else [()])
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([0.5, 2.0, 1e30, 2**53, 2**63]),
    st.sampled_from(
        ["", "0", "1.5", "-1", "1h", "NextOpen", "None", "a", "1\n", "x" * 300, "0" * 64, "500m", "é"]
    ),
    st.just([]),
    st.lists(st.fixed_dictionaries({"key": st.text(max_size=3)}), max_size=20),
    st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=70), max_size=20),
)


@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=4))
def test_jsonschema_agrees_on_objects_with_values_of_every_kind_anywhere(changes: list[Any]) -> None:
    spec = copy.deepcopy(FULL)
    for path, value in changes:
        node: Any = spec
        for name in path[:-1]:
            node = node[name] if isinstance(node, dict) else {}
        if isinstance(node, dict):
            node[path[-1]] = value
    judged_alike({"apiVersion": "a", "kind": "b", "metadata": {"name": "c"}, "spec": spec})
