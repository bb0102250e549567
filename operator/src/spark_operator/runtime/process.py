"""The operator as a process: waits for its kinds and the Lease, then leads until told to stop or it fails."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from spark_operator.cluster.client import KubernetesCluster
from spark_operator.cluster.fence import LeadingCluster
from spark_operator.configuration.file import ConfigurationFile
from spark_operator.configuration.model import Configuration
from spark_operator.runtime.controller import Controller
from spark_operator.runtime.discovery import Discovery
from spark_operator.runtime.health import health_application, serve
from spark_operator.runtime.kind import Key, Kind
from spark_operator.runtime.lease import LeaderElection, Timing
from spark_operator.runtime.metrics import LeadersSeries, QueueFamilies, ReconcileFamilies
from spark_operator.runtime.pump import Pump
from spark_operator.runtime.queue import Backoff, WorkQueue
from spark_operator.runtime.reconcile import Reconciler, utc_now
from spark_operator.runtime.resync import Resync
from spark_operator.runtime.tasks import until_first

LOG = logging.getLogger(__name__)
LEASE = "spark-operator"
DEAF_SECONDS = 30.0
DRAIN_SECONDS = 20.0
LOOK_SECONDS = 10.0

Kinds = Callable[[Callable[[], Configuration], CollectorRegistry], tuple[Kind, ...]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where this process lives: the namespace of its Lease, and a name that no other process ever has."""

    namespace: str
    identity: str


class OperatorProcess:
    """One process. `run` once."""

    def __init__(
        self,
        cluster: KubernetesCluster,
        configuration: ConfigurationFile,
        kinds: Kinds,
        place: Place,
        registry: CollectorRegistry,
    ) -> None:
        settings = configuration.current()
        self._machinery = settings.controller
        self._configuration = configuration
        self._registry = registry
        domain = CollectorRegistry()
        registry.register(LeadersSeries(domain, lambda: self._leading))
        self._kinds = kinds(configuration.current, domain)
        self._election = LeaderElection(
            cluster,
            place.namespace,
            LEASE,
            place.identity,
            Timing(
                lease=self._machinery.lease_seconds,
                renew_deadline=self._machinery.renew_deadline_seconds,
                retry=self._machinery.retry_seconds,
            ),
            registry,
            monotonic=time.monotonic,
            now=utc_now,
        )
        self._discovery = Discovery(cluster, [kind.resource for kind in self._kinds], LOOK_SECONDS)
        fenced = LeadingCluster(cluster, lambda: self._election.leads)
        self._controllers = self._made_controllers(fenced, place.identity)
        chance = random.SystemRandom().random
        self._resync = Resync(fenced, list(self._controllers.values()), settings.watch.namespaces, chance)
        self._pump = Pump(self._kinds, settings.watch.namespaces, cluster.connection, self._enqueue)
        self._leading = False
        self._stopping = False

    async def run(self, stop: asyncio.Event, listener: socket.socket) -> None:
        """Returns after a graceful stop. Raises `LeaseLost` or `PumpEnded`: only a new process will do."""
        application = health_application(self.unhealthy, self.unready, self._registry)
        await until_first(
            serve(application, listener),
            self._configuration.follow(),
            self._discovery.follow(),
            self._live(stop),
        )

    def unhealthy(self) -> str:
        """Why a restart would help; empty when it would not."""
        if self._stopping or not self._pump.started:
            return ""
        if not self._pump.alive:
            return "the thread of kopf is dead"
        if self._pump.silence > DEAF_SECONDS:
            return f"the event loop of kopf has been stuck for {self._pump.silence:.0f} s"
        return ""

    def unready(self) -> str:
        """Why this process does not do its part, as leader or in reserve; empty when it does."""
        if self._stopping:
            return "stopping"
        if self._discovery.problem:
            return self._discovery.problem
        if self._leading:
            return self._unready_leader()
        return self._unready_standby()

    def _unready_leader(self) -> str:
        if not self._election.leads:
            return f"the Lease is not provably ours: {self._election.problem or 'it was lost'}"
        return self._resync.problem or self.unhealthy()

    def _unready_standby(self) -> str:
        answered_at = self._election.answered_at
        if answered_at is None:
            return self._election.problem
        silence = time.monotonic() - answered_at
        if self._election.problem or silence > self._machinery.renew_deadline_seconds:
            return f"the Lease was last read {silence:.0f} s ago: {self._election.problem}"
        return ""

    async def _live(self, stop: asyncio.Event) -> None:
        await until_first(stop.wait(), self._become_leader())
        if not stop.is_set():
            await until_first(self._election.hold(), self._lead(stop))
        self._stopping = True
        await self._election.release()

    async def _become_leader(self) -> None:
        await self._discovery.until_complete()
        LOG.info("every kind is served, waiting for the Lease")
        await self._election.acquire()
        self._leading = True

    async def _lead(self, stop: asyncio.Event) -> None:
        """Returns after a graceful stop, when the workers are done."""
        await until_first(stop.wait(), self._resync.first())
        workers = asyncio.gather(
            *(each.run(self._machinery.concurrency) for each in self._controllers.values())
        )
        try:
            if not stop.is_set():
                LOG.info("every object is listed, reconciling")
                self._pump.start()
                await until_first(
                    stop.wait(),
                    self._pump.until_ended(),
                    self._resync.forever(lambda: self._configuration.current().controller.resync_seconds),
                    _until(workers),
                )
            self._stopping = True
            await self._drain(workers)
        finally:
            self._pump.stop()
            workers.cancel()

    async def _drain(self, workers: asyncio.Future[list[None]]) -> None:
        """Lets workers finish what they have."""
        self._pump.stop()
        for controller in self._controllers.values():
            controller.queue.close()
        done, _ = await asyncio.wait([workers], timeout=DRAIN_SECONDS)
        if not done:
            LOG.warning("workers did not finish within %.0f s", DRAIN_SECONDS)

    def _enqueue(self, key: Key) -> None:
        self._controllers[key.plural].add(key)

    def _made_controllers(self, cluster: LeadingCluster, identity: str) -> dict[str, Controller]:
        queues, reconciles = QueueFamilies(self._registry), ReconcileFamilies(self._registry)
        chance = random.SystemRandom().random
        controllers = {}
        for kind in self._kinds:
            reconciler = Reconciler(kind, cluster, self._configuration.current, instance=identity)
            queue = WorkQueue[Key](chance, queues.queue(kind.resource.kind.lower()), Backoff())
            controllers[kind.resource.plural] = Controller(reconciler, queue, self._enqueue, reconciles)
        return controllers


async def _until(workers: asyncio.Future[list[None]]) -> None:
    await asyncio.shield(workers)
