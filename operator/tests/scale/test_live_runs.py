"""Two hundred runs at once: each costs its few writes, and no more are alive than a namespace may have."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from probe.fixtures import client_of
from spark_operator.cluster.client import KubernetesCluster
from spark_operator.cluster.interface import Object, every
from spark_operator.cluster.resources import BACKTEST_RUNS
from spark_operator.core.backtestrun.observed import order

from scale.audit import Audit, Request, tally
from scale.conftest import Plane
from scale.jobs import JobHistory
from scale.node import Node
from scale.process import Metrics, Operator, memory_limit
from scale.runs import create

pytestmark = pytest.mark.control_plane

COUNT = 200
LIMIT = 50
RUN_SECONDS = 1.0
WRITES = {
    "update backtestruns/status": 4,  # the intent, the Job's uid, it runs, the result
    "create jobs": 1,
    "patch jobs": 1,  # time to live and label
}
EVENT_POSTS = 3
"""Starting and Succeeded; the latter again with the last write, in case of a crash before it."""
REPORTED_AFTER = 13.0
"""Seconds, less what rounding takes, after which a Job without a pod is told of: one more write."""
QUEUE_WRITES = 9
"""The position is told when it has halved: of 200, at most 150, 75, 37, ... 1."""
MEBIBYTE = 2**20

Tell = Callable[[str], None]


def test_two_hundred_live_runs_end_with_the_budgeted_writes_each(
    plane: Plane, namespace: str, tmp_path: Path, tell: Tell
) -> None:
    async def play() -> None:
        async with client_of(plane.cluster.kubeconfig) as cluster:
            node, history, audit = Node(cluster, namespace, RUN_SECONDS), JobHistory(), Audit(plane.audit_log)
            operator = Operator(tmp_path, plane.kubeconfig, configuration(node, namespace, COUNT))
            async with node.running(), history.following(cluster, namespace):
                with operator:
                    await operator.ready()
                    begun = time.monotonic()
                    await create(cluster, namespace, names())
                    tell(f"{COUNT} runs were made in {time.monotonic() - begun:.1f} s")
                    await history.until_put_away(COUNT)
                    told(tell, history, begun, operator, audit)
            assert await phases(cluster, namespace) == {"Succeeded": COUNT}
            for run, asked in writes_by_run(audit.requests(), namespace).items():
                counts = Counter(map(str, asked))
                assert counts.pop("create events") <= EVENT_POSTS
                counts["update backtestruns/status"] -= waited(history, run) > REPORTED_AFTER
                assert counts <= Counter(WRITES), run
            late = sum(waited(history, run) > REPORTED_AFTER for run in names())
            tell(f"the Job controller took up {late} Jobs later than {REPORTED_AFTER:.0f} s")

    asyncio.run(play())


def test_no_more_runs_are_alive_than_a_namespace_may_have_and_they_go_in_order(
    plane: Plane, namespace: str, tmp_path: Path, tell: Tell
) -> None:
    async def play() -> None:
        async with client_of(plane.cluster.kubeconfig) as cluster:
            node, history, audit = Node(cluster, namespace, RUN_SECONDS), JobHistory(), Audit(plane.audit_log)
            operator = Operator(tmp_path, plane.kubeconfig, configuration(node, namespace, LIMIT))
            await create(cluster, namespace, names())
            runs = [run async for run in every(cluster, BACKTEST_RUNS, namespace)]
            line = [run["metadata"]["name"] for run in sorted(runs, key=order)]
            async with node.running(), history.following(cluster, namespace):
                with operator:
                    await operator.ready()
                    begun = time.monotonic()
                    await history.until_put_away(COUNT)
                    told(tell, history, begun, operator, audit)
            tell(f"most Jobs alive at a time: {history.most_alive} of {LIMIT}")
            assert history.most_alive <= LIMIT
            for place, run in enumerate(line):
                ahead = history.ended_before[run] & set(line[:place])
                assert len(ahead) > place - LIMIT, f"{run} jumped the queue"
            assert await phases(cluster, namespace) == {"Succeeded": COUNT}
            for run, asked in writes_by_run(audit.requests(), namespace).items():
                counts = Counter(map(str, asked))
                assert counts.pop("create events") <= EVENT_POSTS
                counts["update backtestruns/status"] -= QUEUE_WRITES
                assert counts <= Counter(WRITES), run

    asyncio.run(play())


def names() -> list[str]:
    return [f"live-{number:03}" for number in range(COUNT)]


def waited(history: JobHistory, run: str) -> float:
    """Seconds from a Job's creation until the Job controller took it up."""
    return history.taken_up[run] - history.made[run]


def configuration(node: Node, namespace: str, limit: int) -> dict[str, Any]:
    image = "example.test/spark-engine@sha256:" + "a" * 64
    return {
        "engine": {"image": image, **node.engine_settings},
        "store": {"uri": "s3://evidence/spark"},
        "watch": {"namespaces": [namespace]},
        "limits": {"maxActiveRuns": limit},
    }


async def phases(cluster: KubernetesCluster, namespace: str) -> dict[str, int]:
    return dict(Counter([phase(run) async for run in every(cluster, BACKTEST_RUNS, namespace)]))


def phase(run: Object) -> str:
    return str(run["status"]["phase"])


def writes_by_run(asked: list[Request], namespace: str) -> dict[str, list[Request]]:
    """Writes of runs, Jobs and Events, sent by the operator, refused ones too."""
    found = defaultdict(list)
    for each in asked:
        if each.is_write and each.namespace == namespace:
            found[run_of(each)].append(each)
    assert sorted(found) == names()
    return found


def run_of(request: Request) -> str:
    """The run's name, from those of its children."""
    if request.resource == "jobs":
        return request.name.rsplit("-", 2)[0]
    return request.name.partition(".")[0]


def told(tell: Tell, history: JobHistory, begun: float, operator: Operator, audit: Audit) -> None:
    """The figures, and that memory stayed below what the chart allows."""
    took = max(history.put_away.values()) - begun
    made, ended = max(history.made.values()) - begun, max(history.ended.values()) - begun
    tell(f"{COUNT} Jobs made after {made:.1f} s, ended after {ended:.1f} s, harvested after {took:.1f} s")
    tell(f"rate: {COUNT / took:.2f} runs/s")
    metrics, asked = operator.metrics(), audit.requests()
    tell(queue_figures(metrics))
    tell(f"requests: {tally(asked)}; refused: {tally([r for r in asked if r.code >= 400]) or 'none'}")
    tell(f"slowest kinds: {slowest(asked)}")
    most = operator.largest_memory()
    tell(f"largest resident set {most / MEBIBYTE:.0f} MiB of {memory_limit() / MEBIBYTE:.0f}")
    assert operator.problems() == []
    assert most < memory_limit()


def queue_figures(metrics: Metrics) -> str:
    waited, worked = (metrics.mean(f"workqueue_{name}_duration_seconds") for name in ("queue", "work"))
    total = "controller_runtime_reconcile_total"
    return (
        f"queue: {metrics.of('workqueue_adds_total'):.0f} added, {metrics.of('workqueue_retries_total'):.0f} "
        f"retried, mean wait {waited * 1000:.1f} ms, mean work {worked * 1000:.1f} ms; "
        f"{metrics.of(total):.0f} reconciles ({metrics.of(total) / COUNT:.1f} a run)"
    )


def slowest(asked: list[Request]) -> str:
    """Seconds in the API server by kind of request, the costliest three, but for watches."""
    spent: Counter[str] = Counter()
    for each in asked:
        if each.verb != "watch":
            spent[str(each)] += each.seconds  # type: ignore[assignment]
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in spent.most_common(3))
