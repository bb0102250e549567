"""Keeps the cache like the API server: a LIST, then a watch, for as long as the process lives."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from spark_operator.api.cache import RunCache
from spark_operator.cluster.errors import ClusterError, Expired
from spark_operator.cluster.interface import Cluster
from spark_operator.cluster.resources import BACKTEST_RUNS, Resource

LOG = logging.getLogger(__name__)

PAGE = 500
QUIET_SECONDS = 20.0
"""Without an event for so long, the API server is asked whether it is there: bookmarks come once a minute."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0


class Event(Protocol):
    """ADDED, MODIFIED, DELETED or BOOKMARK."""

    @property
    def type(self) -> str: ...
    @property
    def object(self) -> dict[str, Any]: ...


class WatchedCluster(Cluster, Protocol):
    """A cluster that can be watched, and be asked as somebody else."""

    def with_token(self, token: str) -> Cluster:
        """The same API server as the bearer of `token`."""

    def watch(
        self, resource: Resource, namespace: str = "", resource_version: str = ""
    ) -> AsyncIterator[Event]:
        """Changes after `resource_version`; ends now and then. Raises `Expired` when a new LIST is needed."""


class RunWatch:
    """One namespace, or all (""). `alive` is called at every sign of life of the API server."""

    def __init__(
        self,
        cluster: WatchedCluster,
        cache: RunCache,
        namespace: str = "",
        alive: Callable[[], None] = lambda: None,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._namespace = namespace
        self._alive = alive
        self._quiet_seconds = quiet_seconds
        self._version = ""
        self._last_sign: float = float("-inf")
        self._failures = 0
        self.synced = False

    @property
    def silent_seconds(self) -> float:
        """Since the last sign of life."""
        return time.monotonic() - self._last_sign

    async def run(self) -> None:
        """Never returns. Whatever the API server does, it begins again, after a pause that grows."""
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._follow()
            except Expired:
                self._version = ""
            except ClusterError as error:
                self._failures += 1
                LOG.warning("the watch of runs broke: %s", error.message)
                await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures - 1, 10))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  # spreads replicas, no secret

    async def _list(self) -> None:
        seen: set[tuple[str, str]] = set()
        token = ""
        while True:
            page = await self._cluster.list_page(
                BACKTEST_RUNS, self._namespace, limit=PAGE, continue_token=token
            )
            for run in page.items:
                self._cache.put(run)
                seen.add((run["metadata"]["namespace"], run["metadata"]["name"]))
            self._sign()
            token = page.continue_token
            if not token:
                break
        self._cache.keep_only(self._namespace, seen, page.resource_version)
        self._version = page.resource_version
        self.synced = True

    async def _follow(self) -> None:
        """One watch, to its end."""
        stream = self._cluster.watch(BACKTEST_RUNS, self._namespace, self._version)
        following = asyncio.ensure_future(_next(stream))
        try:
            while True:
                await asyncio.wait({following}, timeout=self._quiet_seconds)
                if not following.done():
                    await self._cluster.list_page(BACKTEST_RUNS, self._namespace, limit=1)
                    self._sign()
                    continue
                event = following.result()
                self._sign()
                if event is None:
                    return
                self._take(event)
                following = asyncio.ensure_future(_next(stream))
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            if aclose := getattr(stream, "aclose", None):
                await aclose()

    def _take(self, event: Event) -> None:
        metadata: Mapping[str, Any] = event.object["metadata"]
        if event.type == "DELETED":
            self._cache.discard(metadata["namespace"], metadata["name"], metadata["resourceVersion"])
        elif event.type in ("ADDED", "MODIFIED"):
            self._cache.put(event.object)
        self._version = metadata["resourceVersion"]

    def _sign(self) -> None:
        self._last_sign = time.monotonic()
        self._failures = 0
        self._alive()


async def _next(stream: AsyncIterator[Event]) -> Event | None:
    return await anext(stream, None)
