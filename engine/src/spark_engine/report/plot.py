"""A chart as values: axes, paths and marks. The template turns it into SVG that stretches with the page.

Paths live in a box of WIDTH x HEIGHT units that is scaled without keeping its aspect; text and marks are
placed in percent, so that they keep their size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from spark_engine.report.scale import Scale, Tick, TimeScale

WIDTH, HEIGHT = 3_000, 1_000
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Layer:
    """One SVG path of a style class."""

    style: str
    path: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One symbol at a point, given in percent from the left and the top."""

    shape: str
    left: float
    top: float


@dataclass(frozen=True, slots=True)
class Plot:
    """One pane. `summary` says in words what the picture shows. `start` and `stop` are ms UTC."""

    name: str
    title: str
    summary: str
    height: int
    start: float
    stop: float
    values: list[Tick]
    times: list[Tick]
    layers: list[Layer]
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where time and value meet: places points of one pane."""

    time: TimeScale
    value: Scale

    def point(self, ts: float, value: float) -> tuple[int, int]:
        return self._across((ts,))[0], self._down((value,))[0]

    def mark(self, shape: str, ts: float, value: float) -> Mark:
        left, top = 100 * self.time.place(ts), 100 * (1 - self.value.place(value))
        return Mark(shape, round(left, 2), round(top, 2))

    def line(self, ts: Sequence[float], values: Sequence[float]) -> str:
        points = list(zip(self._across(ts), self._down(values), strict=True))
        if len(points) == 1:
            points = [(0, points[0][1]), (WIDTH, points[0][1])]
        return polyline(points)

    def band(self, ts: Sequence[float], low: Sequence[float], high: Sequence[float]) -> str:
        """The area between two series."""
        across, upper, lower = self._across(ts), self._down(high), self._down(low)
        if len(across) == 1:
            across, upper, lower = [0, WIDTH], upper * 2, lower * 2
        there, back = zip(across, upper, strict=True), zip(across[::-1], lower[::-1], strict=True)
        return polyline([*there, *back]) + "z"

    def _across(self, ts: Sequence[float]) -> list[int]:
        place = self.time.place
        return [round(place(at) * WIDTH) for at in ts]

    def _down(self, values: Sequence[float]) -> list[int]:
        place = self.value.place
        return [round((1 - place(value)) * HEIGHT) for value in values]


def polyline(points: Iterable[tuple[int, int]]) -> str:
    """Relative steps: about half the bytes of absolute ones."""
    left = top = 0
    pieces: list[str] = []
    for x, y in points:
        step = y - top
        pieces.append(f"l{x - left}{step}" if step < 0 else f"l{x - left} {step}")
        left, top = x, y
    return "M" + "".join(pieces)[1:] if pieces else ""


def bucket_span(ts: Sequence[int]) -> float:
    """The width of a bucket in ms: that of the narrowest step, for gaps only widen steps."""
    steps = [after - before for before, after in pairwise(ts)]
    return min(steps, default=1)


def time_scale(ts: Sequence[int]) -> TimeScale:
    return TimeScale(ts[0], ts[-1] + bucket_span(ts))


def middles(ts: Sequence[int]) -> list[float]:
    half = bucket_span(ts) / 2
    return [at + half for at in ts]
