"""The status of a BacktestRun: written by the operator only, always as a whole."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spark_crds.kinds.base import Count, Digest, Model, StatusTime
from spark_crds.kinds.status import (
    Artifact,
    ChildName,
    Conditions,
    Generation,
    Intent,
    Progress,
    Provenance,
    Shown,
    Summary,
    Uid,
)


class Display(Model):
    """Results as `kubectl get` shows them; programs read summary."""

    total_return: Shown | None = Field(default=None, alias="return")
    """Total return, such as +12.3%."""
    sharpe: Shown | None = None
    """Annualised Sharpe ratio, such as 1.02."""
    max_drawdown: Shown | None = None
    """Deepest drawdown, such as 18.2%."""


class BacktestRunStatus(Model):
    """What the operator observed."""

    observed_generation: Generation = -1
    """Generation of the spec that this status is about; -1 before the operator has seen the run."""
    phase: Literal["Pending", "Running", "Suspended", "Succeeded", "Failed", "Cancelled"] = "Pending"
    """The conditions in one word, for people and selectors."""
    conditions: Conditions | None = None
    """Observations, one a type."""
    cancel_requested: bool | None = None
    """Latched when cancel was first seen true."""
    queue_position: Count | None = None
    """Place in the operator's queue while the namespace is at its limit of active runs."""
    attempt: Annotated[int, Field(ge=0, le=100)] | None = None
    """Number of the present Job; grows only when a Job vanished or left no result."""
    intent: Intent | None = None
    """Inputs of the attempt."""
    job_name: ChildName | None = None
    """Job of the attempt."""
    job_uid: Uid | None = Field(default=None, alias="jobUID")
    """Its uid, once created."""
    spec_hash: Digest | None = None
    """Digest of the resolved spec."""
    start_time: StatusTime | None = None
    """When the first pod started."""
    completion_time: StatusTime | None = None
    """When the run ended."""
    progress: Progress | None = None
    """How far it is."""
    summary: Summary | None = None
    """Metrics by id; those that are null are absent, their reasons are in the evidence."""
    display: Display | None = None
    """Some of summary, formatted."""
    digest: Digest | None = None
    """Digest of the evidence: equal inputs give equal digests on every machine."""
    artifact: Artifact | None = None
    """Where the evidence is."""
    provenance: Provenance | None = None
    """What made the result."""
