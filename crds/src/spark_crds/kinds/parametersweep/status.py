"""The status of a ParameterSweep: written by the operator only, always as a whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from spark_crds.kinds.base import Count, Digest, Model, StatusTime
from spark_crds.kinds.parametersweep.parameters import MAX_PARAMETERS_OF_A_SET, SET
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


class BestTrial(Model):
    """The best trial by the objective."""

    trial: Count
    """Its id: the index of its set."""
    params: Annotated[dict[str, Any], Field(max_length=MAX_PARAMETERS_OF_A_SET), WithJsonSchema(SET)]
    """Its swept parameters."""


class SweepDisplay(Model):
    """Results as `kubectl get` shows them; programs read best and summary."""

    best: Annotated[str, Field(max_length=256)] | None = None
    """Parameters of the best trial, such as fast=9 slow=21."""
    objective: Shown | None = None
    """Its objective, such as 1.02."""
    deflated: Shown | None = None
    """Deflated Sharpe ratio, such as 0.90."""
    overfit: Shown | None = None
    """Probability of backtest overfitting, such as 0.35."""


class ParameterSweepStatus(Model):
    """What the operator observed."""

    observed_generation: Generation = -1
    """Generation of the spec that this status is about; -1 before the operator has seen the sweep."""
    phase: Literal["Pending", "Running", "Reducing", "Suspended", "Succeeded", "Failed", "Cancelled"] = (
        "Pending"
    )
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
    """Job of the attempt, of all shards."""
    job_uid: Uid | None = Field(default=None, alias="jobUID")
    """Its uid, once created."""
    reduce_job_name: ChildName | None = None
    """Job that merges the shards."""
    reduce_job_uid: Uid | None = Field(default=None, alias="reduceJobUID")
    """Its uid, once created."""
    failed_shards: Count | None = None
    """Shards that failed or did not report."""
    spec_hash: Digest | None = None
    """Digest of the resolved spec."""
    start_time: StatusTime | None = None
    """When the first pod started."""
    completion_time: StatusTime | None = None
    """When the sweep ended."""
    progress: Progress | None = None
    """How far it is, in shards."""
    trials: Count | None = None
    """Trials with a result, over all windows."""
    best: BestTrial | None = None
    """The best trial."""
    summary: Summary | None = None
    """Metrics of the best trial and statistics of selection by id; those that are null are absent."""
    display: SweepDisplay | None = None
    """Some of it, formatted."""
    digest: Digest | None = None
    """Digest of the evidence: one for one whole sweep, however it was cut into shards."""
    artifact: Artifact | None = None
    """Where the evidence is."""
    provenance: Provenance | None = None
    """What made the result."""
