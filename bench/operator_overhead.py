"""From POST to Complete: a run, in turns with the bare Job that the operator would make of it."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

from prometheus_client import CollectorRegistry
from spark_crds.manifest import load_manifest
from spark_operator.cluster.client import KubernetesCluster
from spark_operator.cluster.interface import Object
from spark_operator.cluster.metrics import requests_counter
from spark_operator.cluster.resources import BACKTEST_RUNS, JOBS, Resource
from spark_operator.cluster.transport import Transport
from spark_operator.core.conditions import is_true
from spark_operator.core.names import RUN_LABEL

from bench.table import print_table
from tests.cluster.client import Cluster

EXAMPLE = Path(__file__).parents[1] / "examples" / "btcusdt-1h-sma-cross.yaml"
ROUNDS = 15
AIM = 0.5
PATIENCE = 120.0
SET_BY_THE_CLUSTER = ("controller-uid", "job-name")


class Sightings:
    """When an object was first seen, and when first Complete, as a watch told it. By kind and run."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, str], float] = {}
        self.complete: dict[tuple[str, str], float] = {}
        self.objects: dict[tuple[str, str], Object] = {}
        self._changed = asyncio.Event()

    async def until_complete(self, kind: Resource, name: str) -> float:
        async with asyncio.timeout(PATIENCE):
            while (kind.plural, name) not in self.complete:
                self._changed.clear()
                await self._changed.wait()
        return self.complete[kind.plural, name]

    async def follow(self, cluster: KubernetesCluster, kind: Resource, namespace: str) -> None:
        page = await cluster.list_page(kind, namespace)
        version = page.resource_version
        while True:
            async for event in cluster.watch(kind, namespace, version):
                version = event.object["metadata"]["resourceVersion"]
                if event.type in ("ADDED", "MODIFIED"):
                    self._note(kind, event.object)

    def _note(self, kind: Resource, body: Object) -> None:
        metadata, now = body["metadata"], time.perf_counter()
        key = kind.plural, (metadata.get("labels") or {}).get(RUN_LABEL, metadata["name"])
        self.made.setdefault(key, now)
        self.objects[key] = body
        if is_true(body.get("status") or {}, "Complete"):
            self.complete.setdefault(key, now)
        if is_true(body.get("status") or {}, "Failed"):
            raise SystemExit(f"{key}: {body['status']['conditions']}")
        self._changed.set()


async def measure(cluster: Cluster, namespace: str) -> None:
    """Prints the table. One of each goes first and does not count: it may pull the image."""
    async with _client(cluster) as client:
        seen = Sightings()
        watches = asyncio.gather(*(seen.follow(client, kind, namespace) for kind in (BACKTEST_RUNS, JOBS)))
        try:
            work = asyncio.create_task(_measure(client, namespace, seen))
            both: list[asyncio.Future[Any]] = [watches, work]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            await (work if work.done() else watches)
        finally:
            watches.cancel()
            await asyncio.gather(watches, return_exceptions=True)


async def _measure(client: KubernetesCluster, namespace: str, seen: Sightings) -> None:
    await asyncio.sleep(1)  # the watches are open
    run_seconds, job_seconds, parts = [], [], []
    for number in range(ROUNDS + 1):
        name = f"run-{number:02}"
        begun = time.perf_counter()
        await client.create(BACKTEST_RUNS, namespace, _run(name))
        ended = await seen.until_complete(BACKTEST_RUNS, name)
        made, done = seen.made[JOBS.plural, name], await seen.until_complete(JOBS, name)
        bare = _bare_job(seen.objects[JOBS.plural, name], f"bare-{number:02}")
        begun_bare = time.perf_counter()
        await client.create(JOBS, namespace, bare)
        ended_bare = await seen.until_complete(JOBS, bare["metadata"]["name"])
        if number:
            run_seconds.append(ended - begun)
            job_seconds.append(ended_bare - begun_bare)
            parts.append((made - begun, done - made, ended - done))
    _print(run_seconds, job_seconds, parts)


def _print(runs: list[float], bare: list[float], parts: list[tuple[float, float, float]]) -> None:
    over = median(runs) - median(bare)
    print_table(
        f"From POST to Complete, {EXAMPLE.name} (of {len(runs)}, in turns)",
        ["", "best s", "median s", "worst s"],
        [_row("bare Job", bare), _row("run", runs)],
    )
    names = ("POST to Job made", "Job made to Job Complete", "Job Complete to run Complete")
    columns: list[list[float]] = [list(column) for column in zip(*parts, strict=True)]
    rows = [_row(name, column) for name, column in zip(names, columns, strict=True)]
    print_table("The run, in parts", ["", "best s", "median s", "worst s"], rows)
    verdict = "yes" if over <= AIM else "NO"
    print(f"\n  median of the run over the bare Job: {over:+.3f} s; aim {AIM} s: {verdict}")


def _row(name: str, seconds: list[float]) -> list[str]:
    take: tuple[Callable[[list[float]], float], ...] = (min, median, max)
    return [name, *(f"{each(seconds):.3f}" for each in take)]


def _run(name: str) -> Object:
    run: Object = load_manifest(EXAMPLE.read_bytes(), str(EXAMPLE))[0]
    run["metadata"]["name"] = name
    return run


def _bare_job(job: Object, name: str) -> Object:
    """The same manifest without owner, and without what Kubernetes added."""
    spec, metadata = copy.deepcopy(job["spec"]), job["metadata"]
    del spec["selector"]
    spec.pop("ttlSecondsAfterFinished", None)
    labels = spec["template"]["metadata"]["labels"]
    for label in [each for each in labels if each.rpartition("/")[2] in SET_BY_THE_CLUSTER]:
        del labels[label]
    labels[RUN_LABEL] = name
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "annotations": metadata["annotations"]},
        "spec": spec,
    }


@asynccontextmanager
async def _client(cluster: Cluster) -> AsyncIterator[KubernetesCluster]:
    transport = await Transport.from_kubeconfig(cluster.kubeconfig)
    client = KubernetesCluster(transport, requests_counter(CollectorRegistry()))
    try:
        yield client
    finally:
        await client.close()
