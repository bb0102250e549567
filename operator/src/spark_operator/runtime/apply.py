"""Actions as requests. Each may be repeated: what is already so is no error."""

from __future__ import annotations

from contextlib import suppress
from typing import assert_never

from spark_operator.cluster.errors import AlreadyExists, NotFound
from spark_operator.cluster.interface import Cluster
from spark_operator.cluster.resources import JOBS
from spark_operator.core.names import HARVESTED_LABEL
from spark_operator.core.plan import (
    Action,
    ClearJobStartTime,
    CreateJob,
    DeleteJob,
    MarkHarvested,
    SuspendJob,
)


async def apply(cluster: Cluster, namespace: str, action: Action) -> None:
    """Carries one action out. Raises `ClusterError`s, not `AlreadyExists` and not `NotFound`."""
    match action:
        case CreateJob():
            await create_job(cluster, namespace, action)
        case SuspendJob():
            await suspend_job(cluster, namespace, action)
        case ClearJobStartTime():
            await clear_job_start_time(cluster, namespace, action)
        case DeleteJob():
            await delete_job(cluster, namespace, action)
        case MarkHarvested():
            await mark_harvested(cluster, namespace, action)
        case _:
            assert_never(action)


async def create_job(cluster: Cluster, namespace: str, action: CreateJob) -> None:
    with suppress(AlreadyExists):
        await cluster.create(JOBS, namespace, action.manifest)


async def suspend_job(cluster: Cluster, namespace: str, action: SuspendJob) -> None:
    merge = {"metadata": {"uid": action.uid}, "spec": {"suspend": action.suspend}}
    with suppress(NotFound):
        await cluster.patch(JOBS, namespace, action.name, merge)


async def clear_job_start_time(cluster: Cluster, namespace: str, action: ClearJobStartTime) -> None:
    merge = {"metadata": {"uid": action.uid}, "status": {"startTime": None}}
    with suppress(NotFound):
        await cluster.patch(JOBS, namespace, action.name, merge, subresource="status")


async def delete_job(cluster: Cluster, namespace: str, action: DeleteJob) -> None:
    """The one place that deletes Jobs: in the foreground and by uid, or pods would run on, ownerless."""
    with suppress(NotFound):
        await cluster.delete(JOBS, namespace, action.name, uid=action.uid)


async def mark_harvested(cluster: Cluster, namespace: str, action: MarkHarvested) -> None:
    """Label and TTL in one patch, so that the label says that both are there."""
    merge = {
        "metadata": {"uid": action.uid, "labels": {HARVESTED_LABEL: "true"}},
        "spec": {"ttlSecondsAfterFinished": action.ttl_seconds},
    }
    with suppress(NotFound):
        await cluster.patch(JOBS, namespace, action.name, merge)
