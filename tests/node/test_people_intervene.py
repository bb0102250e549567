"""Suspend, resume, cancel, delete: at any moment, and nothing is left behind."""

from __future__ import annotations

import pytest

from tests.cluster.client import eventually
from tests.node.conftest import HALTED, SECONDS_TO_FINISH_HALTED, Tenant

pytestmark = pytest.mark.node


def test_a_run_that_is_suspended_while_it_runs_starts_anew_when_resumed(tenant: Tenant) -> None:
    tenant.apply("paused", engine=HALTED)
    tenant.until("paused", "Running")
    tenant.edit("paused", suspend=True)
    tenant.wait("paused", "Suspended")
    # one that has ended counts no more for its Job, and goes when the kubelet has put it away
    assert {pod["status"]["phase"] for pod in tenant.items("pods")} <= {"Succeeded", "Failed"}
    eventually(lambda: tenant.items("pods") == [], "no pod is left", 60)
    assert tenant.status("paused")["phase"] == "Suspended"
    tenant.edit("paused", suspend=False)
    status = tenant.wait("paused", seconds=SECONDS_TO_FINISH_HALTED)
    assert status["attempt"] == 1
    assert len(tenant.items("jobs")) == 1


def test_a_run_that_is_cancelled_while_it_runs_ends_when_its_pod_is_gone(tenant: Tenant) -> None:
    tenant.apply("stopped", engine=HALTED)
    tenant.until("stopped", "Running")
    tenant.edit("stopped", cancel=True)
    tenant.wait("stopped", "Failed")
    assert tenant.condition("stopped", "Failed")["reason"] == "Cancelled"
    assert tenant.empty("stopped")


def test_a_held_run_that_is_cancelled_never_had_a_job(tenant: Tenant) -> None:
    tenant.apply("held", suspend=True)
    tenant.wait("held", "Suspended")
    tenant.edit("held", cancel=True)
    tenant.wait("held", "Failed")
    assert "jobName" not in tenant.status("held")


def test_a_job_that_somebody_deletes_is_a_lost_attempt(tenant: Tenant) -> None:
    tenant.apply("robbed", engine=HALTED, retries=1)
    tenant.until("robbed", "Running")
    tenant.kubectl("delete", "job", "--all")
    eventually(lambda: tenant.status("robbed")["attempt"] == 2, "there is a second attempt", 60)
    assert tenant.wait("robbed", seconds=SECONDS_TO_FINISH_HALTED)["jobName"].endswith("-2")


@pytest.mark.parametrize("phase", ["Suspended", "Starting", "Running", "Succeeded", "Failed"])
def test_deleting_a_run_in_any_phase_leaves_nothing_behind(tenant: Tenant, phase: str) -> None:
    name = f"gone-{phase.lower()}"
    match phase:
        case "Suspended":
            tenant.apply(name, suspend=True)
            tenant.wait(name, "Suspended")
        case "Starting":
            tenant.apply_unpullable(name)  # any other may run before it is looked at
            tenant.until(name, "Starting")
        case "Running":
            tenant.apply(name, engine=HALTED)
            tenant.until(name, "Running")
        case "Succeeded":
            tenant.apply(name)
            tenant.wait(name)
        case "Failed":
            tenant.apply(name, data={"uri": "sample://dogecoin"})
            tenant.wait(name, "Failed")
    tenant.kubectl("delete", "btr", name)
    eventually(lambda: tenant.empty(name), "no Job and no pod is left", 60)
    assert tenant.items("btr") == []
