"""A start among ten thousand finished runs: they are listed, and left alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from probe.fixtures import client_of
from spark_operator.configuration.model import Configuration

from scale.audit import Audit, Request, tally
from scale.conftest import Plane
from scale.process import Metrics, Operator, memory_limit, until
from scale.runs import create_finished

pytestmark = pytest.mark.control_plane

COUNT = 10_000
PAGES = COUNT // 500
SECONDS_TO_BE_READY = 10.0
LONGEST = 3600
"""Seconds: to make the runs takes three minutes of two processors, ten of busy ones."""
MEBIBYTE = 2**20


@pytest.mark.timeout(LONGEST)
def test_ten_thousand_finished_runs_cost_a_start_no_write_and_no_read_of_their_own(
    plane: Plane, namespace: str, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    configuration = {
        "engine": {"image": "example.test/spark-engine@sha256:" + "a" * 64},
        "store": {"uri": "s3://evidence/spark"},
        "watch": {"namespaces": [namespace]},
        "controller": {"resyncSeconds": 5},
    }
    names = [f"finished-{number:05}" for number in range(COUNT)]

    async def play() -> None:
        begun = time.monotonic()
        async with client_of(plane.cluster.kubeconfig, write_timeout=30.0) as cluster:
            await create_finished(cluster, namespace, names, Configuration.model_validate(configuration))
        tell(f"{COUNT:,} finished runs were made in {time.monotonic() - begun:.1f} s")
        audit = Audit(plane.audit_log)
        with Operator(tmp_path, plane.kubeconfig, configuration) as operator:
            ready = await operator.ready()
            first = operator.metrics().of("process_resident_memory_bytes")
            verdict = "yes" if ready <= SECONDS_TO_BE_READY else "NO"
            tell(f"ready {ready:.2f} s after its start, within {SECONDS_TO_BE_READY:.0f} s: {verdict}")
            tell(f"resident when ready: {first / MEBIBYTE:.0f} MiB")
            await until(lambda: are_watched(audit.requests()), "runs and Jobs are watched")
            await until(lambda: rounds(audit.requests()) >= 3, "two more rounds of resync")
            metrics, asked = operator.metrics(), audit.requests()
            most = operator.largest_memory()
            limit = memory_limit() / MEBIBYTE
            tell(f"largest resident set, two resyncs later: {most / MEBIBYTE:.0f} MiB of {limit:.0f}")
            listing = [each.seconds for each in asked if str(each) == "list backtestruns"]
            tell(f"requests: {tally(asked)}; first LIST: {sum(listing[:PAGES]):.1f} s in the API server")
            assert {each.resource for each in asked if each.is_write} == {"leases"}
            assert [each for each in asked if each.resource != "leases" and each.verb == "get"] == []
            agrees(metrics, asked)
            assert metrics.of("workqueue_adds_total") == 0
            assert metrics.of("controller_runtime_reconcile_total") == 0
            assert operator.problems() == []
            assert most < memory_limit()

    asyncio.run(play())


def are_watched(asked: list[Request]) -> bool:
    return {"backtestruns", "jobs"} <= {each.resource for each in asked if each.verb == "watch"}


def rounds(asked: list[Request]) -> int:
    """How often unharvested Jobs were asked for, which ends a round of resync."""
    return sum(each.verb == "list" and "harvested" in each.selector for each in asked)


def agrees(metrics: Metrics, asked: list[Request]) -> None:
    """What the operator counts of its requests is what the API server saw: only writes of its Lease."""
    written = {verb: sum(each.verb == verb for each in asked) for verb in ("create", "update")}
    counted = "rest_client_requests_total"
    assert metrics.of(counted, method="POST") == written["create"] <= 1
    assert 0 < metrics.of(counted, method="PUT") <= written["update"]
    assert metrics.of(counted, method="PATCH") == metrics.of(counted, method="DELETE") == 0
