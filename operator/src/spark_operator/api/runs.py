"""The runs that can be read: the cache and the watches that keep it, from start to end of the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from spark_operator.api.cache import RunCache
from spark_operator.api.problem import not_found, unavailable
from spark_operator.api.watching import RunWatch, WatchedCluster

LOG = logging.getLogger(__name__)

STALE_SECONDS = 60.0


class Runs:
    """`namespaces` empty: all."""

    def __init__(
        self,
        cluster: WatchedCluster,
        namespaces: Sequence[str] = (),
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self.cache = RunCache()
        self._namespaces = frozenset(namespaces)
        self._watches = [
            RunWatch(cluster, self.cache, namespace, alive) for namespace in sorted(self._namespaces) or [""]
        ]
        self._tasks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Runs the watches for the length of the block."""
        self._tasks = [asyncio.create_task(watch.run()) for watch in self._watches]
        for task in self._tasks:
            task.add_done_callback(_tell)
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def working(self) -> bool:
        """Whether no watch ended by an error of our own."""
        return not any(task.done() for task in self._tasks)

    @property
    def not_ready(self) -> str:
        """Why reads would not be the truth now; empty where they are."""
        if not all(watch.synced for watch in self._watches):
            return "runs are being listed"
        silent = max(watch.silent_seconds for watch in self._watches)
        if silent > STALE_SECONDS:
            return f"nothing was heard of the Kubernetes API server for {silent:.0f} s"
        return ""

    def require_ready(self) -> None:
        """Raises a 503 `Problem` rather than tell what may be long past."""
        if reason := self.not_ready:
            raise unavailable(reason)

    def require_watched(self, namespace: str) -> None:
        """Raises a 404 `Problem` for a namespace outside this installation's."""
        if self._namespaces and namespace not in self._namespaces:
            raise not_found(f'namespace "{namespace}" is not watched by this installation')


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        LOG.critical("the watch of runs ended", exc_info=error)
