"""Which trial is best."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest
from math import isnan
from typing import Literal

Direction = Literal["Maximize", "Minimize"]


def best(
    objective: Sequence[float | None],
    ids: Sequence[int],
    direction: Direction = "Maximize",
    count: int | None = None,
) -> list[int]:
    """The rows of the `count` best trials (all for None), best first.

    `objective` and `ids` have a row a trial. Null objectives (None, NaN) come last; ties go to the lowest id.
    """
    sign = -1.0 if direction == "Maximize" else 1.0

    def place(row: int) -> tuple[bool, float, int]:
        value = objective[row]
        if value is None or isnan(value):
            return True, 0.0, ids[row]
        return False, sign * value, ids[row]

    rows = range(len(ids))
    return sorted(rows, key=place) if count is None else nsmallest(count, rows, key=place)
