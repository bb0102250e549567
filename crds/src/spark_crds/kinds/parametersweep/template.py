"""What all trials of a sweep have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from spark_crds.kinds.backtestrun.market import Data, Market
from spark_crds.kinds.backtestrun.trading import Account, Execution, Statistics, Strategy, Verdict
from spark_crds.kinds.base import Model, Reference


class Template(Model):
    """The spec of a BacktestRun, but for what the sweep itself has: engine, retries, deadlines, suspend."""

    strategy: Strategy
    """What decides; the swept parameters are added to its own."""
    market: Market
    """What is traded, and when."""
    data: Data
    """The candles."""
    account: Account = Field(default_factory=Account)
    """Capital and margin, the same for every trial."""
    execution: Execution = Field(default_factory=Execution)
    """Fills, costs and sizing."""
    statistics: Statistics | None = None
    """Conventions of metrics."""
    guardrail_ref: Reference | None = None
    """The GuardrailConfig that limits every trial. Absent: the one named default, if there is one."""
    verdict: Verdict | None = None
    """Acceptance criteria of the best trial."""
    seed: Annotated[int, Field(ge=0, le=2**53 - 1)] = 0
    """Seed of strategies that draw random numbers."""
