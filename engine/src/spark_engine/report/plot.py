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
        return round(self.time.place(ts) * WIDTH), round((1 - self.value.place(value)) * HEIGHT)

    def mark(self, shape: str, ts: float, value: float) -> Mark:
        left, top = 100 * self.time.place(ts), 100 * (1 - self.value.place(value))
        return Mark(shape, round(left, 2), round(top, 2))

    def line(self, ts: Sequence[float], values: Sequence[float]) -> str:
        points = [self.point(at, value) for at, value in zip(ts, values, strict=True)]
        if len(points) == 1:
            points = [(0, points[0][1]), (WIDTH, points[0][1])]
        return polyline(points)

    def band(self, ts: Sequence[float], low: Sequence[float], high: Sequence[float]) -> str:
        """The area between two series."""
        upper = [self.point(at, value) for at, value in zip(ts, high, strict=True)]
        lower = [self.point(at, value) for at, value in zip(ts, low, strict=True)]
        if len(upper) == 1:
            upper = [(0, upper[0][1]), (WIDTH, upper[0][1])]
            lower = [(0, lower[0][1]), (WIDTH, lower[0][1])]
        return polyline(upper + lower[::-1]) + "z"


def polyline(points: Iterable[tuple[int, int]]) -> str:
    """Relative steps: about half the bytes of absolute ones."""
    pieces: list[str] = []
    previous = (0, 0)
    for point in points:
        x, y = point[0] - previous[0], point[1] - previous[1]
        pieces.append(f"{'l' if pieces else 'M'}{x}{'' if y < 0 else ' '}{y}")
        previous = point
    return "".join(pieces)


def bucket_span(ts: Sequence[int]) -> float:
    """The width of a bucket in ms: that of the narrowest step, for gaps only widen steps."""
    steps = [after - before for before, after in pairwise(ts)]
    return min(steps, default=1)


def time_scale(ts: Sequence[int]) -> TimeScale:
    return TimeScale(ts[0], ts[-1] + bucket_span(ts))


def middles(ts: Sequence[int]) -> list[float]:
    half = bucket_span(ts) / 2
    return [at + half for at in ts]
