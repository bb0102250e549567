"""The Jobs of a namespace as the API server told of them, in the order in which they changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from spark_operator.cluster.client import KubernetesCluster
from spark_operator.cluster.errors import Unavailable
from spark_operator.cluster.interface import Object
from spark_operator.cluster.resources import JOBS
from spark_operator.core import job as jobs
from spark_operator.core.names import RUN_LABEL

PATIENCE = 400.0


class JobHistory:
    """By run, when its Job was made, taken up, ended and put away; and how many were alive at a time."""

    def __init__(self) -> None:
        self.made: dict[str, float] = {}
        self.taken_up: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.put_away: dict[str, float] = {}
        self.ended_before: dict[str, frozenset[str]] = {}
        """The runs whose Jobs had ended when that of a run was made."""
        self.most_alive = 0
        """The largest number of Jobs that were neither suspended nor ended."""
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def following(self, cluster: KubernetesCluster, namespace: str) -> AsyncIterator[None]:
        """From an empty namespace on."""
        page = await cluster.list_page(JOBS, namespace)
        assert not page.items
        task = asyncio.create_task(self._follow(cluster, namespace, page.resource_version))
        try:
            yield
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until_put_away(self, count: int) -> None:
        """Returns when so many Jobs carry the last write of the operator."""
        async with asyncio.timeout(PATIENCE):
            while len(self.put_away) < count:
                self._changed.clear()
                await self._changed.wait()

    async def _follow(self, cluster: KubernetesCluster, namespace: str, version: str) -> None:
        alive: set[str] = set()
        while True:
            try:
                async for event in cluster.watch(JOBS, namespace, version):
                    version = event.object["metadata"]["resourceVersion"]
                    if event.type in ("ADDED", "MODIFIED"):
                        self._note(event.object, alive)
            except Unavailable:
                continue

    def _note(self, job: Object, alive: set[str]) -> None:
        run, now = job["metadata"]["labels"][RUN_LABEL], time.monotonic()
        if run not in self.made:
            self.made[run] = now
            self.ended_before[run] = frozenset(self.ended)
        if jobs.has_start_time(job):
            self.taken_up.setdefault(run, now)
        if jobs.is_finished(job):
            self.ended.setdefault(run, now)
        if jobs.is_harvested(job):
            self.put_away.setdefault(run, now)
        if jobs.is_finished(job) or jobs.is_suspended(job):
            alive.discard(run)
        else:
            alive.add(run)
        self.most_alive = max(self.most_alive, len(alive))
        self._changed.set()
