"""The training tables of a walk-forward: which trial each window chooses, and how many were looked at."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from spark_engine.evidence import sweep_tables as tables
from spark_engine.evidence.sweep_gather import Sources, joined_ratios
from spark_engine.statistics.selection import SharpeRatios
from spark_engine.sweeps.measure import Measure
from spark_engine.sweeps.walk import Pick


def picks(sources: Sources, windows: int, direction: str) -> list[Pick]:
    """By window. Nulls last, ties to the lowest id, as the ranking of the whole table."""
    sign = -1.0 if direction == "Maximize" else 1.0
    best: list[tuple[bool, float, int] | None] = [None] * windows
    counts = [0] * windows
    for path in sources.training:
        for batch in tables.read_batches(path):
            columns = (
                tables.integers(batch, "window"),
                tables.integers(batch, "trial"),
                tables.floats(batch, "objective"),
                batch.column("failed").to_pylist(),
            )
            for window, trial, value, failed in zip(*columns, strict=True):
                if failed:
                    continue
                counts[window] += 1
                place = (True, 0.0, trial) if isnan(value) else (False, sign * value, trial)
                if best[window] is None or place < best[window]:  # type: ignore[operator]
                    best[window] = place
    return [
        Pick(-1, None, 0) if found is None else Pick(found[2], None if found[0] else sign * found[1], count)
        for found, count in zip(best, counts, strict=True)
    ]


def training_ratios(sources: Sources, measure: Measure) -> SharpeRatios:
    """Likewise of every trial on every training window."""

    def values() -> Iterator[float | None]:
        for path in sources.training:
            for batch in tables.read_batches(path):
                failed = batch.column("failed").to_pylist()
                for value, bad in zip(tables.floats(batch, "sharpe"), failed, strict=True):
                    if not bad:
                        yield measure.per_bar(None if isnan(value) else value)

    return joined_ratios(values())
