"""kubectl apply to evidence: the same manifest, the same digest, and proof that anyone can repeat."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import obstore
import pytest
from obstore.store import from_url

from tests.cluster.client import S3Access, eventually
from tests.node.conftest import EXAMPLE, Platform, Tenant, backtest
from tests.node.http import call, forwarded

pytestmark = pytest.mark.node

RUN = "btcusdt-1h-sma-cross"


def test_the_same_manifest_gives_the_digest_of_the_laptop_and_evidence_that_verifies(
    platform: Platform, tenant: Tenant, laptop_digest: str, tmp_path: Path
) -> None:
    tenant.kubectl("apply", "-f", str(EXAMPLE))
    status = tenant.wait(RUN)
    assert status["digest"] == laptop_digest
    assert status["phase"] == "Succeeded"
    assert status["summary"]["trades"] > 1000
    assert status["provenance"]["image"] == platform.images.engine
    assert status["intent"]["image"] == platform.images.engine
    directory = download(tenant.cluster.s3, status["artifact"]["uri"], tmp_path / "artifact")
    evidence = (directory / "evidence.json").read_bytes()
    assert hashlib.sha256(evidence).hexdigest() == status["artifact"]["sha256"]
    assert len(evidence) == status["artifact"]["bytes"]
    assert json.loads(evidence)["run"]["jobUID"] == status["jobUID"]
    backtest("verify", directory, "--rerun")


def test_engine_pods_hold_no_token_and_run_restricted(tenant: Tenant) -> None:
    tenant.apply("tokenless")
    tenant.wait("tokenless")
    (pod,) = tenant.items("pods")
    assert pod["spec"]["automountServiceAccountToken"] is False
    mounts = [mount["mountPath"] for mount in pod["spec"]["containers"][0]["volumeMounts"]]
    assert sorted(mounts) == ["/etc/backtest", "/tmp"]  # noqa: S108


def test_kubectl_get_and_describe_tell_the_result_in_one_look(tenant: Tenant) -> None:
    tenant.apply("shown")
    tenant.wait("shown")
    (header, row) = tenant.kubectl("get", "btr").splitlines()
    assert header.split() == (
        "NAME PHASE STRATEGY SYMBOL TF RETURN SHARPE DRAWDOWN TRADES AGE".split()  # noqa: SIM905 - as it is seen
    )
    assert row.split()[:8] == ["shown", "Succeeded", "sma-cross", "BTCUSDT", "1h", "+113.4%", "0.50", "74.9%"]
    described = tenant.kubectl("describe", "btr", "shown")
    assert "return +113.36%, Sharpe 0.50, trades 1,157" in described
    assert "Job shown-" in described.partition("Events:")[2]


def test_the_job_of_a_finished_run_goes_with_its_ttl_and_the_run_stays(tenant: Tenant) -> None:
    tenant.apply("brief", ttlSecondsAfterFinished=0)
    digest = tenant.wait("brief")["digest"]
    eventually(lambda: tenant.empty("brief"), "the Job is gone")
    assert tenant.status("brief")["digest"] == digest


def test_a_start_with_an_empty_body_runs_to_done_on_a_fresh_install(
    platform: Platform, tenant: Tenant
) -> None:
    namespace = tenant.namespace
    tenant.kubectl("create", "serviceaccount", "quant")
    subject = f"--serviceaccount={namespace}:quant"
    tenant.kubectl("create", "rolebinding", "quant", "--clusterrole=edit", subject)
    token = tenant.kubectl("create", "token", "quant").strip()
    with forwarded(platform) as url:
        started = call(f"{url}/api/backtest/start?namespace={namespace}", token, b"{}")
        assert (started["status"], started["id"][:3]) == ("queued", "bt-")

        def status() -> str:
            return str(
                call(f"{url}/api/backtest/status?id={started['id']}&namespace={namespace}", token)["status"]
            )

        eventually(lambda: status() == "done", "the run is done", 120)
    assert tenant.status(started["id"])["phase"] == "Succeeded"


def download(s3: S3Access, uri: str, to: Path) -> Path:
    """Every object below the uri."""
    store = from_url(
        uri,
        endpoint=s3.endpoint,
        access_key_id=s3.access_key,
        secret_access_key=s3.secret_key,
        region="us-east-1",
        client_options={"allow_http": True},
    )
    to.mkdir()
    for batch in obstore.list(store):
        for item in batch:
            (to / item["path"]).write_bytes(obstore.get(store, item["path"]).bytes())
    return to
