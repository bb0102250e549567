"""Objects as the API server would show them, built from a few words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from spark_crds.formats.message import TerminationMessage
from spark_crds.formats.outcome import Failure
from spark_crds.manifest import load_manifest
from spark_crds.schema import object_schema, with_defaults
from spark_operator.configuration.model import Configuration
from spark_operator.core.backtestrun.decide import decide
from spark_operator.core.backtestrun.observed import ObservedRun
from spark_operator.core.conditions import timestamp
from spark_operator.core.plan import CreateJob, Plan

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "btcusdt-1h-sma-cross.yaml"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DIGEST = "sha256:" + "d" * 64
Object = dict[str, Any]


class World:
    """A run and its Job, moved on by applying plans: an API server of two objects, without one."""

    def __init__(self, configuration: Configuration, spec: Object) -> None:
        self.configuration = configuration
        self.now = NOW
        manifest = load_manifest(EXAMPLE.read_bytes(), str(EXAMPLE))[0]
        schema = object_schema("BacktestRun")["properties"]["spec"]
        self.run: Object = {
            **manifest,
            "metadata": {
                "name": "a-run",
                "namespace": "quants",
                "uid": "run-1",
                "generation": 1,
                "creationTimestamp": timestamp(NOW),
            },
            "spec": with_defaults({**manifest["spec"], **spec}, schema),
            "status": {"observedGeneration": -1, "phase": "Pending"},
        }
        self.job: Object | None = None
        self.pods: list[Object] = []

    def plan(self, **observed: Any) -> Plan:
        facts: Object = {"job": self.job, "pods": tuple(self.pods), **observed}
        return decide(ObservedRun(self.run, **facts), self.now, self.configuration)

    def step(self, **observed: Any) -> Plan:
        """One reconcile: the plan, carried out as far as status and the Job's creation go."""
        plan = self.plan(**observed)
        for action in plan.actions:
            if isinstance(action, CreateJob):
                self.job = self.created(action)
        if plan.status is not None:
            self.run = {**self.run, "status": dict(plan.status)}
        return plan

    def created(self, action: CreateJob, uid: str = "") -> Object:
        manifest = dict(action.manifest)
        attempt = self.run["status"]["attempt"]
        metadata = {"uid": uid or f"job-{attempt}", "creationTimestamp": timestamp(self.now)}
        return {**manifest, "metadata": {**manifest["metadata"], **metadata}, "status": {}}

    def until_recorded(self) -> None:
        """Writes 1 to 3."""
        for _ in range(3):
            self.step()

    def change(self, **spec: Any) -> None:
        """The user edits the spec."""
        metadata = {**self.run["metadata"], "generation": self.run["metadata"]["generation"] + 1}
        self.run = {**self.run, "metadata": metadata, "spec": {**self.run["spec"], **spec}}

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def add_pod(self, state: Object | None = None, *, name: str = "pod-1", **status: Any) -> None:
        engine = {"name": "engine", "imageID": "registry/engine@sha256:abc", "state": state or {}}
        scheduled = {
            "type": "PodScheduled",
            "status": "True",
            "lastTransitionTime": timestamp(self.now),
        }
        self.pods.append(
            {
                "metadata": {"name": name, "uid": name, "creationTimestamp": timestamp(self.now)},
                "status": {"conditions": [scheduled], "containerStatuses": [engine], **status},
            }
        )

    def take_up(self) -> None:
        """What the Job controller writes at its first look."""
        assert self.job is not None
        self.job = {**self.job, "status": {"startTime": timestamp(self.now), "ready": 0}}

    def run_pod(self) -> None:
        self.add_pod({"running": {"startedAt": timestamp(self.now)}})

    def end_pod(
        self, exit_code: int, message: str, *, reason: str = "", name: str = "pod-1", **status: Any
    ) -> None:
        terminated = {
            "exitCode": exit_code,
            "message": message,
            "reason": reason or ("Completed" if exit_code == 0 else "Error"),
            "startedAt": timestamp(self.now),
            "finishedAt": timestamp(self.now + timedelta(seconds=3)),
        }
        self.add_pod(
            {"terminated": terminated}, name=name, phase="Failed" if exit_code else "Succeeded", **status
        )

    def finish_job(self, type_: str = "Complete", **condition: str) -> None:
        assert self.job is not None
        ending = {"type": type_, "status": "True", "lastTransitionTime": timestamp(self.now), **condition}
        self.job = {**self.job, "status": {"conditions": [ending]}}

    def message(self, **fields: Any) -> str:
        """What the engine would leave."""
        defaults: Object = {
            "run_uid": "run-1",
            "job_uid": f"job-{self.run['status'].get('attempt', 1)}",
            "attempt": self.run["status"].get("attempt", 1),
            "index": 0,
            "engine_version": "0.1.0",
            "digest": DIGEST,
            "metrics": {"totalReturn": 0.1234, "sharpe": 1.017, "maxDrawdown": 0.2, "trades": 42},
            "verdict": True,
            "data_digest": DIGEST,
            "engine_ms": 7,
        }
        return TerminationMessage(**(defaults | fields)).encode().decode()

    def refusal(self, reason: str, text: str, field: str | None = None) -> str:
        return self.message(digest=None, metrics={}, verdict=None, error=Failure(reason, text, field))

    @property
    def status(self) -> Object:
        status: Object = self.run["status"]
        return status

    def condition(self, type_: str) -> tuple[str, str] | None:
        """Status and reason."""
        found = [c for c in self.status["conditions"] if c["type"] == type_]
        return (found[0]["status"], found[0]["reason"]) if found else None

    def text(self, type_: str) -> str:
        return str(next(c["message"] for c in self.status["conditions"] if c["type"] == type_))


@pytest.fixture
def world() -> Callable[..., World]:
    """A fresh run; keyword arguments change its spec, `configuration` the operator's."""

    def make(configuration: Object | None = None, **spec: Any) -> World:
        settings: Object = {"engine": {"image": "engine:1"}, **(configuration or {})}
        return World(Configuration.model_validate(settings), spec)

    return make
