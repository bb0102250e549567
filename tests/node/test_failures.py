"""What cannot be run, what fails, and what is tried again: the right reason, in words for people."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.cluster.client import eventually
from tests.node.conftest import EXAMPLE, HALTED, SECONDS_TO_FINISH_HALTED, START_DEADLINE, Tenant

pytestmark = pytest.mark.node

SPEC: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())["spec"]
USERS_FAULTS = [
    (
        "bad-parameter",
        {"strategy": {"name": "sma-cross", "params": {"fast": 99, "slow": 26}}},
        "InvalidSpec",
        "spec.strategy.params.fast: fast must be smaller than slow (fast is 99, slow is 26)",
    ),
    (
        "no-such-exchange",
        {"market": {**SPEC["market"], "calendar": "XISX"}},
        "InvalidSpec",
        "spec.market.calendar: ",
    ),
    (
        "no-such-sample",
        {"data": {"uri": "sample://dogecoin"}},
        "InvalidData",
        "spec.data.uri: ",
    ),
    (
        "other-bytes",
        {"data": {"uri": "sample://btcusdt-1h", "sha256": "0" * 64}},
        "InvalidData",
        "spec.data.sha256: is " + "0" * 64,
    ),
    (
        "no-bucket",
        {"data": {"uri": "s3://no-such-bucket/candles.parquet"}},
        "InvalidData",
        "spec.data.uri: ",
    ),
]


@pytest.mark.parametrize(("name", "spec", "reason", "told"), USERS_FAULTS, ids=[f[0] for f in USERS_FAULTS])
def test_a_fault_of_the_user_is_named_and_neither_retried_nor_left_lying_about(
    tenant: Tenant, name: str, spec: dict[str, Any], reason: str, told: str
) -> None:
    tenant.apply(name, ttlSecondsAfterFinished=0, **spec)
    status = tenant.wait(name, "Failed")
    failed = tenant.condition(name, "Failed")
    assert (failed["reason"], tenant.condition(name, "Stalled")["reason"]) == (reason, reason)
    assert failed["message"].startswith(told)
    assert "tries)" not in failed["message"]
    assert "Traceback" not in str(status)
    assert status.get("attempt", 1) == 1
    eventually(lambda: tenant.empty(name), "no Job and no pod is left")


def test_running_out_of_memory_is_tried_again_and_then_named(tenant: Tenant) -> None:
    tenant.apply("hungry", retries=1, engine={"resources": {"limits": {"memory": "16Mi"}}})
    tenant.wait("hungry", "Failed")
    failed = tenant.condition("hungry", "Failed")
    assert failed["reason"] == "OutOfMemory"
    assert failed["message"].endswith("(the last of 2 tries)")
    assert len(tenant.items("pods")) == 2


def test_an_evicted_pod_costs_no_retry(tenant: Tenant) -> None:
    tenant.apply("evicted", retries=0, engine=HALTED)
    tenant.until("evicted", "Running")
    (pod,) = tenant.items("pods")
    evict(tenant, pod["metadata"]["name"])
    status = tenant.wait("evicted", seconds=SECONDS_TO_FINISH_HALTED)
    assert status["attempt"] == 1
    assert tenant.items("jobs")[0]["status"].get("failed", 0) == 0


def test_an_image_that_cannot_be_pulled_ends_with_the_event_quoted(tenant: Tenant) -> None:
    tenant.apply_unpullable("unpullable")
    tenant.until("unpullable", "PodsNotStarted")
    tenant.wait("unpullable", "Failed")
    failed = tenant.condition("unpullable", "Failed")
    assert failed["reason"] == "StartDeadlineExceeded"
    assert failed["message"].startswith(f"nothing started for {START_DEADLINE} s: a pod does not start: ")
    assert "no-such-image" in failed["message"]
    eventually(lambda: tenant.empty("unpullable"), "no Job and no pod is left", 60)


def test_pods_that_a_quota_refuses_are_reported_and_given_up(tenant: Tenant) -> None:
    tenant.kubectl("create", "quota", "none", "--hard=pods=0")
    tenant.apply("refused")
    tenant.until("refused", "PodsNotCreated")
    tenant.wait("refused", "Failed")
    failed = tenant.condition("refused", "Failed")
    assert failed["reason"] == "StartDeadlineExceeded"
    assert "exceeded quota: none" in failed["message"]
    eventually(lambda: tenant.empty("refused"), "no Job is left")


def test_an_engine_that_outlives_its_deadline_says_so_itself(tenant: Tenant) -> None:
    tenant.apply("slow", activeDeadlineSeconds=1, engine=HALTED)
    tenant.wait("slow", "Failed")
    assert tenant.condition("slow", "Failed")["reason"] == "DeadlineExceeded"
    assert len(tenant.items("pods")) == 1


def evict(tenant: Tenant, pod: str) -> None:
    path = f"/api/v1/namespaces/{tenant.namespace}/pods/{pod}/eviction"
    eviction = f'{{"apiVersion":"policy/v1","kind":"Eviction","metadata":{{"name":"{pod}"}}}}'
    tenant.kubectl("create", "--raw", path, "-f", "-", input=eviction)
