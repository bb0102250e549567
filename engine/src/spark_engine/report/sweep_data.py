"""What the report of a sweep reads from its tables, batch by batch."""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

from spark_engine.evidence.sweep_gather import objective_of
from spark_engine.evidence.sweep_result import CURVE_FILE, RESULTS_FILE, WINDOWS_FILE
from spark_engine.evidence.sweep_tables import parameter_column, read_batches
from spark_engine.evidence.tables import decode

Content = bytes | Path
MOST_CELLS = 400_000  # trials that a map or a line can be drawn from; beyond, those near the best only
Point = tuple[tuple[Any, ...], float | None]


@dataclass(frozen=True, slots=True)
class SweepData:
    """`objective`: of every trial that has one. `points`: the sets with theirs, None where null or an error;
    `near`: those of them that differ from the best in one or two parameters."""

    names: tuple[str, ...]
    best: tuple[Any, ...] | None
    objective: array[float]
    points: Sequence[Point]
    complete: bool
    windows: Mapping[str, Sequence[Any]] | None
    curve: Mapping[str, Sequence[Any]] | None


def sweep_data(evidence: Mapping[str, Any], files: Mapping[str, Content]) -> SweepData:
    """From the evidence of a whole sweep and the files beside it."""
    result = evidence["result"]
    names = tuple(result["space"]["names"])
    best = result["best"]
    chosen = None if best is None else tuple(best["params"][name] for name in names)
    objective, seen = array("d"), 0
    points: list[Point] = []
    for values, value in _rows(files[RESULTS_FILE], names, result["objective"]["metric"]):
        seen += 1
        if value is not None:
            objective.append(value)
        if len(points) < MOST_CELLS or _near(values, chosen):
            points.append((values, value))
    return SweepData(
        names=names,
        best=chosen,
        objective=objective,
        points=points,
        complete=len(points) == seen,
        windows=_table(files, WINDOWS_FILE),
        curve=_table(files, CURVE_FILE),
    )


def _rows(content: Content, names: Sequence[str], metric: str) -> Iterator[Point]:
    for batch in read_batches(content if isinstance(content, Path) else io.BytesIO(content)):
        columns = [batch.column(parameter_column(name)).to_pylist() for name in names]
        values = objective_of(batch, metric)
        for *parameters, value in zip(*columns, values, strict=True):
            yield tuple(parameters), None if isnan(value) else value


def _near(values: Sequence[Any], best: Sequence[Any] | None) -> bool:
    if best is None:
        return False
    different = [one != other for one, other in zip(values, best, strict=True)]
    return different.count(True) <= 2


def _table(files: Mapping[str, Content], name: str) -> Mapping[str, Sequence[Any]] | None:
    content = files.get(name)
    if content is None:
        return None
    return decode(content if isinstance(content, bytes) else content.read_bytes(), name)
