"""The status of a GuardrailApproval: whether the vote counts."""

from __future__ import annotations

from typing import Literal

from spark_crds.kinds.base import Model
from spark_crds.kinds.status import Conditions, Generation


class GuardrailApprovalStatus(Model):
    """What the operator observed."""

    observed_generation: Generation = -1
    """Generation that this status is about; -1 before the operator has seen the vote."""
    phase: Literal["Pending", "Counted", "Ignored"] = "Pending"
    """Whether the vote counts; the condition Ready says why not."""
    conditions: Conditions | None = None
    """Observations, one a type."""
