"""GuardrailConfig as a kind: its names and its columns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from spark_crds.kinds.base import Resource
from spark_crds.kinds.definition import Column, Definition, condition_reason
from spark_crds.kinds.guardrailconfig.spec import GuardrailConfigSpec
from spark_crds.kinds.guardrailconfig.status import GuardrailConfigStatus


class GuardrailConfig(Resource):
    """Limits of runs. Its spec is a proposal; runs are under the effective revision, in its status."""

    kind: Annotated[Literal["GuardrailConfig"], WithJsonSchema({"type": "string"})]
    """Kind of the object."""
    spec: GuardrailConfigSpec
    """What is proposed."""
    status: GuardrailConfigStatus = Field(default_factory=GuardrailConfigStatus)
    """What is in effect."""


DEFINITION = Definition(
    model=GuardrailConfig,
    kind="GuardrailConfig",
    plural="guardrailconfigs",
    singular="guardrailconfig",
    short_names=("grc",),
    status_default={"observedGeneration": -1, "phase": "Pending"},
    columns=(
        Column("Phase", ".status.phase"),
        Column("Gate", ".status.gate"),
        Column("Revision", ".status.effective.name", description="In effect"),
        Column("Proposer", ".spec.proposer"),
        Column("Kill", ".spec.killSwitch", type="boolean", description="Kill switch, as proposed"),
        Column("Age", ".metadata.creationTimestamp", type="date"),
        Column("Since", ".status.effective.since", type="date", wide=True),
        Column("Reason", condition_reason("Ready"), wide=True),
        Column("Message", '.status.conditions[?(@.type=="Ready")].message', wide=True),
    ),
    selectable=(".status.phase", ".status.gate", ".status.effective.name"),
)
