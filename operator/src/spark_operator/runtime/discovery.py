"""Whether the API server serves every kind of ours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from spark_operator.cluster.errors import ClusterError
from spark_operator.cluster.resources import Resource

LOG = logging.getLogger(__name__)
IMPATIENT_SECONDS = 2.0


class Discoverable(Protocol):
    """What discovery is asked of."""

    async def is_served(self, resource: Resource) -> bool:
        """Whether discovery lists the resource. Raises `ClusterError`s."""


class Discovery:
    """Asks every so many seconds, and more often until every kind is served."""

    def __init__(self, cluster: Discoverable, resources: Sequence[Resource], seconds: float) -> None:
        self.problem = "discovery has not answered yet"
        """Why not every kind is known to be served; empty when they are."""
        self._cluster = cluster
        self._resources = resources
        self._seconds = seconds
        self._complete = asyncio.Event()

    async def until_complete(self) -> None:
        """Returns when every kind is served."""
        await self._complete.wait()

    async def follow(self) -> None:
        """Never returns."""
        while True:
            self._note(await self._look())
            await asyncio.sleep(min(self._seconds, IMPATIENT_SECONDS) if self.problem else self._seconds)

    async def _look(self) -> str:
        try:
            missing = [each for each in self._resources if not await self._cluster.is_served(each)]
        except ClusterError as error:
            return f"discovery fails: {error}"
        names = ", ".join(f"{each.plural}.{each.group}" for each in missing)
        return f"the API server does not serve {names}: its CRDs are not installed" if missing else ""

    def _note(self, problem: str) -> None:
        if problem and problem != self.problem:
            LOG.warning(problem)
        self.problem = problem
        if not problem:
            self._complete.set()
