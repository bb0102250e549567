"""The spec of a GuardrailApproval: an immutable vote on exactly the content that was shown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from spark_crds.kinds.base import Digest, Model, ObjectName, immutable
from spark_crds.kinds.guardrailconfig.spec import UserName


class ConfigReference(Model):
    """The proposal: this object, in this generation. A bare content hash could be replayed."""

    name: ObjectName
    """Name of the GuardrailConfig."""
    uid: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9a-f-]+$")]
    """Its metadata.uid."""
    generation: Annotated[int, Field(ge=1, le=2**53 - 1)]
    """Its metadata.generation."""


class GuardrailApprovalSpec(Model):
    """One vote. Immutable: a change of mind is another vote."""

    model_config = ConfigDict(json_schema_extra=immutable("GuardrailApproval"))

    config_ref: ConfigReference
    """What is voted on."""
    revision: Digest
    """Digest of the proposed content, as status.pending shows it."""
    decision: Literal["Approve", "Deny"]
    """The vote; one Deny outweighs every Approve."""
    approver: UserName
    """Who votes: the user name of whoever creates the object, which an admission policy checks."""
    reason: Annotated[str, Field(min_length=1, max_length=1024)]
    """Why; it stands in the audit log."""
