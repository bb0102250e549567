"""Whatever a manifest says: objections or a resolved spec, never a crash."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spark_crds.manifest import ManifestError, load_manifest
from spark_crds.resolve import SpecError, resolve
from spark_crds.schema import field_schema
from spark_crds.validate import validate

unchanged_fixture = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

SECTIONS = {
    "market": {
        "symbol": "BTCUSDT",
        "timeframe": "1h",
        "calendar": "XIST",
        "warmupBars": 3,
        "tickSize": "0.01",
    },
    "data": {
        "uri": "x.csv",
        "adjustment": "Splits",
        "adjustmentUri": "a.csv",
        "fundingUri": "f.csv",
        "gaps": "Fail",
    },
    "account": {"initialCash": "1000", "leverage": "2", "allowShort": True},
    "execution": {"sizing": "FixedNotional", "size": "10", "resolveWith": "1m", "takerFeeBps": "5"},
    "statistics": {"periodsPerYear": 252},
}
FEED = {
    "symbols": ["BTCTRY", "USDTTRY"],
    "channels": ["trade", "ticker"],
    "timeframes": ["1m", "1d"],
    "endpoints": {"webSocket": "wss://a", "rest": "https://a", "history": "https://a/b?c=d"},
    "storage": {"uri": "s3://a/b", "flushInterval": "1m"},
    "retention": {"trades": "30d", "candles": "24h"},
    "staleAfter": "1h",
    "candles": {"grace": "5s", "amendWindow": "1d"},
    "backfill": {"start": "2026-01-01T00:00:00+03:00"},
    "calendar": "24x7",
    "engine": {"image": "a"},
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(
        [
            "1h",
            "999999d",
            "bist-files",
            "drop",
            "24x7",
            "1e9999",
            "-0",
            "0.1",
            "2024-01-01T00:00:00Z",
            "9" * 400,
            "None",
            "x" * 5000,
        ]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value below `value`."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    found = [(*path, name) for name, _child in children]
    return found + [below for name, child in children for below in places(child, (*path, name))]


@st.composite
def disfigured(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    """A full manifest with a few values replaced, removed, or put where they do not belong."""
    changed = copy.deepcopy(whole)
    for _ in range(draw(st.integers(0, 3))):
        *parents, name = draw(st.sampled_from(places(changed)))
        node = changed
        for parent in parents:
            node = node[parent]
        act = draw(st.sampled_from(["replace", "remove", "add"]))
        if act == "replace":
            node[name] = draw(VALUES)
        elif act == "remove":
            del node[name]
        elif isinstance(node, dict):
            node[draw(st.text(max_size=8) | st.sampled_from(["uri", "spec", "size"]))] = draw(VALUES)
    return changed


def full(manifest: dict[str, Any]) -> dict[str, Any]:
    whole = copy.deepcopy(manifest)
    for name, fields in SECTIONS.items():
        whole["spec"][name] = {**whole["spec"].get(name, {}), **fields}
    return whole


def full_feed(feed: dict[str, Any]) -> dict[str, Any]:
    return {**feed, "spec": {**feed["spec"], **copy.deepcopy(FEED)}}


def objections_or_a_spec(loaded: dict[str, Any]) -> None:
    found = validate(loaded)
    for violation in found:
        assert isinstance(violation.field, str)
        assert violation.message
    if found or loaded["kind"] not in ("BacktestRun", "MarketDataFeed"):
        return
    try:
        json.dumps(resolve(loaded), allow_nan=False)
    except SpecError as error:
        assert error.field.startswith("spec")
        assert error.message


def test_the_manifests_to_be_disfigured_are_whole(
    manifest: dict[str, Any], base_of: Callable[[str], dict[str, Any]]
) -> None:
    assert validate(full(manifest)) == []
    feed = full_feed(base_of("objects_marketdatafeed"))
    assert validate(feed) == []
    assert set(feed["spec"]) | {"suspend"} == set(field_schema("MarketDataFeed", "spec")["properties"])


@unchanged_fixture
@given(data=st.data())
def test_a_disfigured_feed_is_objected_to_or_resolved(
    data: st.DataObject, base_of: Callable[[str], dict[str, Any]]
) -> None:
    changed = data.draw(disfigured(full_feed(base_of("objects_marketdatafeed"))))
    try:
        objects = load_manifest(json.dumps(changed), "feed.json")
    except ManifestError as error:
        assert error.message
        return
    for each in objects:
        objections_or_a_spec(each)


@unchanged_fixture
@given(data=st.data())
def test_a_disfigured_manifest_is_objected_to_or_resolved(
    data: st.DataObject, manifest: dict[str, Any]
) -> None:
    changed = data.draw(disfigured(full(manifest)))
    as_yaml = data.draw(st.booleans())
    try:
        text = yaml.safe_dump(changed, allow_unicode=True) if as_yaml else json.dumps(changed)
        objects = load_manifest(text, "run.yaml")
    except ManifestError as error:
        assert error.message
        return
    for each in objects:
        objections_or_a_spec(each)


@unchanged_fixture
@given(data=st.data())
def test_a_manifest_with_a_piece_of_text_exchanged_is_objected_to_or_resolved(
    data: st.DataObject, manifest: dict[str, Any]
) -> None:
    text = yaml.safe_dump(full(manifest))
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(begin, min(len(text), begin + 10)))
        text = (
            text[:begin]
            + data.draw(st.sampled_from([*"{}[]:,&*!|>'\"#-?%@`\n\t 0", "", "null", "1e3"]))
            + text[end:]
        )
    try:
        objects = load_manifest(text.encode("utf-8", "surrogatepass"), "run.yaml")
    except ManifestError as error:
        assert error.message
        return
    for each in objects:
        objections_or_a_spec(each)
