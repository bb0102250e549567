"""Whether a process' memory stays where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, median
from typing import Any

MIB = 2**20


@dataclass(frozen=True)
class Memory:
    """MiB. growth: of the second half, by the line through it; slope: the same as MiB an hour."""

    first_decile: float
    last_decile: float
    peak: float
    growth: float
    slope: float


def memory(samples: Sequence[dict[str, Any]]) -> Memory:
    taken = [(sample["at_ns"] / 1e9, sample["rss"] / MIB) for sample in samples if "rss" in sample]
    sizes = [size for _, size in taken]
    tenth = max(1, len(taken) // 10)
    half = taken[len(taken) // 2 :]
    slope = linear_regression(*zip(*half, strict=True)).slope if len(half) > 1 else 0.0
    return Memory(
        first_decile=median(sizes[:tenth]),
        last_decile=median(sizes[-tenth:]),
        peak=max(sizes),
        growth=slope * (half[-1][0] - half[0][0]),
        slope=slope * 3600,
    )
