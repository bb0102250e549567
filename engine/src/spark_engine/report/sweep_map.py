"""The heat map of a sweep: the objective over two of its parameters, as cells for the template."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from spark_engine.report.formatting import significant
from spark_engine.report.scale import Tick
from spark_engine.report.sweep_data import SweepData

MOST_ROWS = 48  # more cells than that are joined
SHADES = 9
LABELS = 8
LEAST_FILLED = 0.25
FEW = 12  # columns that have room for numbers


@dataclass(frozen=True, slots=True)
class Cell:
    """Place and size in percent; `shade` from 0, the worst. `text` says what it is."""

    left: float
    top: float
    shade: int
    label: str
    text: str
    best: bool


@dataclass(frozen=True, slots=True)
class HeatMap:
    across: str
    up: str
    cells: list[Cell]
    width: float
    height: float
    columns: list[Tick]
    rows: list[Tick]
    shades: list[str]
    caption: str
    pixels: int


def heat_map(data: SweepData, metric: str, maximize: bool) -> HeatMap | None:
    """Over the two parameters with most values; None where there are not two with at least two."""
    found = _two(data)
    if found is None or data.best is None:
        return None
    across, up = found
    rest = [place for place in range(len(data.names)) if place not in found]
    best = data.best
    at_best = [(values, value) for values, value in data.points if all(values[p] == best[p] for p in rest)]
    xs, ys = _Axis(_values(data, across)), _Axis(_values(data, up))
    averaged = bool(rest) and len(at_best) < LEAST_FILLED * xs.bins * ys.bins
    sums: dict[tuple[int, int], list[float]] = {}
    for values, value in data.points if averaged else at_best:
        if value is not None:
            sums.setdefault((xs.bin(values[across]), ys.bin(values[up])), []).append(value)
    if not sums:
        return None
    means = {place: fsum(group) / len(group) for place, group in sums.items()}
    low, high = min(means.values()), max(means.values())
    chosen = (xs.bin(best[across]), ys.bin(best[up]))
    names = data.names[across], data.names[up]

    def cell(place: tuple[int, int], mean: float) -> Cell:
        x, y = place
        share = (mean - low) / (high - low) if high > low else 1.0
        return Cell(
            left=round(100 * x / xs.bins, 3),
            top=round(100 * (1 - (y + 1) / ys.bins), 3),
            shade=min(SHADES - 1, int((share if maximize else 1.0 - share) * SHADES)),
            label=significant(mean, 3) if xs.bins <= FEW else "",
            text=f"{names[0]} {xs.label(x)}, {names[1]} {ys.label(y)}: {significant(mean, 4)}",
            best=place == chosen,
        )

    return HeatMap(
        across=names[0],
        up=names[1],
        cells=[cell(place, mean) for place, mean in sorted(means.items())],
        width=round(100 / xs.bins, 3),
        height=round(100 / ys.bins, 3),
        columns=xs.ticks(),
        rows=ys.ticks(),
        shades=[significant(low if maximize else high, 4), significant(high if maximize else low, 4)],
        caption=_caption(data, metric, rest, averaged, xs.joined or ys.joined),
        pixels=min(620, max(180, 34 * ys.bins)),
    )


class _Axis:
    """The values of a parameter in order, neighbours joined where there are too many."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values
        size = -(-len(values) // MOST_ROWS)
        self._starts = list(range(0, len(values), size))
        self._place = {value: place for place, value in enumerate(values)}
        self.joined = size > 1

    @property
    def bins(self) -> int:
        return len(self._starts)

    def bin(self, value: Any) -> int:
        return bisect_right(self._starts, self._place[value]) - 1

    def label(self, number: int) -> str:
        first = self._starts[number]
        last = (self._starts[number + 1] if number + 1 < self.bins else len(self._values)) - 1
        text = shown(self._values[first])
        return text if first == last else f"{text} to {shown(self._values[last])}"

    def ticks(self) -> list[Tick]:
        step = -(-self.bins // LABELS)
        middle = [(number + 0.5) / self.bins for number in range(self.bins)]
        return [
            Tick(middle[number], shown(self._values[self._starts[number]]))
            for number in range(0, self.bins, step)
        ]


def shown(value: Any) -> str:
    """A value of a parameter as it is written in a manifest."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _two(data: SweepData) -> tuple[int, int] | None:
    counts = [(len(_values(data, place)), -place) for place in range(len(data.names))]
    most = sorted((each for each in counts if each[0] > 1), reverse=True)[:2]
    if len(most) < 2:
        return None
    first, second = sorted(-place for _, place in most)
    return first, second


def _values(data: SweepData, place: int) -> list[Any]:
    """The distinct values of a parameter in order: texts as they come, numbers ascending."""
    values = list(dict.fromkeys(point[0][place] for point in data.points))
    return values if any(isinstance(value, str) for value in values) else sorted(values)


def _caption(data: SweepData, metric: str, rest: Sequence[int], averaged: bool, joined: bool) -> str:
    lines = [
        f"{metric}, the stronger the colour, the better; the ring is the best set; blank: no trial or value."
    ]
    if averaged:
        lines.append(
            "Each cell is the mean over all other parameters, since too few trials share the best's."
        )
    elif rest and data.best is not None:
        fixed = ", ".join(f"{data.names[place]} {shown(data.best[place])}" for place in rest)
        lines.append(f"The other parameters are those of the best set: {fixed}.")
    if joined:
        lines.append("Neighbouring values share a cell, which shows their mean.")
    if not data.complete:
        lines.append("Drawn from a part of the trials: results.parquet has all.")
    return " ".join(lines)
