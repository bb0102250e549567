"""The spec of a ParameterSweep: immutable but for suspend and cancel."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from spark_crds.kinds.backtestrun.engine import Engine
from spark_crds.kinds.base import Model, immutable, rule
from spark_crds.kinds.parametersweep.parameters import Sets, SweptParameters
from spark_crds.kinds.parametersweep.search import Objective, Search, SelectionContext, WalkForward
from spark_crds.kinds.parametersweep.template import Template

MAX_SHARDS = 1000
MAX_WHERE = 256


class ParameterSweepSpec(Model):
    """What to try. Immutable but for suspend and cancel: create a new sweep to change anything else."""

    model_config = ConfigDict(
        json_schema_extra=immutable(
            "ParameterSweep",
            "suspend",
            "cancel",
            rules=(
                rule(
                    "has(self.parameters) != has(self.sets)", "exactly one of parameters and sets must be set"
                ),
                rule(
                    "!has(self.maxFailedShards) || !has(self.shards) || self.maxFailedShards < self.shards",
                    "must be smaller than shards",
                    fieldPath=".maxFailedShards",
                ),
            ),
        )
    )

    template: Template
    """What every trial has in common."""
    parameters: SweptParameters | None = None
    """What is swept: all combinations of the values, the last parameter varying fastest."""
    sets: Sets | None = None
    """The parameter sets one by one, instead of combinations. Each names the same parameters."""
    where: Annotated[str, Field(min_length=1, max_length=MAX_WHERE)] | None = None
    """Condition on the swept parameters, such as fast < slow; sets without it are no trials."""
    search: Search = Field(default_factory=Search)
    """Which sets are tried."""
    objective: Objective = Field(default_factory=Objective)
    """What is best."""
    walk_forward: WalkForward | None = None
    """Windows of training and test. Absent: every set is tried once, on all bars."""
    selection_context: SelectionContext | None = None
    """Earlier sweeps over the same data: their trials count in the statistics of selection."""
    shards: Annotated[int, Field(ge=1, le=MAX_SHARDS)] = 1
    """Pods that share the sets. 1: one pod does it all and reports like a run."""
    max_failed_shards: Annotated[int, Field(ge=0, le=MAX_SHARDS - 1)] = 0
    """Shards that may fail without failing the sweep."""
    top_k: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many of the best trials the report shows."""
    notes: Annotated[str, Field(max_length=4096)] | None = None
    """Free text; no part of any digest."""
    engine: Engine | None = None
    """Image and scheduling of the pods."""
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """Failures of a pod that are not the user's to mend before its shard fails."""
    active_deadline_seconds: Annotated[int, Field(ge=1, le=604_800)] = 3600
    """Longest time that one attempt of a shard may run, from the start of its pod."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=31_622_400)] = 3600
    """When the Jobs of a finished sweep are deleted; the sweep itself stays."""
    suspend: bool = False
    """Holds the sweep, or interrupts it: it starts anew when resumed. May be changed."""
    cancel: bool = False
    """Ends the sweep for good. May be changed, but once seen it cannot be taken back."""
