"""Conditions as a computed value: the list anew each time, with times kept where a status did not change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from spark_crds.formats.outcome import shortened

MAX_MESSAGE = 1024

Truth: TypeAlias = Literal["True", "False", "Unknown"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One observation; `reason` is one CamelCase word of a closed catalogue."""

    type: str
    status: Truth
    reason: str
    message: str = ""


def render_conditions(
    conditions: Iterable[Condition], former: Iterable[Mapping[str, Any]], generation: int, now: datetime
) -> list[dict[str, Any]]:
    """As they stand in a status. A condition that is not in `conditions` is gone."""
    before = {condition["type"]: condition for condition in former}
    rendered = []
    for condition in conditions:
        same = before.get(condition.type, {}).get("status") == condition.status
        since = before[condition.type]["lastTransitionTime"] if same else timestamp(now)
        rendered.append(
            {
                "type": condition.type,
                "status": condition.status,
                "observedGeneration": generation,
                "lastTransitionTime": since,
                "reason": str(condition.reason),
                "message": shortened(condition.message, MAX_MESSAGE),
            }
        )
    return rendered


def find_condition(status: Mapping[str, Any], type_: str) -> Mapping[str, Any] | None:
    """The condition of that type, if it is there."""
    return next((c for c in status.get("conditions") or () if c["type"] == type_), None)


def is_true(status: Mapping[str, Any], type_: str) -> bool:
    """Whether a condition is there and True. Also right for the conditions of a Job or pod."""
    condition = find_condition(status, type_)
    return condition is not None and condition["status"] == "True"


def has_ended(status: Mapping[str, Any]) -> bool:
    """Terminal, as in batch/v1: a condition Complete or Failed is True. Of Jobs and of runs alike."""
    return is_true(status, "Complete") or is_true(status, "Failed")


def timestamp(moment: datetime) -> str:
    """RFC 3339 in whole seconds, as Kubernetes writes times."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """A time that Kubernetes wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
