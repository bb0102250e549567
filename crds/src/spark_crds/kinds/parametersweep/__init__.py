"""ParameterSweep (swp): one strategy over many parameter sets."""

from __future__ import annotations

from spark_crds.kinds.parametersweep.kind import ParameterSweep
from spark_crds.kinds.parametersweep.spec import ParameterSweepSpec
from spark_crds.kinds.parametersweep.status import ParameterSweepStatus

__all__ = ["ParameterSweep", "ParameterSweepSpec", "ParameterSweepStatus"]
