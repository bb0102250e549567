"""The committed tables against a real API server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from spark_crds.manifest import load_manifest
from spark_crds.schema import PLURALS

if TYPE_CHECKING:
    from tests.cluster.client import Cluster

CRDS = Path(__file__).parents[1] / "manifests"
UNWELCOME = ("---", "...", "%", "\ufeff")  # of a whole text; nothing that can stand inside an object

pytestmark = pytest.mark.control_plane


@pytest.fixture(scope="module")
def namespace(control_plane: Cluster) -> Iterator[str]:
    must = control_plane.kubectl
    must("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
    for plural in PLURALS.values():
        must("wait", "--for=condition=Established", "--timeout=30s", f"crd/{plural}.spark.trading")
        must("get", plural)  # a kind is served a moment after it is established
    with control_plane.namespace("spark-crds") as name:
        yield name


def test_the_server_says_what_the_table_says(
    control_plane: Cluster,
    namespace: str,
    object_case: Any,
    split: Callable[[str], tuple[str, set[str]]],
) -> None:
    kubectl, must = control_plane.try_kubectl, control_plane.kubectl
    text = json.dumps(object_case.manifest)
    if object_case.old is None:
        result = kubectl("create", "--dry-run=server", "-n", namespace, "-f", "-", input=text)
    else:
        plural = PLURALS[object_case.kind]
        must("delete", plural, "--all", "-n", namespace)
        must("create", "-n", namespace, "-f", "-", input=json.dumps(object_case.old))
        result = kubectl("replace", "--dry-run=server", "-n", namespace, "-f", "-", input=text)
        must("delete", plural, "--all", "-n", namespace)
    if object_case.accepted:
        assert result.returncode == 0, result.stderr
    else:
        assert result.returncode != 0
        assert split(result.stderr.strip()) == object_case.refusal()


def inside_an_object(text: str) -> str:
    """A BacktestRun whose parameters are `text`, as JSON where the text is."""
    if text.lstrip().startswith("{"):
        shell = json.dumps(
            {
                "apiVersion": "spark.trading/v1alpha1",
                "kind": "BacktestRun",
                "metadata": {"name": "texts"},
                "spec": {
                    "market": {"symbol": "X", "timeframe": "1h"},
                    "data": {"uri": "x"},
                    "strategy": {"entryPoint": "a:B", "params": "HERE"},
                },
            }
        )
        return shell.replace('"HERE"', text.strip())
    head = (
        "apiVersion: spark.trading/v1alpha1\nkind: BacktestRun\nmetadata: {name: texts}\nspec:\n"
        "  market: {symbol: X, timeframe: 1h}\n  data: {uri: x}\n"
        "  strategy:\n    entryPoint: a:B\n    params:\n"
    )
    return head + "".join(f"      {line}\n" for line in text.splitlines())


def test_the_server_stores_what_the_loader_gives(
    control_plane: Cluster, namespace: str, document_case: dict[str, Any]
) -> None:
    text, documents = document_case["text"], document_case.get("documents")
    if any(mark in text for mark in UNWELCOME) or "laxer" in document_case or "\x07" in text:
        pytest.skip("cannot stand inside an object")
    if documents is None and text.lstrip().startswith("{"):
        pytest.skip("kubectl reads broken JSON as YAML or refuses it, depending on how it is delivered")
    if documents is not None and (len(documents) != 1 or not isinstance(documents[0], dict)):
        pytest.skip("is not one object")
    manifest = inside_an_object(text)
    kubectl = control_plane.try_kubectl
    result = kubectl("create", "--dry-run=server", "-o", "json", "-n", namespace, "-f", "-", input=manifest)
    if documents is None:
        assert result.returncode != 0
        return
    assert result.returncode == 0, result.stderr
    stored = load_manifest(result.stdout, "server")[0]["spec"]["strategy"]["params"]
    assert json.dumps(stored, sort_keys=True) == json.dumps(documents[0], sort_keys=True)
    if "stricter" not in document_case:
        (ours,) = load_manifest(manifest, "run.yaml")
        assert ours["spec"]["strategy"]["params"] == stored


def test_a_new_run_is_pending_and_unobserved_and_reads_well(
    control_plane: Cluster, namespace: str, manifest: dict[str, Any]
) -> None:
    must = control_plane.kubectl
    must("create", "-n", namespace, "-f", "-", input=json.dumps(manifest))
    stored = json.loads(must("get", "btr", "base", "-n", namespace, "-o", "json"))
    assert stored["status"] == {"observedGeneration": -1, "phase": "Pending"}
    header, row = must("get", "btr", "-n", namespace).splitlines()
    columns = ["NAME", "PHASE", "STRATEGY", "SYMBOL", "TF", "RETURN", "SHARPE", "DRAWDOWN", "TRADES", "AGE"]
    assert header.split() == columns
    assert row.split()[:5] == ["base", "Pending", "sma-cross", "BTCUSDT", "1h"]
    selector = "--field-selector=status.phase!=Succeeded,spec.strategy.name=sma-cross"
    assert must("get", "btr", "-n", namespace, selector, "-o", "name").strip().endswith("/base")
    must("delete", "btr", "base", "-n", namespace)


@pytest.mark.parametrize(
    ("table", "short", "columns"),
    [
        (
            "objects_parametersweep",
            "swp",
            "NAME PHASE STRATEGY SYMBOL TF SHARDS DONE TRIALS OBJECTIVE DEFLATED OVERFIT AGE",
        ),
        ("objects_guardrailconfig", "grc", "NAME PHASE GATE REVISION PROPOSER KILL AGE"),
        ("objects_guardrailapproval", "gra", "NAME PHASE CONFIG GENERATION DECISION APPROVER AGE"),
        ("objects_marketdatafeed", "mdf", "NAME PHASE PROVIDER SYMBOLS UP FRESH LAG TICK AGE"),
    ],
)
def test_a_new_object_of_every_kind_is_pending_and_reads_well(
    control_plane: Cluster,
    namespace: str,
    base_of: Callable[[str], Any],
    table: str,
    short: str,
    columns: str,
) -> None:
    must = control_plane.kubectl
    manifest = base_of(table)
    name = manifest["metadata"]["name"]
    must("create", "-n", namespace, "-f", "-", input=json.dumps(manifest))
    stored = json.loads(must("get", short, name, "-n", namespace, "-o", "json"))
    assert stored["status"] == {"observedGeneration": -1, "phase": "Pending"}
    assert must("get", short, "-n", namespace).splitlines()[0].split() == columns.split()
    pending = must("get", short, "-n", namespace, "--field-selector=status.phase=Pending", "-o", "name")
    assert pending.strip().endswith(f"/{name}")
    must("delete", short, name, "-n", namespace)
