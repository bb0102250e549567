"""Finer rows into the bars that were asked."""

from __future__ import annotations

from spark_engine.data import scan
from spark_engine.data.check import Grid
from spark_engine.data.request import timeframe_text
from spark_engine.data.rows import Rows, empty
from spark_engine.errors import InvalidData


def require_resamplable(source_ms: int, asked_ms: int) -> None:
    """Raises `InvalidData` unless bars of `asked_ms` can be made of rows of `source_ms`."""
    if asked_ms % source_ms == 0:
        return
    source, asked = timeframe_text(source_ms), timeframe_text(asked_ms)
    why = "coarser" if source_ms > asked_ms else "no whole part of it"
    raise InvalidData(
        f"bars of {asked} were asked, the source has bars of {source}, which is {why}",
        field="spec.market.timeframe",
    )


def resampled(rows: Rows, grid: Grid, covered_from_ms: int, covered_to_ms: int) -> Rows:
    """Rows in time order as bars of `grid`; the whole source covers [covered_from_ms, covered_to_ms)."""
    bars = empty(len(rows))
    count = scan.resample(
        *rows.columns(), grid.step_ms, grid.anchor_ms, covered_from_ms, covered_to_ms, *bars.columns()
    )
    return bars.between(0, count)
