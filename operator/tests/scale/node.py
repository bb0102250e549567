"""A node without a machine: its pods are bound by the real scheduler, run for a moment, and succeed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from spark_operator.cluster.client import KubernetesCluster
from spark_operator.cluster.errors import Expired, NotFound, Unavailable
from spark_operator.cluster.interface import Object
from spark_operator.cluster.resources import LEASES, PODS, Resource
from spark_operator.core.conditions import timestamp
from spark_operator.runtime.emit import micro_time

from scale.runs import container_status, message, terminated

NODES = Resource("", "v1", "Node", "nodes")
HEARTBEAT_SECONDS = 10.0
CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
ROOM = {"cpu": "1000", "memory": "1000Gi", "pods": "1000", "ephemeral-storage": "100Ti"}


class Node:
    """Runs the pods of one namespace; each takes `seconds`."""

    def __init__(self, cluster: KubernetesCluster, namespace: str, seconds: float) -> None:
        self.name = f"node-of-{namespace}"
        self._cluster = cluster
        self._namespace = namespace
        self._seconds = seconds
        self._begun: set[str] = set()

    @property
    def engine_settings(self) -> Object:
        """What brings the engine's pods here, and nobody else's."""
        return {
            "nodeSelector": {"kubernetes.io/hostname": self.name},
            "tolerations": [{"operator": "Exists"}],
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Registered, and at work, for the length of the block."""
        node = await self._cluster.create(NODES, "", self._body())
        work = asyncio.gather(self._renew(), self._serve())
        try:
            yield
            assert not work.done(), work.exception()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await self._cluster.delete(NODES, "", self.name, uid=node["metadata"]["uid"])

    def _body(self) -> Object:
        now = timestamp(datetime.now(UTC))
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "",
            "lastHeartbeatTime": now,
        }
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": {"kubernetes.io/hostname": self.name}},
            "status": {
                "capacity": ROOM,
                "allocatable": ROOM,
                "conditions": [{**ready, "lastTransitionTime": now}],
            },
        }

    async def _renew(self) -> None:
        """As a kubelet: a Lease that is not renewed makes the node unreachable."""
        spec: Object = {"holderIdentity": self.name, "leaseDurationSeconds": 40}
        metadata = {"name": self.name, "namespace": "kube-node-lease"}
        head = {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata}
        lease = await self._cluster.create(LEASES, "kube-node-lease", {**head, "spec": spec})
        try:
            while True:
                spec["renewTime"] = micro_time(datetime.now(UTC))
                lease = await self._cluster.replace(LEASES, {**lease, "spec": spec})
                await asyncio.sleep(HEARTBEAT_SECONDS)
        finally:
            uid = lease["metadata"]["uid"]
            await self._cluster.delete(LEASES, "kube-node-lease", self.name, uid=uid)

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                selector = f"spec.nodeName={self.name}"
                page = await self._cluster.list_page(PODS, self._namespace, field_selector=selector, limit=0)
                for pod in page.items:
                    self._begin(group, pod)
                events = self._cluster.watch(
                    PODS, self._namespace, page.resource_version, field_selector=selector
                )
                try:
                    async for event in events:
                        if event.type in ("ADDED", "MODIFIED"):
                            self._begin(group, event.object)
                except (Expired, Unavailable):
                    continue

    def _begin(self, group: asyncio.TaskGroup, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        if uid not in self._begun:
            self._begun.add(uid)
            group.create_task(self._live(pod))

    async def _live(self, pod: Object) -> None:
        container = pod["spec"]["containers"][0]
        started = datetime.now(UTC)
        state = {"running": {"startedAt": timestamp(started)}}
        running = {**container_status(container), "ready": True, "started": True, "state": state}
        await self._patch(pod, "Running", running)
        await asyncio.sleep(self._seconds)
        metadata = pod["metadata"]
        told = message(metadata["annotations"], metadata["labels"][CONTROLLER_UID])
        await self._patch(pod, "Succeeded", terminated(container, told, datetime.now(UTC)))

    async def _patch(self, pod: Object, phase: str, container: Object) -> None:
        now = timestamp(datetime.now(UTC))
        conditions = [*pod["status"]["conditions"]]
        for type_ in ("Initialized", "ContainersReady", "Ready"):
            truth = "True" if phase == "Running" or type_ == "Initialized" else "False"
            conditions.append({"type": type_, "status": truth, "lastTransitionTime": now})
        status = {
            "phase": phase,
            "startTime": now,
            "conditions": conditions,
            "containerStatuses": [container],
        }
        try:
            name = pod["metadata"]["name"]
            await self._cluster.patch(PODS, self._namespace, name, {"status": status}, subresource="status")
        except NotFound:
            return
