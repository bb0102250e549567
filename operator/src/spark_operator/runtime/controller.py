"""The workers of one kind: keys from the queue, one look each, and what follows from how it ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from spark_operator.cluster.errors import ClusterError, Conflict, Forbidden, NotLeading, TooManyRequests
from spark_operator.runtime.kind import Key
from spark_operator.runtime.metrics import ReconcileFamilies, Result
from spark_operator.runtime.queue import WorkQueue
from spark_operator.runtime.reconcile import Outcome, Reconciler

LOG = logging.getLogger(__name__)


class Controller:
    """`enqueue` takes keys of any kind: what the decision about one object wakes may be of another."""

    def __init__(
        self,
        reconciler: Reconciler,
        queue: WorkQueue[Key],
        enqueue: Callable[[Key], None],
        metrics: ReconcileFamilies,
    ) -> None:
        self.kind = reconciler.kind
        self.queue = queue
        self.known: set[Key] = set()
        """Objects that are there as far as we know."""
        self._reconciler = reconciler
        self._enqueue = enqueue
        self._metrics = metrics
        self._name = self.kind.resource.kind.lower()
        metrics.prepare(self._name)

    def add(self, key: Key) -> None:
        """Something may be new about this object."""
        self.known.add(key)
        self.queue.add(key)

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self.known.discard(key)
        self.queue.forget(key)
        self._reconciler.forget(key)

    async def run(self, workers: int) -> None:
        """Returns when the queue is closed and every worker has finished what it had."""
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while (key := await self.queue.get()) is not None:
            try:
                await self.process(key)
            finally:
                self.queue.done(key)

    async def process(self, key: Key) -> None:
        """One look, and the next appointment. Raises nothing."""
        started = time.perf_counter()
        try:
            result = self._succeeded(key, await self._reconciler.reconcile(key))
        except ClusterError as error:
            result = self._failed(key, error)
        except Exception:
            LOG.exception("a reconcile failed by a fault of ours", extra=_fields(key))
            self.queue.retry(key)
            result = Result.ERROR
        for woken in self.kind.woken():
            self._enqueue(woken)
        self._metrics.seconds.labels(self._name).observe(time.perf_counter() - started)
        self._metrics.total.labels(self._name, result.value).inc()
        if result is Result.ERROR:
            self._metrics.errors.labels(self._name).inc()

    def _succeeded(self, key: Key, outcome: Outcome) -> Result:
        self.queue.forget(key)
        if outcome.gone:
            self.known.discard(key)
        if outcome.requeue_after is None:
            return Result.SUCCESS
        self.queue.add_after(key, outcome.requeue_after)
        return Result.REQUEUE_AFTER

    def _failed(self, key: Key, error: ClusterError) -> Result:
        match error:
            case Forbidden(namespace_terminating=True):
                LOG.info("the namespace is being terminated, nothing is to be done", extra=_fields(key))
                self.queue.forget(key)
                return Result.SUCCESS
            case NotLeading():
                LOG.info("not leading any more", extra=_fields(key))
                return Result.ERROR
            case Conflict() if self.queue.failures(key) == 0:
                self.queue.retry_at_once(key)
                return Result.REQUEUE
        at_least = error.retry_after if isinstance(error, TooManyRequests) else 0.0
        delay = self.queue.retry(key, at_least)
        LOG.warning("a reconcile failed, again in %.1f s: %s", delay, error, extra=_fields(key))
        return Result.ERROR


def _fields(key: Key) -> dict[str, str]:
    return {"object": f"{key.plural}/{key.namespace}/{key.name}"}
