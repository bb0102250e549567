"""The status of a run as a function of its state: phase and conditions come from one table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.conditions import Condition, Truth, find_condition, render_conditions

KEPT_CONDITIONS = ("GuardrailsApplied", "VerdictPassed")


class State(Enum):
    """A run is in one of these; `phase` is its word for people."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def phase(self) -> str:
        return self.value


CONDITIONS: dict[State, tuple[tuple[str, Truth], ...]] = {
    State.PENDING: (("Ready", "Unknown"), ("Reconciling", "True")),
    State.RUNNING: (("Ready", "Unknown"), ("Reconciling", "True")),
    State.SUSPENDED: (("Suspended", "True"),),
    State.SUCCEEDED: (("Ready", "True"), ("Complete", "True")),
    State.FAILED: (("Ready", "False"), ("Stalled", "True"), ("Failed", "True")),
    State.CANCELLED: (("Ready", "False"), ("Stalled", "True"), ("Failed", "True")),
}
"""kstatus reads Reconciling as in progress, Stalled as failed, and neither with Ready absent as current."""


def status_of(
    run: Mapping[str, Any],
    state: State,
    reason: Reason,
    message: str,
    now: datetime,
    *,
    observations: tuple[Condition, ...] = (),
    **fields: Any,
) -> dict[str, Any]:
    """The whole status. `fields` are set, or with None removed; what they do not name stays as it was.

    `observations` are conditions beside those of the state; former ones of KEPT_CONDITIONS stay.
    """
    former = run.get("status") or {}
    generation = run["metadata"]["generation"]
    said = [Condition(type_, truth, reason.value, message) for type_, truth in CONDITIONS[state]]
    kept = [
        Condition(type_, found["status"], found["reason"], found["message"])
        for type_ in KEPT_CONDITIONS
        if type_ not in {c.type for c in observations} and (found := find_condition(former, type_))
    ]
    changed = {
        **former,
        **fields,
        "observedGeneration": generation,
        "phase": state.phase,
        "conditions": render_conditions(
            [*said, *kept, *observations], former.get("conditions") or (), generation, now
        ),
    }
    if reason is not Reason.QUEUED:
        changed.pop("queuePosition", None)
    return {name: value for name, value in changed.items() if value is not None}


def observed_again(run: Mapping[str, Any]) -> dict[str, Any]:
    """The status as it is, about the present generation: all that may change once a run has ended."""
    status, generation = run["status"], run["metadata"]["generation"]
    return {
        **status,
        "observedGeneration": generation,
        "conditions": [{**c, "observedGeneration": generation} for c in status["conditions"]],
    }
