"""The pod contract: run.json in; artifact, one bounded message and an exit code out."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spark_engine.execute.manifest import resolve_run

Manifest = dict[str, Any]
Pod = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    """Runs the engine as its container does; gives the exit code and the termination message."""

    def run(document: object, **environment: str) -> tuple[int, dict[str, Any]]:
        file, message = tmp_path / "run.json", tmp_path / "termination-log"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        variables = {
            "SPARK_RUN_FILE": str(file),
            "SPARK_TERMINATION_LOG": str(message),
            "SPARK_JOB_UID": "job-1",
        }
        finished = subprocess.run(
            [sys.executable, "-m", "spark_engine.pod"],
            env={**os.environ, **variables, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "Traceback" not in finished.stdout + finished.stderr
        assert len(message.read_bytes()) <= 3500
        return finished.returncode, json.loads(message.read_bytes())

    return run


def document(manifest: Manifest, **fields: object) -> dict[str, Any]:
    return resolve_run(manifest).document() | fields


def test_a_run_without_a_store_leaves_its_results_in_the_message(pod: Pod, manifest: Manifest) -> None:
    code, message = pod(document(manifest, run={"namespace": "quants", "name": "a", "uid": "run-1"}))
    assert code == 0
    assert (message["runUID"], message["jobUID"], message["attempt"], message["index"]) == (
        "run-1",
        "job-1",
        1,
        0,
    )
    assert message["verdict"] is True
    assert message["metrics"]["trades"] > 1000
    assert "artifact" not in message and "error" not in message


def test_the_message_names_the_digest_of_the_command(
    pod: Pod, manifest: Manifest, backtest: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    told = json.loads(backtest("run", "-f", "-", "--output", "json", stdin=json.dumps(manifest)).stdout)
    assert pod(document(manifest))[1]["digest"] == told["digest"]


def test_the_artifact_in_the_store_is_the_one_of_the_message_and_verifies(
    pod: Pod, manifest: Manifest, tmp_path: Path, backtest: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    run = tmp_path / "store" / "quants" / "a-run-1"
    code, message = pod(document(manifest, artifact={"uri": run.as_uri()}))
    store = run / "job-1"
    assert code == 0
    evidence = (store / "evidence.json").read_bytes()
    assert message["artifact"] == {
        "uri": store.as_uri(),
        "sha256": hashlib.sha256(evidence).hexdigest(),
        "bytes": len(evidence),
        "files": sorted(path.name for path in store.iterdir()),
    }
    assert backtest("verify", store, "--rerun").returncode == 0


def test_a_breach_under_policy_fail_leaves_the_bars_until_then_and_ends_with_13(
    pod: Pod, manifest: Manifest, tmp_path: Path, backtest: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    limits = tmp_path / "guardrails.json"
    limits.write_text(json.dumps({"maxDrawdown": "0.1", "policy": "Fail"}))
    pin = {"revision": "r1", "sha256": hashlib.sha256(limits.read_bytes()).hexdigest()}
    run = document(manifest, guardrails=pin, artifact={"uri": (tmp_path / "store").as_uri()})
    code, message = pod(run, SPARK_GUARDRAILS_FILE=str(limits))
    store = tmp_path / "store" / "job-1"
    assert code == 13
    assert (message["error"]["reason"], message["error"]["field"]) == (
        "GuardrailBreach",
        "guardrails.maxDrawdown",
    )
    evidence = json.loads((store / "evidence.json").read_bytes())
    (breach,) = evidence["result"]["guardrailEvents"]
    assert evidence["status"] == "failed"
    assert breach["bar"] == evidence["result"]["counts"]["bars"] - 1 == 201
    assert breach["value"] >= 0.1
    assert backtest("verify", store, "--rerun").returncode == 0


def test_a_bad_spec_is_told_with_reason_field_and_message(pod: Pod, manifest: Manifest) -> None:
    spoilt = document(manifest)
    spoilt["spec"]["strategy"]["params"]["fast"] = 99
    code, message = pod(spoilt)
    assert code == 10
    assert message["error"]["reason"] == "InvalidSpec"
    assert message["error"]["field"] == "spec.strategy.params.fast"
    assert "slow" in message["error"]["message"]


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '{"schema": "spark.trading/run/v2"}'])
def test_a_file_that_is_no_run_is_a_bad_spec(pod: Pod, text: str) -> None:
    code, message = pod(text)
    assert (code, message["error"]["reason"]) == (10, "InvalidSpec")


def test_bad_data_is_told(pod: Pod, manifest: Manifest) -> None:
    manifest["spec"]["data"] = {"uri": "/nowhere.parquet"}
    code, message = pod(document(manifest))
    assert (code, message["error"]["reason"]) == (11, "InvalidData")


def test_guardrails_that_are_not_the_pinned_ones_are_refused(
    pod: Pod, manifest: Manifest, tmp_path: Path
) -> None:
    limits = tmp_path / "guardrails.json"
    limits.write_text('{"allowedSymbols":["BTCUSDT"]}')
    pin = {"revision": "default-1", "sha256": hashlib.sha256(limits.read_bytes()).hexdigest()}
    assert pod(document(manifest, guardrails=pin), SPARK_GUARDRAILS_FILE=str(limits))[0] == 0
    limits.write_text('{"allowedSymbols":["BTCUSDT","ETHUSDT"]}')
    code, message = pod(document(manifest, guardrails=pin), SPARK_GUARDRAILS_FILE=str(limits))
    assert (code, message["error"]["field"]) == (10, "guardrails.sha256")


def test_a_store_that_cannot_be_written_is_retried_by_its_exit_code(pod: Pod, manifest: Manifest) -> None:
    code, message = pod(document(manifest, artifact={"uri": "file:///proc/nowhere"}))
    assert (code, message["error"]["reason"]) == (21, "StoreUnavailable")
