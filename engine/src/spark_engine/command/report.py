"""`backtest report`: the HTML report of an artifact directory, drawn again."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from jinja2 import TemplateError
from spark_crds.formats.evidence import REPORT_FILE

from spark_engine.command.page_file import require_outside, write_file
from spark_engine.command.usage import Subparsers, add_command
from spark_engine.errors import InvalidData
from spark_engine.evidence.artifact import without_report
from spark_engine.evidence.stored import Directory, read_directory, require_intact
from spark_engine.evidence.sweep_result import RESULTS_FILE, SWEEP_EVIDENCE_SCHEMA, TOP_FILE
from spark_engine.evidence.tables import decode
from spark_engine.report.render import render_report
from spark_engine.report.sweep_report import render_sweep

DETAILS = """\
The artifact directory itself is left as it is: it is evidence. The page is written beside it.
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands, "report", execute, "draw the HTML report of an artifact directory", DETAILS
    )
    parser.add_argument("directory", metavar="DIR", type=Path)
    parser.add_argument("--out", metavar="FILE", type=Path, help="where to write it (default: DIR.html)")


def execute(options: argparse.Namespace) -> int:
    directory = read_directory(options.directory)
    target = options.out or Path(f"{options.directory.resolve()}.html")
    require_outside(target, options.directory, "--out")
    write_file(target, page(directory).encode(), "--out")
    print(target)
    return 0


def page(directory: Directory) -> str:
    """The report. Raises `InvalidData` where the directory lacks what it is drawn from."""
    if directory.evidence is None:
        raise InvalidData(f"{directory.path}/evidence.json is not readable: {directory.problem}")
    try:
        if directory.evidence["schema"] == SWEEP_EVIDENCE_SCHEMA:
            require_intact(directory, directory.evidence, (RESULTS_FILE, TOP_FILE))
            return render_sweep(without_report(directory.evidence), directory.files)
        require_intact(directory, directory.evidence, ("chart.json", "trades.parquet"))
        chart = json.loads(directory.files["chart.json"])
        trades = decode(directory.files["trades.parquet"], "trades.parquet")
        return render_report(without_report(directory.evidence), chart, trades)
    except (LookupError, ArithmeticError, AttributeError, ValueError, TypeError, TemplateError) as error:
        raise InvalidData(
            f"{directory.path} lacks what {REPORT_FILE} is drawn from ({error}); `backtest verify` says more"
        ) from None
