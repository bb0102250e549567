"""The other drawings of a sweep: neighbours of the best, the distribution, the out-of-sample curve."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from spark_engine.report.formatting import number, percent, plural, significant, words
from spark_engine.report.plot import HEIGHT, WIDTH, Frame, Layer, Mark, Plot, bucket_span, polyline
from spark_engine.report.scale import Tick, TimeScale, padded
from spark_engine.report.sweep_data import SweepData
from spark_engine.report.sweep_map import LABELS, shown

BINS = 48
MOST_POINTS = 120
BUCKETS = 800


def stability_plots(data: SweepData, metric: str) -> list[Plot]:
    """One a parameter with numbers or several values: the objective along it, others as in the best set."""
    if data.best is None:
        return []
    plots = (_along(data, metric, place) for place in range(len(data.names)))
    return [plot for plot in plots if plot is not None]


def _along(data: SweepData, metric: str, place: int) -> Plot | None:
    best = data.best or ()
    others = [other for other in range(len(data.names)) if other != place]
    line = [
        (values[place], value)
        for values, value in data.points
        if value is not None and all(values[other] == best[other] for other in others)
    ]
    if len(line) < 2:
        return None
    if not any(isinstance(value, str) for value, _ in line):
        line.sort()
    if len(line) > MOST_POINTS:  # those around the best
        at = next(index for index, (value, _) in enumerate(line) if value == best[place])
        first = max(0, min(at - MOST_POINTS // 2, len(line) - MOST_POINTS))
        line = line[first : first + MOST_POINTS]
    scale = padded([value for _, value in line], margin=0.12)
    across = [(index + 0.5) / len(line) for index in range(len(line))]
    points = [
        (round(at * WIDTH), round((1 - scale.place(value)) * HEIGHT))
        for at, (_, value) in zip(across, line, strict=True)
    ]
    step = -(-len(line) // LABELS)
    name = data.names[place]
    chosen = next((index for index, (value, _) in enumerate(line) if value == best[place]), None)
    marks = [] if chosen is None else [_dot(across[chosen], scale.place(line[chosen][1]))]
    return Plot(
        name=f"along-{place}",
        title=f"{words(metric)} along {name}",
        summary=_neighbours(name, line, chosen),
        height=170,
        start=0,
        stop=1,
        values=scale.ticks(),
        times=[Tick(across[index], shown(line[index][0])) for index in range(0, len(line), step)],
        layers=[Layer("equity", polyline(points))],
        marks=marks,
    )


def _dot(at: float, up: float) -> Mark:
    return Mark("exit-won", round(100 * at, 2), round(100 * (1 - up), 2))


def _neighbours(name: str, line: Sequence[tuple[Any, float]], chosen: int | None) -> str:
    if chosen is None:
        return f"Along {name}."
    beside = [line[index] for index in (chosen - 1, chosen + 1) if 0 <= index < len(line)]
    told = ", ".join(f"{shown(value)} has {significant(objective, 4)}" for value, objective in beside)
    return (
        f"The best has {name} {shown(line[chosen][0])}: {significant(line[chosen][1], 4)}; beside it {told}."
    )


def distribution_plot(data: SweepData, metric: str, best: float | None) -> Plot | None:
    """How many trials have which objective."""
    values = data.objective
    if len(values) < 2 or min(values) == max(values):
        return None
    low, high = min(values), max(values)
    edges = [low + (high - low) * k / BINS for k in range(BINS + 1)]
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, max(0, bisect_right(edges, value) - 1))] += 1
    across, up = padded(values, margin=0.02), padded([0.0, float(max(counts))], margin=0.0)
    bars = []
    for k, count in enumerate(counts):
        left, right = (round(across.place(edge) * WIDTH) for edge in (edges[k], edges[k + 1]))
        top = round((1 - up.place(count)) * HEIGHT)
        if count:
            bars.append(f"M{left} {HEIGHT}V{top}H{right}V{HEIGHT}z")
    ordered = sorted(values)
    median = ordered[len(ordered) // 2]
    positive = sum(1 for value in values if value > 0.0) / len(values)
    layers = [Layer("long-band", "".join(bars))]
    if best is not None:
        at = round(across.place(best) * WIDTH)
        layers.append(Layer("equity", f"M{at} 0V{HEIGHT}"))
    return Plot(
        name="distribution",
        title=f"Distribution of {words(metric).lower()} over all trials",
        summary=f"{plural(len(values), 'trial')} with a value: lowest {significant(low, 4)}, median "
        f"{significant(median, 4)}, highest {significant(high, 4)}; {percent(positive, 1)} above 0. "
        "The line is the best set.",
        height=190,
        start=0,
        stop=1,
        values=up.ticks(),
        times=[tick for tick in across.ticks() if 0.0 <= tick.at <= 1.0],
        layers=layers,
    )


def curve_plot(data: SweepData, cash: float) -> Plot | None:
    """The chained out-of-sample equity; each bucket's line touches its lowest and highest value."""
    curve = data.curve
    if curve is None or not len(curve["ts"]):
        return None
    order = sorted(range(len(curve["ts"])), key=lambda row: row)
    size = -(-len(order) // BUCKETS)
    ts: list[float] = []
    equity: list[float] = []
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        values = [curve["equity"][row] for row in rows]
        at = curve["ts"][rows[-1]]
        ts += [at] * (3 if size > 1 else 1)
        equity += [min(values), max(values), values[-1]] if size > 1 else values
    start, stop = min(ts), max(ts)
    time = TimeScale(start, stop + bucket_span(sorted(set(map(int, ts)))))
    frame = Frame(time, padded([cash, *equity]))
    return Plot(
        name="walk",
        title="Out-of-sample equity",
        summary=f"{plural(len(set(curve['window'])), 'test')} one after the other, "
        f"{number(len(order))} bars: from {number(cash, 2)} to {number(curve['equity'][-1], 2)}.",
        height=300,
        start=time.start,
        stop=time.stop,
        values=frame.value.ticks(),
        times=time.ticks(),
        layers=[
            Layer("level", frame.line([time.start, time.stop], [cash, cash])),
            Layer("equity", frame.line(ts, equity)),
        ],
    )
