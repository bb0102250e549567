"""The result of a sweep on a terminal: what the best is worth first, then the best sets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from spark_engine.command import figures

Evidence = Mapping[str, Any]
SHOWN = 10
COLUMNS = (
    ("Total return", "totalReturn", figures.signed_percent),
    ("Sharpe", "sharpe", figures.ratio),
    ("Max drawdown", "maxDrawdown", figures.percent),
    ("Trades", "trades", lambda value: f"{value:,}"),
)
WORTH = (
    ("DSR", "dsr", "deflated Sharpe ratio; above 0.95 is evidence of skill"),
    ("PBO", "pbo", "probability of backtest overfitting; 0.5 is chance"),
    ("PSR", "psr", "probabilistic Sharpe ratio, as if it were the only trial"),
)


def sweep_table(
    evidence: Evidence, files: Mapping[str, Any], directory: Path, report: Path | None
) -> RenderableType:
    """Heading, what the best is worth, the best sets, and where everything is."""
    rows: list[RenderableType] = [Text(""), _heading(evidence), Text("")]
    if "shard" not in evidence["result"]:
        import json

        from spark_engine.evidence.sweep_result import TOP_FILE

        rows += [*_worth(evidence), Text(""), _best(evidence, json.loads(files[TOP_FILE])), Text("")]
    return Group(*rows, *_places(evidence, directory, report), Text(""))


def _heading(evidence: Evidence) -> Text:
    result = evidence["result"]
    template, counts = result["spec"]["template"], result["counts"]
    strategy, market = template["strategy"], template["market"]
    shard = f" · shard {result['shard'][0]} of {result['shard'][1]}" if "shard" in result else ""
    errors = f" · {counts['errors']:,} with an error" if counts["errors"] else ""
    span = f"{figures.minute(result['window']['firstTs'])} → {figures.minute(result['window']['lastTs'])} UTC"
    return Text.assemble(
        (f"  {evidence['id']}", "bold"),
        f"   {strategy.get('name') or strategy['entryPoint']} · "
        f"{counts['trials']:,} of {counts['sets']:,} sets"
        f"{errors}{shard}\n",
        (f"  {market['symbol']} {market['timeframe']} · {span} · {counts['bars']:,} bars", "dim"),
    )


def _worth(evidence: Evidence) -> list[Text]:
    selection, lines = evidence["result"]["selection"], []
    for label, name, meaning in WORTH:
        figure = selection[name]
        text = figure["reason"] if figure["value"] is None else f"{figure['value']:.4g}"
        lines.append(Text.assemble((f"  {label:<11}", "dim"), (f"{text:<12}", "bold"), (meaning, "dim")))
    trials = selection["trials"]
    lines.append(Text(f"  {'':<11}{trials['all']:,} trials counted", style="dim"))
    walk = evidence["result"]["walkForward"]
    if walk is not None:
        total, sharpe = walk["metrics"]["totalReturn"]["value"], walk["metrics"]["sharpe"]["value"]
        lines.append(
            Text.assemble(
                ("  Walk       ", "dim"),
                f"out of sample {figures.signed_percent(total)}, sharpe "
                f"{'–' if sharpe is None else figures.ratio(sharpe)}, "
                f"{walk['profitable']} of {walk['windows']} tests with a profit",
            )
        )
    return lines


def _best(evidence: Evidence, top: list[Mapping[str, Any]]) -> Table:
    objective = evidence["result"]["objective"]
    names = evidence["result"]["space"]["names"]
    table = Table(box=None, padding=(0, 2), show_edge=False)
    table.add_column("#", justify="right", style="dim")
    for name in names:
        table.add_column(name, justify="right")
    table.add_column(
        f"{objective['metric']} {'↑' if objective['direction'] == 'Maximize' else '↓'}", justify="right"
    )
    for label, name, _ in COLUMNS:
        if name != objective["metric"]:
            table.add_column(label, justify="right", style="dim")
    for row in top[:SHOWN]:
        table.add_row(
            str(row["rank"]),
            *(str(row["params"][name]) for name in names),
            Text("–" if row["objective"] is None else f"{row['objective']:.6g}", style="bold"),
            *(
                "–" if row["metrics"][name] is None else form(row["metrics"][name])
                for _, name, form in COLUMNS
                if name != objective["metric"]
            ),
        )
    return table


def _places(evidence: Evidence, directory: Path, report: Path | None) -> list[Text]:
    lines = [_line("Digest", evidence["digest"], "bold"), _line("Artifacts", f"{directory}/")]
    if report is not None:
        lines.append(_line("Report", str(report)))
    if "shard" in evidence["result"]:
        lines.append(_line("Next", "backtest sweep merge DIR... --out DIR"))
    else:
        lines.append(_line("Prove it", f"backtest verify {directory} --rerun"))
    return lines


def _line(label: str, text: str, style: str = "") -> Text:
    return Text.assemble((f"  {label:<11}", "dim"), (text, style), no_wrap=False, overflow="fold")
