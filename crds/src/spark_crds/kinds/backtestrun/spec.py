"""The spec of a BacktestRun: immutable but for suspend and cancel."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from spark_crds.kinds.backtestrun.engine import Engine
from spark_crds.kinds.backtestrun.market import Data, Market
from spark_crds.kinds.backtestrun.trading import Account, Execution, Statistics, Strategy, Verdict
from spark_crds.kinds.base import Model, Reference, immutable


class BacktestRunSpec(Model):
    """What to simulate. Immutable but for suspend and cancel: create a new run to change anything else."""

    model_config = ConfigDict(json_schema_extra=immutable("BacktestRun", "suspend", "cancel"))

    strategy: Strategy
    """What decides."""
    market: Market
    """What is traded, and when."""
    data: Data
    """The candles."""
    account: Account = Field(default_factory=Account)
    """Capital and margin."""
    execution: Execution = Field(default_factory=Execution)
    """Fills, costs and sizing."""
    statistics: Statistics | None = None
    """Conventions of metrics."""
    guardrail_ref: Reference | None = None
    """The GuardrailConfig that limits the run. Absent: the one named default, if there is one."""
    verdict: Verdict | None = None
    """Acceptance criteria, reported in the condition VerdictPassed."""
    seed: Annotated[int, Field(ge=0, le=2**53 - 1)] = 0
    """Seed of strategies that draw random numbers."""
    notes: Annotated[str, Field(max_length=4096)] | None = None
    """Free text; no part of any digest."""
    engine: Engine | None = None
    """Image and scheduling of the pod."""
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """Failures that are not the user's to mend before the run fails."""
    active_deadline_seconds: Annotated[int, Field(ge=1, le=604_800)] = 900
    """Longest time that one attempt may run, from the start of its pod."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=31_622_400)] = 3600
    """When the Job of a finished run is deleted; the run itself stays."""
    suspend: bool = False
    """Holds the run, or interrupts it: it starts anew when resumed. May be changed."""
    cancel: bool = False
    """Ends the run for good. May be changed, but once seen it cannot be taken back."""
