"""The report: evidence, chart and trades in, one self-contained HTML page out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spark_engine.report import (
    costs,
    equity_chart,
    events,
    formatting,
    periods,
    price_chart,
    series_chart,
    tables,
    trust,
)
from spark_engine.report.headline import headlines
from spark_engine.report.interactive import interactive_document
from spark_engine.report.page import embedded_json, render_page

TRADE_COLUMNS = (
    "Entry", "Exit", "Entry price", "Exit price", "Quantity", "Fees", "Funding", "P/L",
    "Return", "MAE", "MFE", "Bars", "Reason",
)  # fmt: skip
DIGESTED_COLUMNS = ("candles", "decisions", "fills", "equity", "events")


def render_report(
    evidence: Mapping[str, Any], chart: Mapping[str, Any], trades: Mapping[str, Sequence[Any]]
) -> str:
    """`evidence` and `chart` as docs/evidence.md describes them, `trades` the columns of trades.parquet
    (timestamps as ms UTC). The page loads nothing: its policy forbids every request.
    """
    listed = tables.trade_table(trades)
    return render_page(
        "report.html",
        library=True,
        **_head(evidence, chart),
        **_charts(chart, trades),
        series=embedded_json(interactive_document(chart, trades)),
        setting=tables.setting,
        findings=trust.findings(evidence),
        headlines=headlines(evidence, trades),
        trades=listed,
        trade_columns=[name for name in TRADE_COLUMNS if listed.has_funding or name != "Funding"],
        has_shorts="short" in trades["side"],
        metrics=tables.metric_rows(evidence["result"]["metrics"]),
        costs=costs.cost_rows(evidence, trades),
        breaches=events.breach_rows(evidence["result"]),
        events=events.event_rows(evidence["result"]),
        quality=tables.quality_rows(evidence["result"]["dataQuality"]),
        model=list(tables.setting_rows(evidence["result"]["executionModel"])),
        settings=list(tables.setting_rows(evidence["result"]["spec"])),
        execution=list(_execution(evidence["run"])),
        digests=list(_digests(evidence)),
    )


def _head(evidence: Mapping[str, Any], chart: Mapping[str, Any]) -> dict[str, Any]:
    result = evidence["result"]
    return {
        "evidence": evidence,
        "chart": chart,
        "result": result,
        "run": evidence["run"],
        "spec": result["spec"],
        "name": evidence["run"]["name"] or evidence["id"],
        "currency": result["spec"]["account"].get("currency", ""),
        "window": trust.window(evidence, chart),
        "coverage": trust.coverage(result["dataQuality"]),
        "verdict": result["checks"]["verdict"],
    }


def _charts(chart: Mapping[str, Any], trades: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    log = equity_chart.can_be_logarithmic(chart)
    return {
        "equity": equity_chart.equity_plot(chart, log=False),
        "equity_log": equity_chart.equity_plot(chart, log=True) if log else None,
        "prefers_log": equity_chart.prefers_logarithmic(chart),
        "drawdown": equity_chart.drawdown_plot(chart),
        "last_drawdown": equity_chart.last_drawdown(chart),
        "price": price_chart.price_plot(chart, trades),
        "activity": price_chart.activity_plot(chart, trades),
        "close_up": price_chart.close_up_plot(chart, trades),
        "exposure": series_chart.exposure_plot(chart),
        "rolling_sharpe": series_chart.rolling_sharpe_plot(chart),
        "years": periods.monthly_table(chart),
        "months": periods.MONTHS,
        "buckets_note": _buckets_note(chart),
    }


def _buckets_note(chart: Mapping[str, Any]) -> str:
    bars, buckets = chart["bars"], len(chart["price"]["ts"])
    if bars == buckets:
        return "Every bar is drawn."
    return (
        f"{bars:,} bars drawn in {buckets:,} buckets; shaded bands span the lowest and highest value of "
        "every bar in a bucket and a drawdown is the worst of its bucket, so no extreme is left out. "
        "Bar by bar: equity.parquet."
    )


def _execution(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kernel, data = run["kernel"], run["data"]
    yield "Run", f"{run['namespace']}/{run['name']}" if run["namespace"] else str(run["name"])
    yield "Started", f"{run['startedAt']}"
    yield "Finished", f"{run['finishedAt']}"
    yield "Engine time", f"{formatting.significant(run['engineMs'], 4)} ms"
    yield "Attempt", f"{run['attempt']}, index {run['index']}"
    yield "Engine version", str(run["engineVersion"])
    yield "Kernel", f"{'compiled' if kernel['compiled'] else 'uncompiled'}, {kernel['build']}"
    yield "Python", f"{run['python']} on {run['platform']}"
    yield "Host", str(run["host"]) or formatting.ABSENT
    yield "Image", str(run["image"]) or formatting.ABSENT
    yield "Run UID, Job UID", f"{run['uid'] or formatting.ABSENT}, {run['jobUID'] or formatting.ABSENT}"
    yield "Data", f"{data['uri']} ({formatting.byte_size(data['bytes'])})"


def _digests(evidence: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    result, run = evidence["result"], evidence["run"]
    yield "Evidence", str(evidence["digest"])
    for name in DIGESTED_COLUMNS:
        yield formatting.words(name), str(result[name])
    yield "Strategy code", str(result["strategyCode"])
    yield "Spec hash", str(run["specHash"])
    yield "Data SHA-256", str(run["data"]["sha256"])
