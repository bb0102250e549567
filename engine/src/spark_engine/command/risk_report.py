"""`backtest risk-report`: what a run put at stake, computed from the tables of its artifact directory."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spark_engine.command.console import output
from spark_engine.command.intact import verified_run
from spark_engine.command.page_file import require_outside, write_file
from spark_engine.command.usage import Subparsers, add_command
from spark_engine.data.request import timeframe_ms
from spark_engine.errors import InvalidData
from spark_engine.evidence.stored import Directory
from spark_engine.statistics.moments import table_sessions
from spark_engine.statistics.risk import SCHEMA, risk_document

RISK_FILE = "risk.json"
DETAILS = """\
Value at risk, expected shortfall, drawdowns with recovery, worst days, exposure, concentration and Kelly
fraction are computed from equity.parquet and trades.parquet; the cost sensitivity is what the run itself
measured (risk.json), for it needs the candles. docs/risk.md has every formula with its source.
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands, "risk-report", execute, "what a run put at stake, from its artifact", DETAILS
    )
    parser.add_argument("directory", metavar="DIR", type=Path)
    parser.add_argument("--output", choices=("table", "json"), default="table")
    parser.add_argument("--html", metavar="FILE", type=Path, help="also write it as a page")


def execute(options: argparse.Namespace) -> int:
    directory, evidence = verified_run(options.directory)
    document = risk_of(directory, evidence)
    if options.html is not None:
        from spark_engine.report.risk import render_risk  # jinja2 costs its import

        require_outside(options.html, options.directory, "--html")
        write_file(options.html, render_risk(document, evidence).encode(), "--html")
    if options.output == "json":
        print(json.dumps(document, indent=2))
    else:
        _print_table(document, evidence, options.html)
    return 0


def session_days(market: Mapping[str, Any], ts: Sequence[int]) -> Sequence[int] | None:
    """The session of each bar, by the calendar of the run; None around the clock."""
    sessions = table_sessions(market["calendar"], ts, timeframe_ms(market["timeframe"]))
    return None if sessions is None else sessions.day


def risk_of(directory: Directory, evidence: Mapping[str, Any]) -> dict[str, Any]:
    """From the tables; cost sensitivity, where it was measured, from risk.json. Raises `InvalidData`."""
    try:
        document = risk_document(
            directory.tables["equity.parquet"],
            directory.tables["trades.parquet"],
            initial_cash=float(evidence["result"]["spec"]["account"]["initialCash"]),
            days=session_days(evidence["result"]["spec"]["market"], directory.tables["equity.parquet"]["ts"]),
        )
        if RISK_FILE in directory.files:
            stored = json.loads(directory.files[RISK_FILE])
            if stored["schema"] != SCHEMA:
                raise InvalidData(f"{RISK_FILE}: schema is {stored['schema']}, this engine reads {SCHEMA}")
            document["costSensitivity"] = stored["costSensitivity"]
    except (LookupError, ArithmeticError, ValueError, TypeError) as error:
        raise InvalidData(f"{directory.path} lacks what the risk report is made of ({error!r})") from None
    return document


def _print_table(document: Mapping[str, Any], evidence: Mapping[str, Any], page: Path | None) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from spark_engine.report.risk import risk_sections

    console = output()
    console.print(Text(f"\n  {evidence['id']}  {evidence['digest']}", style="bold"))
    for section in risk_sections(document, str(evidence["result"]["spec"]["account"].get("currency", ""))):
        console.print(Text(f"\n  {section.title}", style="bold"))
        if not section.rows:
            console.print(Text(f"  {section.empty}", style="dim"))
            continue
        table = Table(box=None, padding=(0, 1), show_edge=False, show_header=bool(section.columns[0]))
        for index, column in enumerate(section.columns):
            table.add_column(column, justify="right" if index else "left", no_wrap=len(section.columns) == 7)
        for row in section.rows:
            table.add_row(*(Text(text) for text in row))
        console.print(Padding(table, (0, 0, 0, 1)))
    if page is not None:
        console.print(Text(f"\n  Page: {page}"))
