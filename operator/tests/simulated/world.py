"""Everything of a cluster but the operator: what users do to it, and what it does by itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulated.clock import Chance, Clock
from simulated.garbage import GarbageCollector, TimeToLive
from simulated.jobs import JobController
from simulated.kubelet import Kubelet
from simulated.recorder import Recorder
from simulated.script import Outcome, Scripts
from simulated.server import ApiServer
from simulated.store import EventType, Key, Object, Store

NAMESPACE = "research"
SPEC: Mapping[str, Any] = {
    "strategy": {"name": "sma-cross", "params": {"fast": 9, "slow": 21}},
    "market": {
        "symbol": "BTCUSDT",
        "timeframe": "1h",
        "start": "2022-01-01T00:00:00Z",
        "end": "2023-01-01T00:00:00Z",
    },
    "data": {"uri": "sample://btcusdt-1h"},
    "verdict": {"minTrades": 30},
}


def manifest(name: str, namespace: str = NAMESPACE, **spec: Any) -> Object:
    """A BacktestRun as a user writes it."""
    return {
        "apiVersion": "spark.trading/v1alpha1",
        "kind": "BacktestRun",
        "metadata": {"name": name, "namespace": namespace},
        "spec": copy.deepcopy(dict(SPEC)) | spec,
    }


class World:
    """A cluster under its clock. Users' acts are not delayed and not counted as the operator's."""

    def __init__(self, seed: int = 0) -> None:
        self.clock = Clock()
        self.chance = Chance(seed)
        self.server = ApiServer(self.clock)
        self.scripts = Scripts()
        recorder = Recorder(self.server)
        self.kubelet = Kubelet(self.server, self.chance, recorder)
        self.jobs = JobController(self.server, self.chance, self.kubelet, recorder, self.scripts)
        self._garbage = GarbageCollector(self.server, self.chance)
        self._ttl = TimeToLive(self.server)
        self._pending: list[tuple[Callable[[], bool], Callable[[], None]]] = []
        self.server.store.watch(self._look)

    @property
    def store(self) -> Store:
        return self.server.store

    def apply(
        self, name: str, outcomes: Sequence[Outcome] = (), namespace: str = NAMESPACE, **spec: Any
    ) -> None:
        """A user creates a run; its pods will have these outcomes."""
        self.scripts.write(name, outcomes)
        self.server.create("user", "backtestruns", namespace, manifest(name, namespace, **spec))

    def change(self, name: str, namespace: str = NAMESPACE, **spec: Any) -> None:
        """A user patches the spec of a run."""
        self.server.patch("user", "backtestruns", namespace, name, {"spec": spec})

    def delete(self, plural: str, name: str, namespace: str = NAMESPACE) -> None:
        """`kubectl delete`."""
        self.server.delete("stranger", plural, namespace, name, propagation="Background")

    def run(self, name: str, namespace: str = NAMESPACE) -> Object:
        found = self.store.get(Key("backtestruns", namespace, name))
        assert found is not None, f"run {name} is gone"
        return found

    def jobs_of(self, run: str) -> list[Object]:
        return [
            job for job in self.store.all("jobs") if job["metadata"]["labels"].get("spark.trading/run") == run
        ]

    def pods_of(self, run: str) -> list[Object]:
        return [
            pod for pod in self.store.all("pods") if pod["metadata"]["labels"].get("spark.trading/run") == run
        ]

    def when(self, condition: Callable[[], bool], act: Callable[[], None]) -> None:
        """Does something once, shortly after a write that made `condition` true."""
        self._pending.append((condition, act))

    def _look(self, _: EventType, __: Object) -> None:
        for entry in list(self._pending):
            condition, act = entry
            if condition():
                self._pending.remove(entry)
                self.clock.after(0.01, act)

    def settle(self, seconds: float) -> None:
        """Lets time pass without an operator."""
        until = self.clock.seconds + seconds
        while self.clock.seconds < until:
            self.clock.advance(until)
