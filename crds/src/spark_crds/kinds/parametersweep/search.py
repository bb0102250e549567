"""How sets are chosen, judged and tried out of sample."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from spark_crds.kinds.base import Digest, Model, ObjectName, Uri, rule, validations
from spark_crds.patterns import TIMEFRAME_PATTERN

MAX_BARS = 10_000_000
MAX_SAMPLES = 1_000_000
RANDOM = "(has(self.mode) && self.mode == 'Random')"


def _bars(minimum: int) -> dict[str, Any]:
    return {
        "maxLength": 8,
        "pattern": TIMEFRAME_PATTERN,
        "minimum": minimum,
        "maximum": MAX_BARS,
        "x-kubernetes-int-or-string": True,
    }


Duration = Annotated[str, Field(max_length=8, pattern=TIMEFRAME_PATTERN)]
Length = Annotated[Annotated[int, Field(ge=1, le=MAX_BARS)] | Duration, WithJsonSchema(_bars(1))]
Gap = Annotated[Annotated[int, Field(ge=0, le=MAX_BARS)] | Duration, WithJsonSchema(_bars(0))]


class Search(Model):
    """Which of the sets are tried."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(f"{RANDOM} == has(self.samples)", "samples must be set with mode Random, and only with it")
        )
    )

    mode: Literal["Grid", "Random"] = "Grid"
    """Grid: all of them. Random: samples of them, drawn without replacement."""
    samples: Annotated[int, Field(ge=1, le=MAX_SAMPLES)] | None = None
    """How many different sets mode Random tries."""
    seed: Annotated[int, Field(ge=0, le=2**53 - 1)] = 0
    """Seed of the draws; no other source of chance is used."""


class Objective(Model):
    """What makes one set better than another. Sets without the metric come last, ties go to the lowest id."""

    metric: Literal[
        "sharpe",
        "sortino",
        "calmar",
        "totalReturn",
        "cagr",
        "finalEquity",
        "volatility",
        "maxDrawdown",
        "trades",
        "winRate",
        "profitFactor",
        "expectancy",
        "exposure",
        "totalFees",
    ] = "sharpe"
    """Metric by its id."""
    direction: Literal["Maximize", "Minimize"] = "Maximize"
    """Whether more of it is better, or less."""


class WalkForward(Model):
    """Sets are chosen on a training window and judged on the test window after it, again and again."""

    mode: Literal["Rolling", "Anchored"]
    """Rolling: the training window moves. Anchored: it starts at the first bar and grows."""
    train: Length
    """Length of the (first) training window: bars, or a duration such as 90d."""
    test: Length
    """Length of a test window."""
    step: Length | None = None
    """Distance of two windows. Absent: test, so that the tests follow each other without overlap."""
    embargo: Gap = 0
    """Bars or duration left out between training and test."""


class EarlierSweep(Model):
    """A sweep whose trials were looked at before this one was designed."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule("has(self.name) != has(self.uri)", "exactly one of name and uri must be set")
        )
    )

    name: ObjectName | None = None
    """A ParameterSweep of this namespace."""
    uri: Uri | None = None
    """Its artifacts."""
    digest: Digest | None = None
    """Digest that its evidence must have."""


SelectionContext = Annotated[
    list[EarlierSweep], Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "atomic"})
]
