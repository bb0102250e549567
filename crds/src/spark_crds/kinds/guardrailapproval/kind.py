"""GuardrailApproval as a kind: its names and its columns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from spark_crds.kinds.base import Resource
from spark_crds.kinds.definition import Column, Definition, condition_reason
from spark_crds.kinds.guardrailapproval.spec import GuardrailApprovalSpec
from spark_crds.kinds.guardrailapproval.status import GuardrailApprovalStatus


class GuardrailApproval(Resource):
    """One person's vote on one proposal of a GuardrailConfig, bound to exactly the content that was shown."""

    kind: Annotated[Literal["GuardrailApproval"], WithJsonSchema({"type": "string"})]
    """Kind of the object."""
    spec: GuardrailApprovalSpec
    """The vote."""
    status: GuardrailApprovalStatus = Field(default_factory=GuardrailApprovalStatus)
    """Whether it counts."""


DEFINITION = Definition(
    model=GuardrailApproval,
    kind="GuardrailApproval",
    plural="guardrailapprovals",
    singular="guardrailapproval",
    short_names=("gra",),
    status_default={"observedGeneration": -1, "phase": "Pending"},
    columns=(
        Column("Phase", ".status.phase"),
        Column("Config", ".spec.configRef.name"),
        Column("Generation", ".spec.configRef.generation", type="integer"),
        Column("Decision", ".spec.decision"),
        Column("Approver", ".spec.approver"),
        Column("Age", ".metadata.creationTimestamp", type="date"),
        Column("Reason", ".spec.reason", wide=True),
        Column("Revision", ".spec.revision", wide=True),
        Column("Ignored", condition_reason("Ready"), wide=True),
    ),
    selectable=(".status.phase", ".spec.configRef.name", ".spec.decision", ".spec.revision"),
)
