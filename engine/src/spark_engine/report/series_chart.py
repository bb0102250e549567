"""Exposure and rolling Sharpe ratio over time. Absent from artifacts of earlier engines: None then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import fsum
from typing import Any

from spark_engine.report.formatting import duration, number, percent, plural
from spark_engine.report.plot import Frame, Layer, Plot, middles, time_scale
from spark_engine.report.scale import LinearScale, padded

MAX_MEANS = 160  # of exposure: more of them is noise


def exposure_plot(chart: Mapping[str, Any]) -> Plot | None:
    """Notional over equity, long upwards and short downwards."""
    exposure = chart.get("exposure")
    if exposure is None:
        return None
    group = -(-len(exposure["long"]) // MAX_MEANS)
    long = _means(exposure["long"], group)
    short = [-value for value in _means(exposure["short"], group)]
    time = time_scale(chart["price"]["ts"])
    edges = [*chart["price"]["ts"][::group], time.stop]
    at, zeros = [edge for pair in pairwise(edges) for edge in pair], [0.0] * (2 * len(long))
    bars = group * -(-chart["bars"] // len(chart["price"]["ts"]))
    high, low = max([0.0, *long]), min([0.0, *short])
    frame = Frame(time, LinearScale(low * 1.08, max(high * 1.08, -low * 0.08, 0.01), as_percent=True))
    return Plot(
        name="exposure",
        title="Exposure",
        summary=f"Notional over equity, means over {plural(bars, 'bar')}: "
        f"long at most {percent(high)}, short at most {percent(-low)}.",
        height=110,
        start=time.start,
        stop=time.stop,
        values=frame.value.ticks(),
        times=time.ticks(),
        layers=[
            Layer("long-band", frame.band(at, zeros, _steps(long))),
            Layer("short-band", frame.band(at, _steps(short), zeros)),
            Layer("level", frame.line([time.start, time.stop], [0.0, 0.0])),
        ],
    )


def rolling_sharpe_plot(chart: Mapping[str, Any]) -> Plot | None:
    """None also for a run that is too short for a window to slide over it."""
    rolling = chart.get("rollingSharpe")
    if rolling is None or not any(value is not None for value in rolling["value"]):
        return None
    ts, values = chart["price"]["ts"], rolling["value"]
    time, at = time_scale(ts), middles(ts)
    known = [value for value in values if value is not None]
    frame = Frame(time, padded([0.0, *known]))
    return Plot(
        name="rolling-sharpe",
        title="Rolling Sharpe ratio",
        summary=f"Over the last {duration(rolling['seconds'])} at each point, annualised: between "
        f"{number(min(known), 2)} and {number(max(known), 2)}, at the end {_at_end(values)}. "
        f"Above 0 {percent(sum(1 for value in known if value > 0) / len(known), 0)} of the time.",
        height=150,
        start=time.start,
        stop=time.stop,
        values=frame.value.ticks(),
        times=time.ticks(),
        layers=[
            Layer("level", frame.line([time.start, time.stop], [0.0, 0.0])),
            Layer("sharpe", "".join(_segments(frame, at, values))),
        ],
    )


def _means(values: Sequence[float | None], group: int) -> list[float]:
    known = [value or 0.0 for value in values]
    return [fsum(known[at : at + group]) / len(known[at : at + group]) for at in range(0, len(known), group)]


def _steps(values: Sequence[float]) -> list[float]:
    return [value for value in values for _ in range(2)]


def _at_end(values: Sequence[float | None]) -> str:
    return "not defined" if values[-1] is None else number(values[-1], 2)


def _segments(frame: Frame, at: Sequence[float], values: Sequence[float | None]) -> list[str]:
    """One path for each stretch in which there are values."""
    paths, points = [], []
    for ts, value in zip([*at, 0.0], [*values, None], strict=True):
        if value is not None:
            points.append((ts, value))
        elif points:
            paths.append(
                frame.line([ts for ts, _ in points], [value for _, value in points])
                if len(points) > 1
                else ""
            )
            points = []
    return paths
