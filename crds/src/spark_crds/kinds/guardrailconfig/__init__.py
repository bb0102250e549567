"""GuardrailConfig (grc): limits of runs, as a proposal and as the revision in effect."""

from __future__ import annotations

from spark_crds.kinds.guardrailconfig.kind import GuardrailConfig
from spark_crds.kinds.guardrailconfig.spec import GuardrailConfigSpec
from spark_crds.kinds.guardrailconfig.status import GuardrailConfigStatus

__all__ = ["GuardrailConfig", "GuardrailConfigSpec", "GuardrailConfigStatus"]
