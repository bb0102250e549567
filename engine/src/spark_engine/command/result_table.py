"""The result of a run as a quant reads it on a terminal: trust first, then return, risk, trades, cost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from spark_engine.command import figures

Evidence = Mapping[str, Any]


def result_table(evidence: Evidence, directory: Path, report: Path | None) -> RenderableType:
    """Heading, figures beside buy-and-hold, trades and costs, checks, and where everything is."""
    return Group(
        Text(""),
        _heading(evidence),
        Text(""),
        _performance(evidence),
        Text(""),
        *_lines(evidence),
        Text(""),
        *_places(evidence, directory, report),
        Text(""),
    )


def _heading(evidence: Evidence) -> Text:
    result, spec = evidence["result"], evidence["result"]["spec"]
    strategy, market = spec["strategy"], spec["market"]
    params = " ".join(f"{name}={value}" for name, value in strategy["params"].items())
    window = result["window"]
    span = f"{figures.minute(window['firstTs'])} → {figures.minute(window['lastTs'])} UTC"
    return Text.assemble(
        (f"  {evidence['id']}", "bold"),
        f"   {strategy.get('name') or strategy['entryPoint']} {params}\n",
        (f"  {market['symbol']} {market['timeframe']} · {span} · {result['counts']['bars']:,} bars", "dim"),
    )


def _performance(evidence: Evidence) -> Table:
    metrics, benchmark = evidence["result"]["metrics"], evidence["result"]["benchmark"]
    currency = evidence["result"]["spec"]["account"]["currency"]
    table = Table(box=None, padding=(0, 2), show_edge=False)
    table.add_column("")
    table.add_column("Strategy", justify="right")
    table.add_column("Buy & hold", justify="right", style="dim")
    table.add_column("")
    rows = (
        (f"Final equity ({currency})", "finalEquity", figures.money, benchmark["finalEquity"]),
        ("Total return", "totalReturn", figures.signed_percent, benchmark["totalReturn"]),
        ("CAGR", "cagr", figures.signed_percent, None),
        ("Max drawdown", "maxDrawdown", figures.percent, benchmark["maxDrawdown"]),
        ("Volatility", "volatility", figures.percent, None),
        ("Sharpe", "sharpe", figures.ratio, None),
        ("Sortino", "sortino", figures.ratio, None),
        ("Calmar", "calmar", figures.ratio, None),
    )
    for label, name, form, other in rows:
        value = metrics[name]
        table.add_row(
            label,
            Text(_shown(value, form), style=_tone(name, value["value"])),
            "" if other is None else form(other),
            Text(value.get("reason") or "", style="dim"),
        )
    return table


def _lines(evidence: Evidence) -> list[Text]:
    metrics, checks = evidence["result"]["metrics"], evidence["result"]["checks"]
    quality = evidence["result"]["dataQuality"]
    trades = (
        f"{metrics['trades']['value']:,} closed · won {_shown(metrics['winRate'], figures.percent)} · "
        f"profit factor {_shown(metrics['profitFactor'], figures.ratio)} · "
        f"expectancy {_shown(metrics['expectancy'], figures.money)}"
    )
    costs = (
        f"fees {_shown(metrics['totalFees'], figures.money)} · "
        f"slippage {_shown(metrics['totalSlippage'], figures.money)} · "
        f"turnover {_shown(metrics['turnover'], figures.ratio)}x equity"
    )
    exposure = f"{_shown(metrics['exposure'], figures.percent)} of bars in the market"
    gaps = (
        f"{quality['gaps']:,} gaps, {quality['missingBars']:,} bars missing" if quality["gaps"] else "no gaps"
    )
    data = f"{gaps} · fills after a gap: {checks['fillsAfterGap']:,}"
    lines = [_line("Trades", trades), _line("Exposure", exposure), _line("Costs", costs), _line("Data", data)]
    if checks["bankrupt"]:
        lines.append(
            _line("Bankrupt", f"equity fell to zero or below at bar {checks['bankruptBar']:,}", "bold red")
        )
    if checks["verdict"] is not None:
        lines.append(_verdict(checks["verdict"]))
    return lines


def _verdict(verdict: Mapping[str, Any]) -> Text:
    criteria = " · ".join(_criterion(row) for row in verdict["criteria"])
    word = "passed" if verdict["passed"] else "failed"
    return _line("Verdict", f"{word} · {criteria}", "green" if verdict["passed"] else "red")


def _criterion(row: Mapping[str, Any]) -> str:
    value = "no value" if row["value"] is None else f"{row['value']:.4g}"
    return f"{row['criterion']} {row['limit']} {'✓' if row['passed'] else '✗'} ({value})"


def _places(evidence: Evidence, directory: Path, report: Path | None) -> list[Text]:
    lines = [_line("Digest", evidence["digest"], "bold"), _line("Artifacts", f"{directory}/")]
    if report is not None:
        lines.append(_line("Report", str(report)))
    lines.append(_line("Prove it", f"backtest verify {directory} --rerun"))
    return lines


def _line(label: str, text: str, style: str = "") -> Text:
    return Text.assemble((f"  {label:<11}", "dim"), (text, style), no_wrap=False, overflow="fold")


def _shown(metric: Mapping[str, Any], form: figures.Form) -> str:
    return "–" if metric["value"] is None else form(metric["value"])


def _tone(name: str, value: float | None) -> str:
    if name not in ("totalReturn", "cagr") or value is None or value == 0:
        return "bold"
    return "bold green" if value > 0 else "bold red"
