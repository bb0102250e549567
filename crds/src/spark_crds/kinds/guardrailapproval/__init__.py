"""GuardrailApproval (gra): one person's vote on one proposal."""

from __future__ import annotations

from spark_crds.kinds.guardrailapproval.kind import GuardrailApproval
from spark_crds.kinds.guardrailapproval.spec import GuardrailApprovalSpec
from spark_crds.kinds.guardrailapproval.status import GuardrailApprovalStatus

__all__ = ["GuardrailApproval", "GuardrailApprovalSpec", "GuardrailApprovalStatus"]
