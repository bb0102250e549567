"""From the tables of trials to the evidence: ranking, selection, walk-forward, digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from spark_engine.evidence.sweep_gather import Gathered, Sources, gather, overfit, ratios_of, rows_of
from spark_engine.evidence.sweep_result import IDENTITY, curve_digest
from spark_engine.evidence.sweep_tables import parameter_column
from spark_engine.evidence.sweep_training import training_ratios
from spark_engine.evidence.sweep_walk_tables import walk_digest
from spark_engine.evidence.verdict import judge
from spark_engine.statistics.metric import Metric
from spark_engine.statistics.selection import SharpeRatios
from spark_engine.statistics.selection_overfitting import Overfitting
from spark_engine.sweeps.measure import METRICS, OF_SUMS, Measure
from spark_engine.sweeps.selection import NONE, Counted, Selected, selection
from spark_engine.sweeps.walk import Walk

Result = dict[str, Any]
SUMS_OF_ROW = ("s1", "s2", "s3", "s4", "d2")


@dataclass(frozen=True, slots=True)
class Finished:
    """The deterministic half of the evidence, and what its files are made of."""

    result: Result
    gathered: Gathered
    walk: Walk | None


def measure_of(known: Mapping[str, Any]) -> Measure:
    """The measure that the facts state."""
    stated = known["measure"]
    return Measure(stated["bars"], stated["spanMs"], stated["initialCash"], stated["periodsPerYear"])


def finish(
    known: Mapping[str, Any], spec: Mapping[str, Any], sources: Sources, scratch: Path, walk: Walk | None
) -> Finished:
    """The evidence of a whole sweep. `known`: its facts; `sources`: all of its trials."""
    objective = spec["objective"]
    direction = objective["direction"]
    gathered = gather(sources, (objective["metric"], direction), spec["topK"], scratch)
    measure = measure_of(known)
    rows = rows_of(sources, gathered.best)
    top = [ranked_trial(known, objective["metric"], place, row) for place, row in enumerate(rows, 1)]
    return Finished(
        result={
            **partial_result(known, gathered, walk),
            "objective": dict(objective),
            "best": top[0] if top else None,
            "selection": judged(known, rows[0] if rows else None, gathered, sources, measure),
            "walkForward": None if walk is None else _walk(walk),
            "checks": {
                "lookAhead": known["lookAhead"],
                "complete": known["space"]["complete"],
                "verdict": _verdict(spec["template"].get("verdict"), rows, top),
            },
            "top": top,
        },
        gathered=gathered,
        walk=walk,
    )


def partial_result(known: Mapping[str, Any], gathered: Gathered, walk: Walk | None) -> Result:
    """What the digest covers, and what describes the data: of a shard as of a sweep."""
    space = known["space"]
    return {
        **{name: known[name] for name in IDENTITY},
        "trials": gathered.digest,
        "windows": None if walk is None else walk_digest(walk),
        "outOfSample": None
        if walk is None
        else curve_digest(walk.curve.window, walk.curve.bar, walk.curve.equity),
        "counts": {
            "sets": space["sets"],
            "trials": len(gathered),
            "errors": gathered.errors,
            "bars": known["measure"]["bars"],
            "warmupBars": space["warmupBars"],
            "windows": space["windows"],
        },
        **{name: known[name] for name in ("window", "measure", "space", "dataQuality", "selectionContext")},
    }


def ranked_trial(known: Mapping[str, Any], metric: str, place: int, row: Mapping[str, Any]) -> Result:
    """A row of the table as the evidence and top.json tell it: metrics as they are reported."""
    metrics = {name: _reported(row[name]) for name in METRICS}
    return {
        "rank": place,
        "trial": row["trial"],
        "params": {name: row[parameter_column(name)] for name in known["space"]["names"]},
        "objective": metrics[metric],
        "metrics": metrics,
    }


def judged(
    known: Mapping[str, Any],
    best: Mapping[str, Any] | None,
    gathered: Gathered,
    sources: Sources,
    measure: Measure,
) -> Result:
    """The statistics of selection of the best row."""
    own = ratios_of(gathered, measure)
    earlier = NONE
    for each in known["selectionContext"]:
        earlier = earlier.joined(SharpeRatios(**each["ratios"]))
    counted = Counted(own=own, training=training_ratios(sources, measure), earlier=earlier)
    found: Overfitting | None = overfit(sources, own.trials, measure.returns)
    return selection(_selected(best, measure), counted, found, measure.returns)


def _selected(best: Mapping[str, Any] | None, measure: Measure) -> Selected | None:
    if best is None:
        return None
    sums = SimpleNamespace(
        final_equity=[best["finalEquity"]],
        max_drawdown=[best["maxDrawdown"]],
        min_equity=[best["minEquity"]],
        fees=[best["totalFees"]],
        trades=[0],
        bars_in_position=[0],
        **{name: [best[name]] for name in SUMS_OF_ROW},
    )
    shape = measure.metrics(sums, 0, OF_SUMS)
    sharpe = best["sharpe"]
    return Selected(measure.returns, measure.per_bar(sharpe), sharpe, shape["skew"], shape["kurtosis"])


def _verdict(
    verdict: Mapping[str, Any] | None, rows: Sequence[Mapping[str, Any]], top: Sequence[Result]
) -> Result | None:
    """Of the best trial. Without one, every criterion fails for want of a value."""
    values = top[0]["metrics"] if top else dict.fromkeys(METRICS)
    metrics = {name: Metric(name, value) for name, value in values.items()}
    return judge(verdict, metrics, bankrupt=bool(rows) and rows[0]["minEquity"] <= 0.0)


def _walk(walk: Walk) -> Result:
    return {
        "windows": len(walk.tests),
        "metrics": walk.curve.metrics,
        "profitable": sum(1 for test in walk.tests if (test.metrics.get("totalReturn") or 0.0) > 0.0),
    }


def _reported(value: Any) -> Any:
    return float(f"{value:.12g}") + 0.0 if isinstance(value, float) else value
