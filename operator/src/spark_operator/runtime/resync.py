"""Every object is looked at by LIST: once before the first decision, then now and again.

This makes a missed event harmless, and a restart know what its predecessor knew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from spark_operator.cluster.errors import ClusterError
from spark_operator.cluster.interface import Cluster, every
from spark_operator.runtime.controller import Controller
from spark_operator.runtime.kind import Key
from spark_operator.runtime.owner import UNHARVESTED, owner_key

LOG = logging.getLogger(__name__)
JITTER = 0.1
RETRY_SECONDS = 2.0
PAUSE_AFTER_FAILURE = 30.0


class Resync:
    """LISTs of all kinds, in the watched namespaces (none: everywhere), 500 objects a page."""

    def __init__(
        self,
        cluster: Cluster,
        controllers: Sequence[Controller],
        namespaces: Sequence[str],
        chance: Callable[[], float],
    ) -> None:
        self._cluster = cluster
        self._controllers = controllers
        self._namespaces = namespaces or [""]
        self._chance = chance
        self.problem = "the first LIST of every kind is not done"
        """Why the first LIST is not done yet; empty when it is."""

    async def first(self) -> None:
        """Returns when every kind has been listed, however long the API server does not answer."""
        while True:
            try:
                await self.once()
                self.problem = ""
                return
            except ClusterError as error:
                self.problem = f"the first LIST failed: {error}"
                LOG.warning(self.problem)
            await asyncio.sleep(RETRY_SECONDS)

    async def forever(self, seconds: Callable[[], float]) -> None:
        """Again every so many seconds, give or take a tenth; sooner after a failure. Never returns."""
        pause = seconds()
        while True:
            await asyncio.sleep(pause * (1 + JITTER * (2 * self._chance() - 1)))
            pause = seconds()
            try:
                await self.once()
            except ClusterError as error:
                pause = min(pause, PAUSE_AFTER_FAILURE)
                LOG.warning("a resync failed, again in about %.0f s: %s", pause, error)

    async def once(self) -> None:
        """One round. Nothing is enqueued before every object of every kind is remembered."""
        waiting: list[Key] = []
        for controller in self._controllers:
            waiting += await self._of_kind(controller)
        by_plural = {controller.kind.resource.plural: controller for controller in self._controllers}
        for key in [*waiting, *await self._unharvested()]:
            by_plural[key.plural].add(key)

    async def _of_kind(self, controller: Controller) -> list[Key]:
        """Keys of those that are not settled. What was there before and is not listed is forgotten."""
        known_before = set(controller.known)
        resource, waiting, seen = controller.kind.resource, [], set()
        for namespace in self._namespaces:
            async for body in every(self._cluster, resource, namespace):
                key = Key(resource.plural, body["metadata"]["namespace"], body["metadata"]["name"])
                seen.add(key)
                controller.kind.remember(body)
                if not controller.kind.is_settled(body):
                    waiting.append(key)
        controller.known |= seen
        for key in known_before - seen:
            controller.forget(key)
        return waiting

    async def _unharvested(self) -> list[Key]:
        """Owners of children that carry an unfinished write."""
        ours = [controller.kind.resource for controller in self._controllers]
        children = dict.fromkeys(child for each in self._controllers for child in each.kind.children)
        bodies = [
            body
            for child in children
            if child in UNHARVESTED
            for namespace in self._namespaces
            async for body in every(self._cluster, child, namespace, label_selector=UNHARVESTED[child])
        ]
        return [key for body in bodies if (key := owner_key(body, ours))]
