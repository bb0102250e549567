"""Runs side by side: what is better, what differs, and curves that keep their extremes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import pytest
from spark_engine.evidence.comparison import best_of, compare, spec_differences
from spark_engine.report.comparison import drawdown_plot, growth_plot, render_comparison

CLOSES = [100.0 + 10 * (bar % 20 if bar % 40 < 20 else 20 - bar % 20) for bar in range(400)]


@pytest.fixture(scope="module")
def pair(a_run: Callable[..., Any]) -> tuple[Any, Any]:
    return (
        a_run(CLOSES, {bar: float(bar // 9 % 2 == 0) for bar in range(0, 399, 9)}),
        a_run(CLOSES, {0: 1.0}, symbol="ETHUSDT"),
    )


def document_of(*runs: Any) -> dict[str, Any]:
    return compare([(f"runs/{index}", run.evidence) for index, run in enumerate(runs)])


def row(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(found for found in document["metrics"] if found["id"] == name)


def test_the_better_value_of_each_metric_is_named(pair: tuple[Any, Any]) -> None:
    document = document_of(*pair)
    for name, better in (("totalReturn", max), ("maxDrawdown", min), ("totalFees", min)):
        values = [run.evidence["result"]["metrics"][name]["value"] for run in pair]
        found = row(document, name)
        assert found["values"] == values
        assert found["best"] == [values.index(better(values))]
    assert row(document, "trades")["best"] == []


def test_nobody_is_better_where_all_are_alike_or_one_alone_is_known() -> None:
    assert best_of([1.0, 1.0], "higher") == []
    assert best_of([None, 1.0], "higher") == []
    assert best_of([2.0, None, 2.0, 1.0], "higher") == [0, 2]
    assert best_of([1.0, 2.0], "neutral") == []


def test_differences_of_the_specs_are_fields_by_dotted_path() -> None:
    one = {"market": {"symbol": "A", "timeframe": "1h"}, "seed": 1, "statistics": {}}
    other = {"market": {"symbol": "B", "timeframe": "1h"}, "seed": True, "extra": [1]}
    assert list(spec_differences([one, other])) == [
        {"path": "extra", "values": [None, [1]]},
        {"path": "market.symbol", "values": ["A", "B"]},
        {"path": "seed", "values": [1, True]},
        {"path": "statistics", "values": [{}, None]},
    ]


def test_a_repeated_run_is_the_same_in_every_part(pair: tuple[Any, Any]) -> None:
    document = document_of(pair[0], pair[0])
    assert all(document["same"].values())
    assert document["spec"] == []
    differing = document_of(*pair)["same"]
    assert not differing["digest"]
    assert not differing["fills"]
    assert differing["candles"]


def test_the_document_is_json(pair: tuple[Any, Any]) -> None:
    document = document_of(*pair)
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_the_page_names_runs_metrics_and_differences_and_loads_nothing(pair: tuple[Any, Any]) -> None:
    html = render_comparison(document_of(*pair), [run.chart for run in pair])
    for text in (
        "runs/0",
        "runs/1",
        pair[0].evidence["digest"],
        "market.symbol",
        "ETHUSDT",
        "The digests differ",
    ):
        assert text in html
    assert "https://" not in html
    assert "default-src &#39;none&#39;" in html
    values = (run.evidence["result"]["metrics"]["sharpe"]["value"] for run in pair)
    assert all(f'value="{value!r}"' in html for value in values)


def test_a_hostile_path_is_only_text(pair: tuple[Any, Any]) -> None:
    hostile = "<script>alert(1)</script>"
    document = compare([(hostile, pair[0].evidence), ("b", pair[1].evidence)])
    assert hostile not in render_comparison(document, [run.chart for run in pair])


def test_curves_of_many_bars_touch_the_extremes_of_every_bucket(a_run: Callable[..., Any]) -> None:
    closes = [100.0 + (bar * 7919) % 97 for bar in range(4_000)]
    run = a_run(closes, {0: 1.0})
    path = growth_plot([run.chart, run.chart]).layers[1].path
    steps = [step.split() for step in re.sub(r"(?<=\d)-", " -", path[1:]).split("l")]
    heights = list(accumulate(int(step[1]) for step in steps))
    assert len(heights) == 3 * len(run.chart["equity"]["ts"])
    lows, highs = heights[0::3], heights[1::3]  # downwards on a screen
    assert all(low >= high for low, high in zip(lows, highs, strict=True))
    assert highs.index(min(highs)) == run.chart["equity"]["high"].index(max(run.chart["equity"]["high"]))
    assert lows.index(max(lows)) == run.chart["equity"]["low"].index(min(run.chart["equity"]["low"]))


def test_runs_of_different_windows_share_one_axis_of_time(a_run: Callable[..., Any]) -> None:
    long, short = a_run(CLOSES, {0: 1.0}), a_run(CLOSES[:40], {0: 1.0})
    for plot in (growth_plot([long.chart, short.chart]), drawdown_plot([long.chart, short.chart])):
        assert plot.start == long.chart["equity"]["ts"][0]
        assert plot.stop == long.chart["equity"]["ts"][-1] + 86_400_000


def test_a_run_without_a_trade_can_be_compared(a_run: Callable[..., Any]) -> None:
    flat = a_run([100.0] * 30)
    document = document_of(flat, flat)
    assert row(document, "winRate")["values"] == [None, None]
    assert row(document, "winRate")["reasons"] == ["NoTrades", "NoTrades"]
    assert "Drawdown" in render_comparison(document, [flat.chart, flat.chart])
