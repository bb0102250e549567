"""SIGKILL, a stolen Lease, two replicas: one Job, one result, one of each Event."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.cluster.client import eventually
from tests.node.conftest import OPERATOR, Platform, Tenant

pytestmark = pytest.mark.node

READS = ("get", "list", "watch")
KILLS = 10
LONGEST_RUN = 5.0


def test_sigkill_at_ten_random_moments_gives_one_job_one_result_and_no_event_twice(
    platform: Platform, tenant: Tenant
) -> None:
    chance = random.Random(20261121)  # noqa: S311 - repeatable on purpose
    for number in range(KILLS):
        name = f"killed-{number}"
        tenant.apply(name)
        time.sleep(chance.uniform(0, LONGEST_RUN))
        kill_operators(platform)
        replace_pods(platform)
        status = tenant.wait(name, seconds=170)
        assert status["attempt"] == 1
        eventually(lambda name=name: harvested(tenant, name), f"the Job of {name} is put away", 60)
        assert only_once(tenant, name) - {"Starting"} == {"Succeeded"}  # only the first may die with it


def test_a_lease_taken_away_ends_the_leader_and_the_replicas_never_write_at_once(
    platform: Platform, tenant: Tenant
) -> None:
    for number in range(3):
        eventually(lambda: platform.leader() in operators(platform), "a replica leads", 90)
        former = platform.leader()
        before = operators(platform)[former]
        for run in range(3):
            tenant.apply(f"contested-{number}-{run}")
        take_lease_away(platform)

        def ended(former: str = former, before: int = before) -> bool:
            return operators(platform)[former] > before

        eventually(ended, "the former leader has ended", 90)
        for run in range(3):
            tenant.wait(f"contested-{number}-{run}", seconds=170)
    assert writes_without_the_lease(platform, tenant.namespace) == []


def kill_operators(platform: Platform) -> None:
    """SIGKILL of every operator process, by the node: the pods themselves cannot know."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended since
            command = status.read_bytes().split(b"\0")
            if command[1:3] == [b"-m", b"spark_operator"] and is_of(platform, status.parent):
                os.kill(int(status.parent.name), signal.SIGKILL)


def is_of(platform: Platform, process: Path) -> bool:
    """Whether a process of this machine is in one of the release's pods, by its host name."""
    environment = (process / "environ").read_bytes().split(b"\0")
    pods = platform.cluster.get("pods", "--namespace", platform.namespace)["items"]
    names = {f"HOSTNAME={pod['metadata']['name']}".encode() for pod in pods}
    return bool(names & set(environment))


def harvested(tenant: Tenant, name: str) -> bool:
    (job,) = [j for j in tenant.items("jobs") if j["metadata"]["labels"]["spark.trading/run"] == name]
    return "spark.trading/harvested" in job["metadata"]["labels"]


def only_once(tenant: Tenant, name: str) -> set[str]:
    """The reasons of a run's Events, none of which may be there twice or have a count."""
    events = [e for e in tenant.items("events") if e["involvedObject"]["name"] == name]
    reasons = [event["reason"] for event in events]
    assert len(reasons) == len(set(reasons)), reasons
    assert all((event.get("count") or 1) == 1 for event in events)
    return set(reasons)


def take_lease_away(platform: Platform) -> None:
    stolen = {"spec": {"holderIdentity": "somebody-else", "renewTime": "2026-01-01T00:00:00.000000Z"}}
    platform.cluster.kubectl(
        *("--namespace", platform.namespace, "patch", "lease", "spark-operator"),
        *("--type=merge", "-p", json.dumps(stolen)),
    )


def replace_pods(platform: Platform) -> None:
    """New pods for those whose process was killed: the kubelet would wait longer before each restart."""
    selector = "--selector=app.kubernetes.io/name=spark-operator"
    platform.cluster.kubectl("--namespace", platform.namespace, "delete", "pods", selector, "--now")


def operators(platform: Platform) -> dict[str, int]:
    """The operator's pods, and how often each was restarted."""
    found = platform.cluster.get("pods", "--namespace", platform.namespace)["items"]
    return {
        pod["metadata"]["name"]: sum(c["restartCount"] for c in pod["status"].get("containerStatuses", []))
        for pod in found
        if pod["metadata"]["labels"]["app.kubernetes.io/name"] == "spark-operator"
    }


def writes_without_the_lease(platform: Platform, namespace: str) -> list[str]:
    """Writes to a namespace by an address that was not the last one to write the Lease."""
    records = [r for r in platform.cluster.audited() if r["user"]["username"] == OPERATOR]
    writes = [r for r in records if r["verb"] not in READS and r["responseStatus"]["code"] < 300]
    taken = sorted(
        (r["stageTimestamp"], r["sourceIPs"][0]) for r in writes if r["objectRef"]["resource"] == "leases"
    )
    offences = []
    for write in writes:
        at, address, what = write["requestReceivedTimestamp"], write["sourceIPs"][0], write["objectRef"]
        if what.get("namespace") != namespace:
            continue
        holders = [holder for when, holder in taken if when <= at]
        if not holders or holders[-1] != address:
            offences.append(f"{at} {address} {write['verb']} {what['resource']}/{what.get('name')}")
    return offences
