"""What the status of several kinds is made of."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from spark_crds.kinds.base import Count, Digest, Model, Sha256, StatusTime, Text, Uri

ChildName = Annotated[str, Field(max_length=63)]
Uid = Annotated[str, Field(max_length=64)]
Reason = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
Revision = Annotated[str, Field(max_length=253)]
Shown = Annotated[str, Field(max_length=32)]
Summary = Annotated[dict[Annotated[str, Field(max_length=63)], float], Field(max_length=64)]
Generation = Annotated[int, Field(ge=-1)]
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


Conditions = Annotated[
    list[Condition],
    Field(
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]


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
