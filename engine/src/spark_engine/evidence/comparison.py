"""Artifacts side by side: which numbers differ, which is better, and whether spec and data were the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spark_crds.formats.evidence import DIGESTED_FIELDS

from spark_engine.statistics.definitions import DEFINITIONS

SCHEMA = "spark.trading/comparison/v1"
FEWEST, MOST = 2, 8
BENCHMARK = "buyAndHoldReturn"

Evidence = Mapping[str, Any]


def compare(runs: Sequence[tuple[str, Evidence]]) -> dict[str, Any]:
    """The document of docs/reports.md. `runs` are 2 to 8 pairs of a path and its evidence.

    Every list has one entry a run, in the order of `runs`.
    """
    evidences = [evidence for _, evidence in runs]
    return {
        "schema": SCHEMA,
        "runs": [_run(path, evidence) for path, evidence in runs],
        "same": {"digest": _alike([evidence["digest"] for evidence in evidences]), **_same_parts(evidences)},
        "metrics": list(_metrics(evidences)),
        "spec": list(spec_differences([evidence["result"]["spec"] for evidence in evidences])),
    }


def spec_differences(specs: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The fields, as dotted paths in order of name, in which the specs are not all alike; absent is null."""
    flat = [dict(_leaves(spec)) for spec in specs]
    for path in sorted({path for fields in flat for path in fields}):
        values = [fields.get(path) for fields in flat]
        if not _alike(values):
            yield {"path": path, "values": values}


def best_of(values: Sequence[float | None], direction: str) -> list[int]:
    """Who has the better value; nobody where it is a matter of taste, all are alike or one alone is known."""
    known = [value for value in values if value is not None]
    if direction == "neutral" or len(known) < 2 or _alike(known):
        return []
    best = max(known) if direction == "higher" else min(known)
    return [index for index, value in enumerate(values) if value == best]


def _run(path: str, evidence: Evidence) -> dict[str, Any]:
    result = evidence["result"]
    return {
        "path": path,
        "id": evidence["id"],
        "digest": evidence["digest"],
        "status": evidence["status"],
        "semantics": result["semantics"],
        "engineVersion": evidence["run"]["engineVersion"],
        "firstTs": result["window"]["firstTs"],
        "lastTs": result["window"]["lastTs"],
        "bars": result["counts"]["bars"],
    }


def _same_parts(evidences: Sequence[Evidence]) -> dict[str, bool]:
    names = [name for name in DIGESTED_FIELDS if name not in ("schema", "counts")]
    return {name: _alike([evidence["result"].get(name) for evidence in evidences]) for name in names}


def _metrics(evidences: Sequence[Evidence]) -> Iterator[dict[str, Any]]:
    results = [evidence["result"] for evidence in evidences]
    held = [result["benchmark"]["totalReturn"] for result in results]
    yield {"id": BENCHMARK, "direction": "neutral", "values": held, "best": []}
    known = {name for result in results for name in result["metrics"]}
    for name in [*(name for name in DEFINITIONS if name in known), *sorted(known - DEFINITIONS.keys())]:
        direction = DEFINITIONS[name].direction if name in DEFINITIONS else "neutral"
        metrics = [result["metrics"].get(name, {"value": None, "reason": "Absent"}) for result in results]
        values = [metric["value"] for metric in metrics]
        reasons = [metric.get("reason") for metric in metrics]
        row = {"id": name, "direction": direction, "values": values, "best": best_of(values, direction)}
        yield row | ({"reasons": reasons} if any(reasons) else {})


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, child in value.items():
        if isinstance(child, Mapping) and child:
            yield from _leaves(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def _alike(values: Sequence[Any]) -> bool:
    """Equal and of one type: 1 and True are different values of a field."""
    return all(value == values[0] and type(value) is type(values[0]) for value in values[1:])
