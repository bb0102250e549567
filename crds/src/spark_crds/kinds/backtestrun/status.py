"""The status of a BacktestRun: written by the operator only, always as a whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from spark_crds.kinds.base import Count, Digest, Model, Sha256, StatusTime, Text, Uri

ChildName = Annotated[str, Field(max_length=63)]
Uid = Annotated[str, Field(max_length=64)]
Reason = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
Revision = Annotated[str, Field(max_length=253)]
Shown = Annotated[str, Field(max_length=32)]
ImageName = Annotated[str, Field(max_length=512)]


class Condition(Model):
    """One observation, as in every Kubernetes API."""

    type: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
    """What is observed, such as Ready, Complete, Failed, GuardrailsApplied, EvidenceSigned, VerdictPassed."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of the spec that was looked at."""
    last_transition_time: StatusTime
    """When the status last changed."""
    reason: Reason
    """Why, for machines: one CamelCase word of a closed list."""
    message: Text
    """Why, for people."""


class PinnedData(Model):
    """The data that an attempt reads, however the spec names it."""

    uri: Uri
    """Where it is."""
    sha256: Sha256 | None = None
    """What it must be."""


class Intent(Model):
    """Every input of an attempt that is not in the spec, stored before its Job is created."""

    image: ImageName | None = None
    """Engine image, by digest where the operator knows it."""
    guardrail_revision: Revision | None = None
    """Effective revision of the guardrails."""
    defaults: (
        Annotated[
            dict[str, Any],
            Field(max_length=64),
            WithJsonSchema(
                {"type": "object", "maxProperties": 64, "x-kubernetes-preserve-unknown-fields": True}
            ),
        ]
        | None
    ) = None
    """Defaults of the operator that were applied to the spec."""
    artifact_uri: Uri | None = None
    """Where artifacts go."""
    data: PinnedData | None = None
    """The data, resolved."""


class Progress(Model):
    """How far the run is."""

    completed: Count
    """Units done."""
    total: Count
    """Units in all."""


class Display(Model):
    """Results as `kubectl get` shows them; programs read summary."""

    total_return: Shown | None = Field(default=None, alias="return")
    """Total return, such as +12.3%."""
    sharpe: Shown | None = None
    """Annualised Sharpe ratio, such as 1.02."""
    max_drawdown: Shown | None = None
    """Deepest drawdown, such as 18.2%."""


class Artifact(Model):
    """Where the evidence is."""

    uri: Uri
    """Directory of the artifacts."""
    sha256: Sha256
    """SHA-256 of evidence.json, which lists every other file's."""
    bytes: Count
    """Size of evidence.json."""


class Provenance(Model):
    """What made the result."""

    image: ImageName | None = None
    """Image id of the engine's container, as the node reports it."""
    engine_version: Annotated[str, Field(max_length=64)] | None = None
    """Version of the engine."""
    data_digest: Digest | None = None
    """Digest of the candles as simulated."""
    guardrail_revision: Revision | None = None
    """Guardrail revision that limited the run."""


class BacktestRunStatus(Model):
    """What the operator observed."""

    observed_generation: Annotated[int, Field(ge=-1)] = -1
    """Generation of the spec that this status is about; -1 before the operator has seen the run."""
    phase: Literal["Pending", "Running", "Suspended", "Succeeded", "Failed", "Cancelled"] = "Pending"
    """The conditions in one word, for people and selectors."""
    conditions: (
        Annotated[
            list[Condition],
            Field(
                max_length=16,
                json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
            ),
        ]
        | None
    ) = None
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
    summary: Annotated[dict[Annotated[str, Field(max_length=63)], float], Field(max_length=64)] | None = None
    """Metrics by id; those that are null are absent, their reasons are in the evidence."""
    display: Display | None = None
    """Some of summary, formatted."""
    digest: Digest | None = None
    """Digest of the evidence: equal inputs give equal digests on every machine."""
    artifact: Artifact | None = None
    """Where the evidence is."""
    provenance: Provenance | None = None
    """What made the result."""
