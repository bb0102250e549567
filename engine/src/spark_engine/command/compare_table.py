"""A comparison as it is read on a terminal: one column a run, the better value marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from spark_engine.command import figures
from spark_engine.report.tables import metric_text, setting

LETTERS = "ABCDEFGH"
SHOWN = (
    "finalEquity", "totalReturn", "buyAndHoldReturn", "cagr", "maxDrawdown", "volatility", "sharpe",
    "sortino", "calmar", "trades", "winRate", "profitFactor", "expectancy", "exposure", "turnover",
    "totalFees", "totalSlippage", "totalFunding",
)  # fmt: skip


def compare_table(document: Mapping[str, Any], page: Path | None) -> RenderableType:
    """Legend, metrics, differences of the specs, what was the same."""
    parts: list[RenderableType] = [Text(""), *_legend(document["runs"]), Text(""), _metrics(document)]
    parts += [
        Text(""),
        _spec(document["spec"]) if document["spec"] else _line("Spec", "the same in every field"),
    ]
    parts += [Text(""), *_same(document["same"])]
    if page is not None:
        parts.append(_line("Page", str(page)))
    return Group(*parts, Text(""))


def _legend(runs: Sequence[Mapping[str, Any]]) -> list[Text]:
    lines = []
    for letter, run in zip(LETTERS, runs, strict=False):
        span = f"{figures.minute(run['firstTs'])} → {figures.minute(run['lastTs'])} · {run['bars']:,} bars"
        digest = str(run["digest"]).rpartition(":")[2][:12]
        lines.append(Text.assemble((f"  {letter}  ", "bold"), run["path"], (f"  {digest} · {span}", "dim")))
    return lines


def _columns(runs: int, first: str) -> Table:
    table = Table(box=None, padding=(0, 2), show_edge=False)
    table.add_column(first, style="dim")
    for letter in LETTERS[:runs]:
        table.add_column(letter, justify="right", overflow="fold")
    return table


def _metrics(document: Mapping[str, Any]) -> Table:
    rows = {row["id"]: row for row in document["metrics"]}
    table = _columns(len(document["runs"]), "")
    for name in SHOWN:
        if name in rows:
            row = rows[name]
            label, texts = metric_text(name, row["values"])
            table.add_row(label, *_marked(texts, row["best"]))
    return table


def _marked(texts: Sequence[str], best: Sequence[int]) -> list[Text]:
    return [
        Text(f"{text} ✓" if index in best else f"{text}  ", style="bold green" if index in best else "")
        for index, text in enumerate(texts)
    ]


def _spec(differences: Sequence[Mapping[str, Any]]) -> Table:
    table = _columns(len(differences[0]["values"]), "Spec differs in")
    for row in differences:
        table.add_row(row["path"], *(Text(setting(value)) for value in row["values"]))
    return table


def _same(same: Mapping[str, bool]) -> list[Text]:
    alike = [name for name, equal in same.items() if equal and name != "digest"]
    different = [name for name, equal in same.items() if not equal and name != "digest"]
    digests = ("the same", "green") if same["digest"] else ("different", "")
    data = ("the same candles", "green") if same["candles"] else ("different candles", "yellow")
    return [
        _line("Digests", *digests),
        _line("Data", *data),
        _line("Alike", ", ".join(alike) or "nothing"),
        _line("Different", ", ".join(different) or "nothing"),
    ]


def _line(label: str, text: str, style: str = "") -> Text:
    return Text.assemble((f"  {label:<11}", "dim"), (text, style))
