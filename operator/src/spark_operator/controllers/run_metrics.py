"""What is counted of runs: transitions, each once and after the status write that records it, and gauges.

`backtest_*` is the life of runs, `bt_*` the engine's executions. No run name, uid or user is ever a label.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from spark_crds.strategies import catalogue, find_strategy

from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.results import Execution
from spark_operator.core.conditions import find_condition, has_ended, is_true, parse_time
from spark_operator.core.vocabulary import Word, standing

RUN_SECONDS = (1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
ENGINE_MS = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 5000, 7500, 10000, 30000, 60000)
OTHER = "other"
ARTIFACT_TYPES = {
    "evidence.json": "evidence",
    "spec.json": "spec",
    "report.html": "report",
    "equity.parquet": "equity",
    "trades.parquet": "trades",
    "fills.parquet": "fills",
    "orders.parquet": "orders",
    "events.jsonl": "events",
}
WAITS_BY_DESIGN = (Reason.QUEUED, Reason.NO_EFFECTIVE_REVISION, Reason.QUOTA_NOT_RESERVED)
NOTED_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Live:
    """A run that has not ended. `since` in seconds since the epoch, 0 while it waits by design."""

    word: Word
    since: float


class RunMetrics:
    """Series of one operator process; all label values are there from the start."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float] = time.time) -> None:
        self._now = now
        strategies = [*(entry.name for entry in catalogue()), OTHER]
        self._started = Counter(
            "backtest_start_total",
            "Runs whose first attempt was settled, or that ended before it",
            registry=registry,
        )
        self._done = Counter("backtest_done_total", "Runs that ended, in whatever way", registry=registry)
        self._runs = Counter(
            "backtest_runs_total", "Transitions of runs into a state", ["status"], registry=registry
        )
        self._cancelled = Counter("backtest_cancelled_total", "Runs that were cancelled", registry=registry)
        self._seconds = Histogram(
            "backtest_duration_seconds",
            "From the start of a run to its end",
            buckets=RUN_SECONDS,
            registry=registry,
        )
        self._executed = Counter(
            "bt_runs_total", "Engine executions that ended", ["strategy"], registry=registry
        )
        self._failed = Counter("bt_fail_total", "Engine executions that failed", registry=registry)
        self._engine = Histogram(
            "bt_latency_ms", "Time of the engine alone, in ms", buckets=ENGINE_MS, registry=registry
        )
        self._trades = Counter("bt_trades_total", "Trades of runs that are done", registry=registry)
        self._artifacts = Counter(
            "backtest_artifacts_generated_total",
            "Artifacts of runs that are done",
            ["type"],
            registry=registry,
        )
        for word in Word:
            self._runs.labels(word.value)
        for name in strategies:
            self._executed.labels(name)
        for type_ in ARTIFACT_TYPES.values():
            self._artifacts.labels(type_)
        self._live: dict[tuple[str, str], _Live] = {}
        self._noted: OrderedDict[str, Execution] = OrderedDict()
        self._gauges(registry)

    def observe(self, run: Mapping[str, Any]) -> None:
        """Takes a run into the gauges, or out of them."""
        key = run["metadata"]["namespace"], run["metadata"]["name"]
        former, live = self._live.pop(key, None), _live(run)
        if live is None:
            return
        if former and former.word is live.word is Word.QUEUED and live.since:
            # what it waited by design, such as in our own line, is no sign of a queue that is stuck
            live = _Live(live.word, max(live.since, former.since or self._now()))
        self._live[key] = live

    def forget(self, namespace: str, name: str) -> None:
        """A run is gone."""
        self._live.pop((namespace, name), None)

    def note(self, run: Mapping[str, Any], execution: Execution) -> None:
        """Keeps what a finished Job said until the write that ends its attempt is known to be done."""
        self._noted[run["metadata"]["uid"]] = execution
        while len(self._noted) > NOTED_AT_MOST:
            self._noted.popitem(last=False)

    def record(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Counts the transition between two versions of a run."""
        self.observe(after)
        former, status = before.get("status") or {}, after["status"]
        was, now = standing(former).word, standing(status).word
        if not former.get("conditions"):
            self._runs.labels(Word.QUEUED.value).inc()
        if "attempt" not in former and (status.get("attempt") == 1 or has_ended(status)):
            self._started.inc()  # also what ended before an attempt: never more done than started
        if was is not now:
            if has_ended(status) and was is Word.QUEUED and "startTime" in status:
                # so short that no look caught it running
                self._runs.labels(Word.RUNNING.value).inc()
            self._runs.labels(now.value).inc()
        if has_ended(status) and not has_ended(former):
            self._count_end(status)
        if has_ended(status) or status.get("attempt") != former.get("attempt"):
            self._count_execution(after)

    def _count_end(self, status: Mapping[str, Any]) -> None:
        self._done.inc()
        failed = find_condition(status, "Failed")
        if failed is not None and failed["reason"] == Reason.CANCELLED:
            self._cancelled.inc()
        if "startTime" in status and "completionTime" in status:
            took = parse_time(status["completionTime"]) - parse_time(status["startTime"])
            self._seconds.observe(max(took.total_seconds(), 0.0))

    def _count_execution(self, run: Mapping[str, Any]) -> None:
        execution = self._noted.pop(run["metadata"]["uid"], None)
        if execution is None:
            return
        entry = find_strategy(run["spec"]["strategy"].get("name", ""))
        self._executed.labels(entry.name if entry else OTHER).inc(execution.ended)
        self._failed.inc(execution.failed)
        self._trades.inc(execution.trades)
        for file in execution.files:
            if file in ARTIFACT_TYPES:
                self._artifacts.labels(ARTIFACT_TYPES[file]).inc()
        if execution.engine_ms is not None:
            self._engine.observe(execution.engine_ms)

    def _gauges(self, registry: CollectorRegistry) -> None:
        gauges = (
            ("backtest_active_runs", "Runs that run", lambda: self._count(Word.RUNNING)),
            ("backtest_queued_runs", "Runs that are queued", lambda: self._count(Word.QUEUED)),
            (
                "backtest_oldest_queued_timestamp_seconds",
                "Since when a queued run has waited, but not by design; 0 if none",
                lambda: self._oldest(Word.QUEUED),
            ),
            (
                "backtest_oldest_active_timestamp_seconds",
                "Start of the oldest run that runs; 0 if none",
                lambda: self._oldest(Word.RUNNING),
            ),
        )
        for name, text, value in gauges:
            Gauge(name, text, registry=registry).set_function(value)

    def _count(self, word: Word) -> float:
        return float(sum(live.word is word for live in list(self._live.values())))

    def _oldest(self, word: Word) -> float:
        times = [live.since for live in list(self._live.values()) if live.word is word and live.since]
        return min(times, default=0.0)


def _live(run: Mapping[str, Any]) -> _Live | None:
    status = run.get("status") or {}
    word = standing(status).word
    if word in (Word.DONE, Word.FAILED):
        return None
    if word is Word.RUNNING:
        return _Live(word, parse_time(status["startTime"]).timestamp() if "startTime" in status else 0.0)
    reason = (find_condition(status, "Reconciling") or {}).get("reason")
    by_design = is_true(status, "Suspended") or reason in WAITS_BY_DESIGN
    return _Live(word, 0.0 if by_design else parse_time(run["metadata"]["creationTimestamp"]).timestamp())
