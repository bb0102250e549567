"""The series of the machinery, named as controller-runtime and client-go name them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60)
QUEUE_SECONDS = (0.001, 0.01, 0.1, 1, 10, 60, 600)


class Result(StrEnum):
    """How a reconcile ended, in controller-runtime's words."""

    SUCCESS = "success"
    ERROR = "error"
    REQUEUE = "requeue"
    REQUEUE_AFTER = "requeue_after"


class QueueMetrics:
    """`workqueue_*` of one queue."""

    def __init__(self, families: QueueFamilies, name: str) -> None:
        self._families = families
        self._name = name
        self.adds = families.adds.labels(name)
        self.retries = families.retries.labels(name)
        self.queue_seconds = families.queue_seconds.labels(name)
        self.work_seconds = families.work_seconds.labels(name)

    def follow(
        self, depth: Callable[[], int], taken_at: Callable[[], Iterable[float]], now: Callable[[], float]
    ) -> None:
        """Reads depth and start times of work when scraped, which is in the queue's event loop."""

        def ages() -> list[float]:
            return [now() - start for start in taken_at()]

        families, name = self._families, self._name
        families.depth.labels(name).set_function(lambda: float(depth()))
        families.unfinished.labels(name).set_function(lambda: sum(ages()))
        families.longest.labels(name).set_function(lambda: max(ages(), default=0.0))


class QueueFamilies:
    """`workqueue_*{name}`: one set a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"workqueue_{name}", text, ("name",), registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"workqueue_{name}", text, ("name",), registry=registry)

        def histogram(name: str, text: str) -> Histogram:
            return Histogram(f"workqueue_{name}", text, ("name",), buckets=QUEUE_SECONDS, registry=registry)

        self.depth = gauge("depth", "Objects that wait for a worker.")
        self.adds = counter("adds", "Objects added.")
        self.retries = counter("retries", "Objects added again after a failure.")
        self.queue_seconds = histogram("queue_duration_seconds", "Time that an object waited for a worker.")
        self.work_seconds = histogram("work_duration_seconds", "Time that a worker had an object.")
        self.unfinished = gauge("unfinished_work_seconds", "Time that work in hand has taken so far, summed.")
        self.longest = gauge("longest_running_processor_seconds", "Time that the longest work in hand took.")

    def queue(self, name: str) -> QueueMetrics:
        return QueueMetrics(self, name)


class LeadersSeries(Collector):
    """The series of the kinds, told by the leader alone: of another process they would be zeros and old."""

    def __init__(self, registry: CollectorRegistry, leads: Callable[[], bool]) -> None:
        self._registry = registry
        self._leads = leads

    def collect(self) -> Iterable[Metric]:
        return self._registry.collect() if self._leads() else ()


class ReconcileFamilies:
    """`controller_runtime_reconcile_*{controller}`: one set a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        prefix = "controller_runtime_reconcile"
        self.total = Counter(prefix, "Reconciles by result.", ("controller", "result"), registry=registry)
        self.errors = Counter(
            f"{prefix}_errors", "Reconciles that failed.", ("controller",), registry=registry
        )
        self.seconds = Histogram(
            f"{prefix}_time_seconds",
            "Length of a reconcile.",
            ("controller",),
            buckets=SECONDS,
            registry=registry,
        )

    def prepare(self, controller: str) -> None:
        """Makes every series of a controller, so that none appears only with its first event."""
        for result in Result:
            self.total.labels(controller, result.value)
        self.errors.labels(controller)
        self.seconds.labels(controller)
