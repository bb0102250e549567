"""The report: evidence, chart and trades in, one self-contained HTML page out."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jinja2
from markupsafe import Markup

from spark_engine.report import equity_chart, formatting, price_chart, tables, trust
from spark_engine.report.headline import headlines
from spark_engine.report.plot import bucket_span

TRADE_COLUMNS = (
    "Entry", "Exit", "Entry price", "Exit price", "Quantity", "Fees", "P/L", "Return",
    "MAE", "MFE", "Bars", "Reason",
)  # fmt: skip
READOUT_DIGITS = 7
DIGESTED_COLUMNS = ("candles", "decisions", "fills", "equity", "events")

_TEMPLATES = jinja2.PackageLoader("spark_engine.report", "templates")
_ENVIRONMENT = jinja2.Environment(
    loader=_TEMPLATES, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
)


def render_report(
    evidence: Mapping[str, Any], chart: Mapping[str, Any], trades: Mapping[str, Sequence[Any]]
) -> str:
    """`evidence` and `chart` as docs/evidence.md describes them, `trades` the columns of trades.parquet
    (timestamps as ms UTC). The page loads nothing: its policy forbids every request.
    """
    style, script = _inline("report.css"), _inline("report.js")
    return _ENVIRONMENT.get_template("report.html").render(
        **_functions(),
        **_head(evidence, chart),
        **_charts(chart, trades),
        policy=_policy(style, script),
        style=style,
        script=script,
        series=_series(chart),
        findings=trust.findings(evidence),
        headlines=headlines(evidence, trades),
        trades=tables.trade_table(trades),
        trade_columns=TRADE_COLUMNS,
        has_shorts="short" in trades["side"],
        metrics=tables.metric_rows(evidence["result"]["metrics"]),
        quality=tables.quality_rows(evidence["result"]["dataQuality"]),
        model=list(tables.setting_rows(evidence["result"]["executionModel"])),
        settings=list(tables.setting_rows(evidence["result"]["spec"])),
        execution=list(_execution(evidence["run"])),
        digests=list(_digests(evidence)),
    )


def _functions() -> dict[str, Any]:
    names = ("byte_size", "money", "number", "percent", "plural", "significant", "words")
    return {name: getattr(formatting, name) for name in names} | {
        "exact": lambda value: "" if value is None else repr(value),
        "left": lambda at: round(100 * at, 2),
        "top": lambda at: round(100 * (1 - at), 2),
        "setting": tables.setting,
        "key_bar": lambda style: Markup('<i class="swatch {}"></i>').format(style),
    }


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


def _series(chart: Mapping[str, Any]) -> Markup:
    """What the cross-hair reads. `<` is escaped, so that no text can close the script element."""
    columns = {
        "equity": chart["equity"]["last"],
        "benchmark": chart["benchmark"]["last"],
        "drawdown": chart["drawdown"]["worst"],
        "position": chart["position"]["last"],
        **{name: chart["price"][name] for name in ("open", "high", "low", "close")},
    }
    rounded = {
        name: [float(f"{value:.{READOUT_DIGITS}g}") for value in column] for name, column in columns.items()
    }
    ts = chart["price"]["ts"]
    document = {"ts": list(ts), "span": bucket_span(ts), **rounded}
    return Markup(json.dumps(document, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))  # noqa: S704


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


def _inline(name: str) -> Markup:
    """A style sheet or script of ours: trusted, and never to be escaped, or its hash would not fit."""
    source, _, _ = _TEMPLATES.get_source(_ENVIRONMENT, name)
    return Markup(source)  # noqa: S704


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
