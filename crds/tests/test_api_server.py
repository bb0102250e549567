"""The committed tables against a real API server: USE_EXISTING_CLUSTER=true, KUBECONFIG, and kubectl."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from spark_crds.manifest import load_manifest

CRDS = Path(__file__).parents[1] / "manifests"
UNWELCOME = ("---", "...", "%", "\ufeff")  # of a whole text; nothing that can stand inside an object

pytestmark = pytest.mark.api_server


def kubectl(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["kubectl", *arguments], input=text, capture_output=True, text=True)


def must(*arguments: str, text: str = "") -> str:
    result = kubectl(*arguments, text=text)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    must("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
    must("wait", "--for=condition=Established", "--timeout=30s", "crd/backtestruns.spark.trading")
    must("get", "backtestruns")  # the kind is served a moment after it is established
    name = f"spark-crds-{uuid.uuid4().hex[:8]}"
    must("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


def test_the_server_says_what_the_table_says(
    namespace: str, object_case: Any, split: Callable[[str], tuple[str, set[str]]]
) -> None:
    text = json.dumps(object_case.manifest)
    if object_case.old is None:
        result = kubectl("create", "--dry-run=server", "-n", namespace, "-f", "-", text=text)
    else:
        must("delete", "btr", "--all", "-n", namespace)
        must("create", "-n", namespace, "-f", "-", text=json.dumps(object_case.old))
        result = kubectl("replace", "--dry-run=server", "-n", namespace, "-f", "-", text=text)
        must("delete", "btr", "--all", "-n", namespace)
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


def test_the_server_stores_what_the_loader_gives(namespace: str, document_case: dict[str, Any]) -> None:
    text, documents = document_case["text"], document_case.get("documents")
    if any(mark in text for mark in UNWELCOME) or "laxer" in document_case or "\x07" in text:
        pytest.skip("cannot stand inside an object")
    if documents is None and text.lstrip().startswith("{"):
        pytest.skip("kubectl reads broken JSON as YAML or refuses it, depending on how it is delivered")
    if documents is not None and (len(documents) != 1 or not isinstance(documents[0], dict)):
        pytest.skip("is not one object")
    manifest = inside_an_object(text)
    result = kubectl("create", "--dry-run=server", "-o", "json", "-n", namespace, "-f", "-", text=manifest)
    if documents is None:
        assert result.returncode != 0
        return
    assert result.returncode == 0, result.stderr
    stored = load_manifest(result.stdout, "server")[0]["spec"]["strategy"]["params"]
    assert json.dumps(stored, sort_keys=True) == json.dumps(documents[0], sort_keys=True)
    if "stricter" not in document_case:
        (ours,) = load_manifest(manifest, "run.yaml")
        assert ours["spec"]["strategy"]["params"] == stored


def test_a_new_run_is_pending_and_unobserved_and_reads_well(namespace: str, manifest: dict[str, Any]) -> None:
    must("create", "-n", namespace, "-f", "-", text=json.dumps(manifest))
    stored = json.loads(must("get", "btr", "base", "-n", namespace, "-o", "json"))
    assert stored["status"] == {"observedGeneration": -1, "phase": "Pending"}
    header, row = must("get", "btr", "-n", namespace).splitlines()
    columns = ["NAME", "PHASE", "STRATEGY", "SYMBOL", "TF", "RETURN", "SHARPE", "DRAWDOWN", "TRADES", "AGE"]
    assert header.split() == columns
    assert row.split()[:5] == ["base", "Pending", "sma-cross", "BTCUSDT", "1h"]
    selector = "--field-selector=status.phase!=Succeeded,spec.strategy.name=sma-cross"
    assert must("get", "btr", "-n", namespace, selector, "-o", "name").strip().endswith("/base")
    must("delete", "btr", "base", "-n", namespace)
