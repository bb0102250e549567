"""Runs by the thousand: new ones, and ones that ended long ago with a status as the operator writes it."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from spark_crds.formats.message import ArtifactReference, TerminationMessage
from spark_crds.manifest import load_manifest
from spark_operator.cluster.client import KubernetesCluster
from spark_operator.cluster.interface import Object
from spark_operator.cluster.resources import BACKTEST_RUNS
from spark_operator.configuration.model import Configuration
from spark_operator.core.backtestrun.decide import decide
from spark_operator.core.backtestrun.observed import ObservedRun
from spark_operator.core.conditions import timestamp
from spark_operator.core.names import RUN_SPEC_ANNOTATION
from spark_operator.core.plan import CreateJob

from tests.places import CHECKOUT

EXAMPLE = CHECKOUT / "examples" / "btcusdt-1h-sma-cross.yaml"
AT_A_TIME = 24
METRICS: dict[str, float | int] = {
    "finalEquity": 21335.8591403,
    "finalEquityLiquidated": 21312.3918289,
    "totalReturn": 1.13358591403,
    "cagr": 0.134560597936,
    "volatility": 0.494140174771,
    "sharpe": 0.502360363936,
    "sortino": 0.738530012539,
    "maxDrawdown": 0.749354118832,
    "maxDrawdownBars": 24468,
    "maxDrawdownSeconds": 88128000,
    "calmar": 0.179568770698,
    "trades": 1157,
    "winRate": 0.312013828868,
    "profitFactor": 1.04540231559,
    "expectancy": 9.9076037723,
    "avgWin": 731.139490057,
    "avgLoss": -317.183741641,
    "bestTrade": 8181.78607243,
    "worstTrade": -3728.65936917,
    "avgTradeBars": 23.3595505618,
    "exposure": 0.515744729519,
    "turnover": 2323.18501888,
    "totalFees": 45538.7968364,
    "totalFunding": 0.0,
    "totalSlippage": 4553.88008457,
    "skew": 1.11265069979,
    "kurtosis": 57.1830109245,
    "sharpeDaily": 0.496580129478,
}
"""What the example gives."""


async def create(cluster: KubernetesCluster, namespace: str, names: list[str]) -> None:
    """New runs of the example."""

    async def one(name: str) -> None:
        await cluster.create(BACKTEST_RUNS, namespace, manifest(name))

    await _all(one, names)


async def create_finished(
    cluster: KubernetesCluster, namespace: str, names: list[str], configuration: Configuration
) -> None:
    """Runs that have succeeded, and whose Jobs their time to live has taken."""
    first = await cluster.create(BACKTEST_RUNS, namespace, manifest(names[0]))
    status = json.dumps(succeeded(first, configuration))

    async def finish(run: Object) -> None:
        of_this = status.replace(names[0], run["metadata"]["name"])
        of_this = of_this.replace(first["metadata"]["uid"], run["metadata"]["uid"])
        await cluster.replace_status(BACKTEST_RUNS, {**run, "status": json.loads(of_this)})

    async def one(name: str) -> None:
        await finish(await cluster.create(BACKTEST_RUNS, namespace, manifest(name)))

    await finish(first)
    await _all(one, names[1:])


def manifest(name: str) -> Object:
    run: Object = copy.deepcopy(TEMPLATE)
    run["metadata"]["name"] = name
    return run


TEMPLATE: Object = load_manifest(EXAMPLE.read_bytes(), str(EXAMPLE))[0]


def succeeded(run: Object, configuration: Configuration) -> Object:
    """The status that the operator's own rules give a run whose Job is done."""
    now = datetime.now(UTC)
    run = {**run, "status": _status(ObservedRun(run), now, configuration)}
    (create_job,) = decide(ObservedRun(run), now, configuration).actions
    assert isinstance(create_job, CreateJob)
    metadata = {"uid": run["metadata"]["uid"][::-1], "creationTimestamp": timestamp(now)}
    job: Object = {**create_job.manifest, "metadata": {**create_job.manifest["metadata"], **metadata}}
    run = {**run, "status": _status(ObservedRun(run, job), now, configuration)}
    complete = {"type": "Complete", "status": "True", "lastTransitionTime": timestamp(now)}
    pod: Object = {"metadata": {"name": "a-pod", "uid": "a-pod", "creationTimestamp": timestamp(now)}}
    template = job["spec"]["template"]
    told = message(template["metadata"]["annotations"], job["metadata"]["uid"])
    pod["status"] = {"containerStatuses": [terminated(template["spec"]["containers"][0], told, now)]}
    observed = ObservedRun(run, {**job, "status": {"conditions": [complete]}}, pods=(pod,))
    return _status(observed, now, configuration)


def _status(observed: ObservedRun, now: datetime, configuration: Configuration) -> Object:
    status = decide(observed, now, configuration).status
    assert status is not None
    return dict(status)


def message(annotations: dict[str, str], job_uid: str) -> str:
    """What the engine leaves in a pod with these annotations when it succeeds."""
    document = json.loads(annotations[RUN_SPEC_ANNOTATION])
    left = TerminationMessage(
        run_uid=document["run"]["uid"],
        job_uid=job_uid,
        attempt=document["attempt"],
        index=0,
        engine_version="0.1.0",
        digest="sha256:" + "d" * 64,
        metrics=METRICS,
        verdict=True,
        data_digest="sha256:" + "e" * 64,
        engine_ms=12,
        artifact=ArtifactReference(f"{document['artifact']['uri']}/{job_uid}", "f" * 64, 5000),
    )
    return left.encode().decode()


def terminated(container: Object, told: str, at: datetime) -> dict[str, Any]:
    """The status of an engine's container that succeeded."""
    times = {"startedAt": timestamp(at), "finishedAt": timestamp(at)}
    state = {"exitCode": 0, "reason": "Completed", "message": told, **times}
    return {**container_status(container), "state": {"terminated": state}}


def container_status(container: Object) -> dict[str, Any]:
    image = container["image"]
    return {"name": container["name"], "image": image, "imageID": image, "ready": False, "restartCount": 0}


async def _all(one: Callable[[str], Awaitable[None]], names: list[str]) -> None:
    """Some at a time; stops at the first error."""
    waiting = iter(names)

    async def worker() -> None:
        for name in waiting:
            await one(name)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_A_TIME):
            group.create_task(worker())
