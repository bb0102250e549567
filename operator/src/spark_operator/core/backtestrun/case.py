"""One decision's inputs, and the shorthands that rules are written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from spark_operator.configuration.model import Configuration
from spark_operator.core import job as jobs
from spark_operator.core.backtestrun.observed import ObservedRun
from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.status import State, status_of
from spark_operator.core.conditions import find_condition, is_true
from spark_operator.core.names import event_name
from spark_operator.core.plan import DeleteJob, EventDraft, MarkHarvested, Plan, SuspendJob

Job: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A run as observed at `now`, under a configuration."""

    observed: ObservedRun
    now: datetime
    configuration: Configuration

    @property
    def run(self) -> dict[str, Any]:
        return self.observed.object

    @property
    def spec(self) -> Mapping[str, Any]:
        spec: Mapping[str, Any] = self.run["spec"]
        return spec

    @property
    def status(self) -> Mapping[str, Any]:
        return self.run.get("status") or {}

    @property
    def attempt(self) -> int:
        return self.status.get("attempt") or 1

    @property
    def intended(self) -> bool:
        """Whether the inputs of an attempt are settled (write 1)."""
        return "jobName" in self.status

    @property
    def job(self) -> Job | None:
        """The Job of the attempt: owned by the run and, once a uid is recorded, of that uid."""
        job = self.observed.job
        if job is None or not jobs.is_owned_by(job, self.run["metadata"]["uid"]):
            return None
        recorded = self.status.get("jobUID")
        return job if recorded in (None, job["metadata"]["uid"]) else None

    def state(self, state: State, reason: Reason, message: str, **fields: Any) -> dict[str, Any]:
        """The whole status of the run in that state."""
        return status_of(self.run, state, reason, message, self.now, **fields)

    def live_state(self) -> State:
        """Running or pending, as the status says already."""
        return State.RUNNING if self.status.get("startTime") else State.PENDING

    def event(self, reason: str, message: str, *, warning: bool = False) -> EventDraft:
        metadata = self.run["metadata"]
        name = event_name(metadata["name"], metadata["uid"], reason, self.attempt)
        return EventDraft(name, "Warning" if warning else "Normal", str(reason), message)

    def ending_event(self, status: Mapping[str, Any]) -> EventDraft:
        """The Event of a finished run."""
        found = find_condition(status, "Complete") or find_condition(status, "Failed") or {}
        return self.event(found["reason"], found["message"], warning=is_true(status, "Failed"))

    def mark(self, job: Job) -> MarkHarvested:
        metadata = job["metadata"]
        return MarkHarvested(metadata["name"], metadata["uid"], self.spec["ttlSecondsAfterFinished"])


Rule = Callable[[Case], Plan | None]
"""Its plan, or None when the case is not its concern."""


def deletion(job: Job) -> DeleteJob:
    return DeleteJob(job["metadata"]["name"], job["metadata"]["uid"])


def suspension(job: Job, suspend: bool) -> SuspendJob:
    return SuspendJob(job["metadata"]["name"], job["metadata"]["uid"], suspend)
