"""BacktestRun as a kind: its names, its columns, and the rules on its own name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from spark_crds.kinds.backtestrun.spec import BacktestRunSpec
from spark_crds.kinds.backtestrun.status import BacktestRunStatus
from spark_crds.kinds.base import DOTLESS_NAME, Resource, rule, validations
from spark_crds.kinds.definition import Column, Definition, condition_reason

RESERVED_NAMES = ("start", "status", "stream", "cancel")


class BacktestRun(Resource):
    """One backtest: an immutable spec, run once as a Job, with evidence that can be verified."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            DOTLESS_NAME,
            rule(
                f"!(self.metadata.name in {list(RESERVED_NAMES)})",
                f"must not be one of {', '.join(RESERVED_NAMES)}: the HTTP API uses these paths",
                fieldPath=".metadata.name",
            ),
        )
    )

    kind: Annotated[Literal["BacktestRun"], WithJsonSchema({"type": "string"})]
    """Kind of the object."""
    spec: BacktestRunSpec
    """What to simulate."""
    status: BacktestRunStatus = Field(default_factory=BacktestRunStatus)
    """What the operator observed."""


DEFINITION = Definition(
    model=BacktestRun,
    kind="BacktestRun",
    plural="backtestruns",
    singular="backtestrun",
    short_names=("btr",),
    status_default={"observedGeneration": -1, "phase": "Pending"},
    columns=(
        Column("Phase", ".status.phase"),
        Column("Strategy", ".spec.strategy.name"),
        Column("Symbol", ".spec.market.symbol"),
        Column("TF", ".spec.market.timeframe", description="Timeframe"),
        Column("Return", ".status.display.return"),
        Column("Sharpe", ".status.display.sharpe"),
        Column("Drawdown", ".status.display.maxDrawdown"),
        Column("Trades", ".status.summary.trades", type="integer"),
        Column("Age", ".metadata.creationTimestamp", type="date"),
        Column("Verdict", condition_reason("VerdictPassed"), wide=True),
        Column("Reason", condition_reason("Ready"), wide=True),
        Column("Attempt", ".status.attempt", type="integer", wide=True),
        Column("Job", ".status.jobName", wide=True),
        Column("Digest", ".status.digest", wide=True),
        Column("Message", '.status.conditions[?(@.type=="Ready")].message', wide=True),
    ),
    selectable=(
        ".status.phase",
        ".status.specHash",
        ".status.digest",
        ".spec.strategy.name",
        ".spec.market.symbol",
        ".spec.market.timeframe",
        ".spec.data.feedRef.name",
        ".spec.guardrailRef.name",
    ),
)
