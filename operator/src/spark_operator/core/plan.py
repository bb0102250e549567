"""What a decision says is to be done: actions, then one status, then events, then when to look again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Status: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CreateJob:
    """POST the manifest. A Job of that name already there is no error: the next look decides what it is."""

    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SuspendJob:
    """Set `spec.suspend`."""

    name: str
    uid: str
    suspend: bool


@dataclass(frozen=True, slots=True)
class ClearJobStartTime:
    """Remove `status.startTime` of a suspended Job: up to 1.35 it is not reset, and resuming would fail."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """DELETE in the foreground: the Job stays until its pods are gone."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class MarkHarvested:
    """The label spark.trading/harvested and `ttlSecondsAfterFinished`, in one patch."""

    name: str
    uid: str
    ttl_seconds: int


Action: TypeAlias = CreateJob | SuspendJob | ClearJobStartTime | DeleteJob | MarkHarvested


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An Event about the object; its name is a function of uid, reason and attempt, so it exists once."""

    name: str
    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`status` None leaves it alone. `requeue_after` in seconds; None: the next event or resync."""

    actions: tuple[Action, ...] = ()
    status: Status | None = None
    events: tuple[EventDraft, ...] = ()
    requeue_after: float | None = None


NOTHING = Plan()
