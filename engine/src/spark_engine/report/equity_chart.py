"""Equity against buy-and-hold, and the drawdown underneath."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spark_engine.report.formatting import money, percent, signed_percent, utc
from spark_engine.report.plot import Frame, Layer, Plot, middles, time_scale
from spark_engine.report.scale import LEAST_LOGARITHMIC, LinearScale, padded

LOG_FROM_RATIO = 4  # from here on, a linear axis hides the early years


def can_be_logarithmic(chart: Mapping[str, Any]) -> bool:
    return all(min(chart[name]["low"]) >= LEAST_LOGARITHMIC for name in ("equity", "benchmark"))


def prefers_logarithmic(chart: Mapping[str, Any]) -> bool:
    series = [chart["equity"], chart["benchmark"]]
    highest, lowest = max(max(s["high"]) for s in series), min(min(s["low"]) for s in series)
    return can_be_logarithmic(chart) and highest / lowest >= LOG_FROM_RATIO


def equity_plot(chart: Mapping[str, Any], *, log: bool) -> Plot:
    equity, benchmark, cash = chart["equity"], chart["benchmark"], chart["initialCash"]
    time = time_scale(equity["ts"])
    at = middles(equity["ts"])
    values = [*equity["low"], *equity["high"], *benchmark["low"], *benchmark["high"], cash]
    frame = Frame(time, padded(values, log=log))
    return Plot(
        name="equity-log" if log else "equity",
        title="Equity and buy-and-hold" + (", logarithmic" if log else ""),
        summary=equity_summary(chart),
        height=300,
        start=time.start,
        stop=time.stop,
        values=frame.value.ticks(),
        times=time.ticks(),
        layers=[
            Layer("level", frame.line([time.start, time.stop], [cash, cash])),
            Layer("benchmark-band", frame.band(at, benchmark["low"], benchmark["high"])),
            Layer("benchmark", frame.line(at, benchmark["last"])),
            Layer("equity-band", frame.band(at, equity["low"], equity["high"])),
            Layer("equity", frame.line(at, equity["last"])),
        ],
    )


def equity_summary(chart: Mapping[str, Any]) -> str:
    equity, benchmark, cash = chart["equity"], chart["benchmark"], chart["initialCash"]
    return (
        f"From {utc(equity['ts'][0])} UTC on, equity went from {money(cash)} to {money(equity['last'][-1])} "
        f"({signed_percent(equity['last'][-1] / cash - 1)}), between {money(min(equity['low']))} and "
        f"{money(max(equity['high']))}; buy-and-hold ended at {money(benchmark['last'][-1])} "
        f"({signed_percent(benchmark['last'][-1] / cash - 1)})."
    )


def drawdown_plot(chart: Mapping[str, Any]) -> Plot:
    drawdown = chart["drawdown"]
    time = time_scale(drawdown["ts"])
    at = middles(drawdown["ts"])
    depths = [-worst for worst in drawdown["worst"]]
    frame = Frame(time, LinearScale(min(min(depths) * 1.06, -0.01), 0.0, as_percent=True))
    return Plot(
        name="drawdown",
        title="Drawdown",
        summary=drawdown_summary(chart),
        height=130,
        start=time.start,
        stop=time.stop,
        values=frame.value.ticks(),
        times=time.ticks(),
        layers=[
            Layer("drawdown-band", frame.band(at, depths, [0.0] * len(depths))),
            Layer("drawdown", frame.line(at, depths)),
        ],
    )


def last_drawdown(chart: Mapping[str, Any]) -> float:
    """At the last close; that of its bucket is the worst of several bars."""
    peak = max(chart["initialCash"], *chart["equity"]["high"])
    return float(1 - chart["equity"]["last"][-1] / peak)


def drawdown_summary(chart: Mapping[str, Any]) -> str:
    worst = chart["drawdown"]["worst"]
    deepest = max(worst)
    if deepest <= 0:
        return "Equity never fell below an earlier peak."
    when = chart["drawdown"]["ts"][worst.index(deepest)]
    return (
        f"The deepest drawdown was {percent(deepest)} of the peak, around {utc(when)} UTC; "
        f"at the end {percent(last_drawdown(chart))}."
    )
