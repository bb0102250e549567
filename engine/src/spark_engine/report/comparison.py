"""Runs side by side on one page: curves overlaid, metrics, differences of the specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spark_engine.report.formatting import signed_percent, words
from spark_engine.report.page import render_page
from spark_engine.report.plot import Frame, Layer, Plot, bucket_span, middles
from spark_engine.report.scale import LinearScale, TimeScale, padded
from spark_engine.report.tables import metric_text, setting

LETTERS = "ABCDEFGH"
LOG_FROM_RATIO = 4

Chart = Mapping[str, Any]


def render_comparison(document: Mapping[str, Any], charts: Sequence[Chart]) -> str:
    """`document` of `evidence.comparison.compare`, and the chart.json of each of its runs."""
    rows = [(row, *metric_text(row["id"], row["values"])) for row in document["metrics"]]
    same = {name: equal for name, equal in document["same"].items() if name != "digest"}
    return render_page(
        "comparison.html",
        library=False,
        runs=list(zip(LETTERS, document["runs"], strict=False)),
        same_digest=document["same"]["digest"],
        same=[(words(name), equal) for name, equal in same.items()],
        equity=growth_plot(charts),
        drawdown=drawdown_plot(charts),
        metrics=rows,
        spec=[(row["path"], [setting(value) for value in row["values"]]) for row in document["spec"]],
    )


def growth_plot(charts: Sequence[Chart]) -> Plot:
    """Equity over initial cash; each bucket's line touches its lowest and highest value."""
    time = _time(charts)
    extremes = [bound for chart in charts for bound in _growth(chart, "low") + _growth(chart, "high")]
    log = min(extremes) > 0 and max(extremes) / min(extremes) >= LOG_FROM_RATIO
    frame = Frame(time, padded([1.0, *extremes], log=log))
    ends = [signed_percent(_growth(chart, "last")[-1] - 1) for chart in charts]
    total = ", ".join(f"{letter} {end}" for letter, end in zip(LETTERS, ends, strict=False))
    return Plot(
        name="growth",
        title="Equity over initial cash",
        summary=f"At the end: {total}." + (" Logarithmic axis." if log else ""),
        height=340,
        start=time.start,
        stop=time.stop,
        values=frame.value.ticks(),
        times=time.ticks(),
        layers=[
            Layer("level", frame.line([time.start, time.stop], [1.0, 1.0])),
            *(Layer(f"run run-{index + 1}", frame.line(*_path(chart))) for index, chart in enumerate(charts)),
        ],
    )


def drawdown_plot(charts: Sequence[Chart]) -> Plot:
    time = _time(charts)
    depths = [[-depth for depth in chart["drawdown"]["worst"]] for chart in charts]
    frame = Frame(time, LinearScale(min(-0.01, *map(min, depths)) * 1.06, 0.0, as_percent=True))
    deepest = ", ".join(
        f"{letter} {signed_percent(min(column))}" for letter, column in zip(LETTERS, depths, strict=False)
    )
    return Plot(
        name="drawdowns",
        title="Drawdown",
        summary=f"At the deepest: {deepest}.",
        height=170,
        start=time.start,
        stop=time.stop,
        values=frame.value.ticks(),
        times=time.ticks(),
        layers=[
            Layer(f"run run-{index + 1}", frame.line(middles(chart["drawdown"]["ts"]), depths[index]))
            for index, chart in enumerate(charts)
        ],
    )


def _time(charts: Sequence[Chart]) -> TimeScale:
    """From the first bar of any run to the end of the last."""
    columns = [chart["equity"]["ts"] for chart in charts]
    return TimeScale(min(ts[0] for ts in columns), max(ts[-1] + bucket_span(ts) for ts in columns))


def _growth(chart: Chart, name: str) -> list[float]:
    return [value / chart["initialCash"] for value in chart["equity"][name]]


def _path(chart: Chart) -> tuple[list[float], list[float]]:
    at, last = middles(chart["equity"]["ts"]), _growth(chart, "last")
    if chart["bars"] == len(at):
        return at, last
    rows = zip(_growth(chart, "low"), _growth(chart, "high"), last, strict=True)
    return [ts for ts in at for _ in range(3)], [value for row in rows for value in row]
