"""The API's own series. Every label value is there from the start."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from spark_operator.api.credentials import Refusal

ENQUEUE_MS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)


class Metrics:
    """`registry` holds them; there is one a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.enqueue_ms = Histogram(
            "backtest_enqueue_ms",
            "From a parsed start request to the committed object, in milliseconds.",
            buckets=ENQUEUE_MS,
            registry=self.registry,
        )
        self.ui_hits = Counter("spark_ui_hits", "Reads of the metrics endpoints.", registry=self.registry)
        self._auth_failures = Counter(
            "backtest_auth_failures",
            "Requests without valid credentials, by what was wrong.",
            ("reason",),
            registry=self.registry,
        )
        self._heartbeat = Gauge(
            "executor_lite_heartbeat_timestamp_seconds",
            "Last sign of life of the watch that feeds every read; 0 before the first.",
            registry=self.registry,
        )
        for refusal in Refusal:
            self._auth_failures.labels(refusal.value)

    def refused(self, refusal: Refusal) -> None:
        """Counts a request that was not authenticated."""
        self._auth_failures.labels(refusal.value).inc()

    def beat(self) -> None:
        """The working loop lives."""
        self._heartbeat.set(time.time())
