"""ParameterSweep as a kind: its names and its columns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from spark_crds.kinds.base import Resource
from spark_crds.kinds.definition import Column, Definition, condition_reason
from spark_crds.kinds.parametersweep.spec import ParameterSweepSpec
from spark_crds.kinds.parametersweep.status import ParameterSweepStatus


class ParameterSweep(Resource):
    """One strategy over many parameter sets, with the statistics that say what the best of them is worth."""

    kind: Annotated[Literal["ParameterSweep"], WithJsonSchema({"type": "string"})]
    """Kind of the object."""
    spec: ParameterSweepSpec
    """What to try."""
    status: ParameterSweepStatus = Field(default_factory=ParameterSweepStatus)
    """What the operator observed."""


DEFINITION = Definition(
    model=ParameterSweep,
    kind="ParameterSweep",
    plural="parametersweeps",
    singular="parametersweep",
    short_names=("swp",),
    status_default={"observedGeneration": -1, "phase": "Pending"},
    columns=(
        Column("Phase", ".status.phase"),
        Column("Strategy", ".spec.template.strategy.name"),
        Column("Symbol", ".spec.template.market.symbol"),
        Column("TF", ".spec.template.market.timeframe", description="Timeframe"),
        Column("Shards", ".spec.shards", type="integer"),
        Column("Done", ".status.progress.completed", type="integer", description="Shards that are done"),
        Column("Trials", ".status.trials", type="integer"),
        Column("Objective", ".status.display.objective", description="Of the best trial"),
        Column("Deflated", ".status.display.deflated", description="Deflated Sharpe ratio"),
        Column(
            "Overfit", ".status.display.overfit", description="Probability that the choice is overfit (PBO)"
        ),
        Column("Age", ".metadata.creationTimestamp", type="date"),
        Column("Best", ".status.display.best", wide=True),
        Column("Verdict", condition_reason("VerdictPassed"), wide=True),
        Column("Reason", condition_reason("Ready"), wide=True),
        Column("Job", ".status.jobName", wide=True),
        Column("Digest", ".status.digest", wide=True),
        Column("Message", '.status.conditions[?(@.type=="Ready")].message', wide=True),
    ),
    selectable=(
        ".status.phase",
        ".status.specHash",
        ".status.digest",
        ".spec.template.strategy.name",
        ".spec.template.market.symbol",
        ".spec.template.market.timeframe",
        ".spec.template.data.feedRef.name",
        ".spec.template.guardrailRef.name",
    ),
)
