"""Columns of the risk report as the compiled passes take them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from spark_engine.data.rows import ColumnType, zeros
from spark_engine.statistics import passes


def column(code: ColumnType, values: Sequence[Any]) -> memoryview:
    """A view as it is, a list of a parquet table as a copy."""
    return values if isinstance(values, memoryview) else memoryview(array(code, values))


def least(values: memoryview) -> float:
    """Of at least one value."""
    low = zeros("d", 1)
    passes.lowest(values, len(values), low)
    return float(low[0])


def least_rows(values: memoryview, most: int) -> list[int]:
    """The rows of the `most` least values, the least first; of equals the earlier one."""
    rows = zeros("q", most)
    found: list[int] = rows[: passes.least_rows(values, rows)].tolist()
    return found


def greatest_rows(values: memoryview, most: int) -> list[int]:
    """The rows of the `most` greatest values, the greatest first; of equals the earlier one."""
    negated = zeros("d", len(values))
    passes.negate(values, negated)
    return least_rows(negated, most)
