"""The operator as a process: its real queue, reconciler and resync over the simulated cluster."""

from __future__ import annotations

import asyncio
import random

from prometheus_client import CollectorRegistry
from spark_operator.cluster.fence import LeadingCluster
from spark_operator.cluster.resources import BACKTEST_RUNS
from spark_operator.configuration.model import Configuration
from spark_operator.controllers import kinds
from spark_operator.runtime.controller import Controller
from spark_operator.runtime.kind import Key
from spark_operator.runtime.metrics import QueueFamilies, ReconcileFamilies
from spark_operator.runtime.owner import CHILDREN, owner_key
from spark_operator.runtime.pump import UNFINISHED
from spark_operator.runtime.queue import Backoff, WorkQueue
from spark_operator.runtime.reconcile import Reconciler
from spark_operator.runtime.resync import Resync

from simulated.client import SimulatedCluster, Wire
from simulated.faults import Delivery
from simulated.selector import matches_fields, matches_labels
from simulated.store import EventType, Object
from simulated.world import World

WORKERS = 4


class Process:
    """Everything in memory is its own; a successor starts from the API server alone."""

    def __init__(
        self, number: int, world: World, wire: Wire, configuration: Configuration, deliver: Delivery
    ) -> None:
        self.alive = True
        self.leads = True
        self.number = number
        self.registry = CollectorRegistry()
        self._world = world
        self._deliver = deliver
        self._configuration = configuration
        self._events = 0
        self._selected: set[Key | None] = set()
        chance = random.Random(number).random  # noqa: S311
        cluster = LeadingCluster(SimulatedCluster(world.server, wire, self), lambda: self.leads)
        (self.kind,) = kinds(lambda: configuration, self.registry)
        queue: WorkQueue[Key] = WorkQueue(
            chance, QueueFamilies(self.registry).queue("backtestrun"), Backoff()
        )
        reconciler = Reconciler(
            self.kind, cluster, lambda: configuration, instance=f"operator-{number}", now=world.clock.now
        )
        self.controller = Controller(
            reconciler, queue, lambda key: self.controller.add(key), ReconcileFamilies(self.registry)
        )
        self.resync = Resync(cluster, [self.controller], [], chance)

    async def run(self) -> None:
        """Until it is cancelled or dies."""
        self._world.store.watch(self._on_event)
        try:
            await self.resync.first()
            async with asyncio.TaskGroup() as group:
                group.create_task(self.controller.run(WORKERS))
                group.create_task(self.resync.forever(lambda: self._configuration.controller.resync_seconds))
        finally:
            self.alive = False
            self._world.store.unwatch(self._on_event)

    def _on_event(self, type_: EventType, body: Object) -> None:
        """The pump: its selectors are those of the watches; its events are delayed, lost or doubled."""
        metadata = body["metadata"]
        if body.get("kind") == "BacktestRun":
            key: Key | None = Key(BACKTEST_RUNS.plural, metadata["namespace"], metadata["name"])
            seen = self._is_selected(type_, body, key)
        elif body.get("kind") == "Job":
            key, seen = owner_key(body, [BACKTEST_RUNS]), matches_labels(body, CHILDREN)
        else:
            return
        if key is None or not seen:
            return
        self._events += 1
        for delay in self._deliver(self._events):
            self._world.clock.after(delay, lambda: self._wake(key))

    def _is_selected(self, type_: EventType, body: Object, key: Key | None) -> bool:
        """An object that leaves the selector is told of once more, as deleted."""
        was = key in self._selected
        selected = type_ != "DELETED" and matches_fields(BACKTEST_RUNS.plural, body, UNFINISHED)
        (self._selected.add if selected else self._selected.discard)(key)
        return was or selected

    def _wake(self, key: Key) -> None:
        if self.alive:
            self.controller.add(key)
