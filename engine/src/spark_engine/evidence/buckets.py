"""A column in buckets of `size` consecutive rows, the last one maybe fewer: one value a bucket."""

from __future__ import annotations

from collections.abc import Sequence

from spark_engine.data.rows import zeros
from spark_engine.statistics import passes


def buckets(rows: int, size: int) -> int:
    """How many there are."""
    return -(-rows // size)


def lowest(column: memoryview, size: int) -> Sequence[float]:
    low = zeros("d", buckets(len(column), size))
    passes.lowest(column, size, low)
    return low.tolist()


def highest(column: memoryview, size: int) -> Sequence[float]:
    high = zeros("d", buckets(len(column), size))
    passes.highest(column, size, high)
    return high.tolist()


def lasts(column: memoryview, size: int) -> Sequence[float]:
    whole: Sequence[float] = column[size - 1 :: size].tolist()
    return whole if len(column) % size == 0 else [*whole, column[-1]]
