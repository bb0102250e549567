"""What is counted of a run from its first status to its last, and what the gauges show meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from spark_operator.controllers.run_metrics import RunMetrics
from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.results import Execution
from spark_operator.core.backtestrun.status import State, status_of
from spark_operator.core.conditions import parse_time

CREATED = "2026-11-21T12:00:00Z"
STARTED, ENDED = "2026-11-21T12:00:05Z", "2026-11-21T12:00:45Z"
NOW = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
Run = dict[str, Any]


class Life:
    """A run that is moved from status to status, and the series of the operator that writes them."""

    def __init__(self, name: str = "a-run", strategy: str = "sma-cross") -> None:
        self.registry = CollectorRegistry()
        self.metrics = RunMetrics(self.registry, now=NOW.timestamp)
        metadata = {"namespace": "ns", "name": name, "uid": name, "generation": 1}
        self.run: Run = {
            "metadata": {**metadata, "creationTimestamp": CREATED},
            "spec": {"strategy": {"name": strategy}},
            "status": {"observedGeneration": -1, "phase": "Pending"},
        }
        self.metrics.observe(self.run)

    def to(self, state: State, reason: Reason, **fields: Any) -> None:
        status = status_of(self.run, state, reason, "", NOW, **fields)
        after = {**self.run, "status": status}
        self.metrics.record(self.run, after)
        self.run = after

    def intended(self) -> None:
        self.to(State.PENDING, Reason.INTENDED, attempt=1)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def transitions(self) -> tuple[float | None, ...]:
        words = ("queued", "running", "done", "failed")
        return tuple(self.value("backtest_runs_total", status=word) for word in words)


def test_a_success_is_counted_once_in_every_series() -> None:
    life = Life()
    life.intended()
    life.to(State.RUNNING, Reason.RUNNING, startTime=STARTED)
    assert life.value("backtest_active_runs") == 1
    assert life.value("backtest_oldest_active_timestamp_seconds") == parse_time(STARTED).timestamp()
    files = ("evidence.json", "trades.parquet", "notes.txt")
    life.metrics.note(life.run, Execution(ended=2, failed=1, engine_ms=7, trades=42, files=files))
    life.to(State.SUCCEEDED, Reason.SUCCEEDED, completionTime=ENDED)
    assert life.transitions() == (1, 1, 1, 0)
    assert life.value("backtest_start_total") == life.value("backtest_done_total") == 1
    assert life.value("backtest_duration_seconds_sum") == 40
    assert life.value("bt_runs_total", strategy="sma-cross") == 2
    assert life.value("bt_fail_total") == 1
    assert life.value("bt_trades_total") == 42
    assert life.value("bt_latency_ms_sum") == 7
    assert life.value("backtest_artifacts_generated_total", type="evidence") == 1
    assert life.value("backtest_artifacts_generated_total", type="trades") == 1
    assert life.value("backtest_active_runs") == life.value("backtest_queued_runs") == 0


def test_what_changes_no_state_is_counted_nowhere() -> None:
    life = Life()
    life.intended()
    before = life.transitions()
    life.to(State.PENDING, Reason.STARTING, jobUID="j")
    life.to(State.PENDING, Reason.PODS_NOT_CREATED)
    assert life.transitions() == before == (1, 0, 0, 0)
    assert life.value("backtest_start_total") == 1


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [(State.SUCCEEDED, Reason.SUCCEEDED, (1, 1, 1, 0)), (State.FAILED, Reason.INVALID_DATA, (1, 1, 0, 1))],
)
def test_a_run_too_short_to_be_seen_running_was_running_all_the_same(
    state: State, reason: Reason, expected: tuple[int, ...]
) -> None:
    life = Life()
    life.intended()
    life.to(state, reason, startTime=STARTED, completionTime=ENDED)
    assert life.transitions() == expected


def test_a_run_first_seen_cancelled_was_queued_and_failed_and_never_ran() -> None:
    life = Life()
    life.to(State.CANCELLED, Reason.CANCELLED, completionTime=ENDED)
    assert life.transitions() == (1, 0, 0, 1)
    assert life.value("backtest_cancelled_total") == 1
    assert life.value("backtest_duration_seconds_count") == 0


def test_a_lost_attempt_counts_its_executions_and_the_run_only_once() -> None:
    life = Life(strategy="mine")
    life.intended()
    life.metrics.note(life.run, Execution(ended=1, failed=0, engine_ms=None, trades=0))
    life.to(State.PENDING, Reason.RETRYING, attempt=2)
    life.metrics.note(life.run, Execution(ended=1, failed=1, engine_ms=None, trades=0))
    life.to(State.FAILED, Reason.RESULT_LOST, startTime=STARTED, completionTime=ENDED)
    assert life.value("bt_runs_total", strategy="other") == 2
    assert life.value("bt_fail_total") == 1
    assert life.value("backtest_start_total") == life.value("backtest_done_total") == 1


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.SUSPENDED, Reason.USER_REQUESTED),
        (State.PENDING, Reason.QUEUED),
        (State.PENDING, Reason.QUOTA_NOT_RESERVED),
        (State.PENDING, Reason.NO_EFFECTIVE_REVISION),
    ],
)
def test_a_wait_by_design_is_no_age_of_the_queue_neither_during_it_nor_after(
    state: State, reason: Reason
) -> None:
    life = Life()
    oldest = "backtest_oldest_queued_timestamp_seconds"
    assert life.value(oldest) == parse_time(CREATED).timestamp()
    life.to(state, reason)
    assert life.value("backtest_queued_runs") == 1
    assert life.value(oldest) == 0
    life.intended()
    assert life.value(oldest) == NOW.timestamp()
    life.to(State.PENDING, Reason.STARTING)
    assert life.value(oldest) == NOW.timestamp()


def test_a_run_that_is_gone_is_in_no_gauge() -> None:
    life = Life()
    life.metrics.forget("ns", "a-run")
    assert life.value("backtest_queued_runs") == life.value("backtest_oldest_queued_timestamp_seconds") == 0


def test_an_old_view_of_a_run_is_put_right_by_the_next_look() -> None:
    life = Life()
    old = life.run
    life.intended()
    life.to(State.SUCCEEDED, Reason.SUCCEEDED, startTime=STARTED, completionTime=ENDED)
    life.metrics.observe(old)
    assert life.value("backtest_queued_runs") == 1
    life.metrics.observe(life.run)
    assert life.value("backtest_queued_runs") == 0
