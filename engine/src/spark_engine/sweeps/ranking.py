"""Which trial is best."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from heapq import merge, nsmallest
from math import isnan
from typing import Literal

Direction = Literal["Maximize", "Minimize"]
RUN = 16_384


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


def ranked(
    objective: Sequence[float], ids: Sequence[int], direction: Direction = "Maximize", run: int = RUN
) -> Iterator[int]:
    """All rows, best first, as `best` has them; NaN is null. Sorts `run` rows at a time and merges the runs,
    so that it keeps 8 bytes a row: sweeps are longer than memory is wide."""
    sign = -1.0 if direction == "Maximize" else 1.0

    def place(row: int) -> tuple[bool, float, int]:
        value = objective[row]
        return (True, 0.0, ids[row]) if isnan(value) else (False, sign * value, ids[row])

    starts = range(0, len(ids), run)
    runs = [array("q", sorted(range(start, min(start + run, len(ids))), key=place)) for start in starts]
    return merge(*runs, key=place)
