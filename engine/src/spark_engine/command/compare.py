"""`backtest compare`: artifact directories side by side."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spark_crds.formats.outcome import ExitCode

from spark_engine.command.console import output
from spark_engine.command.intact import verified_run
from spark_engine.command.page_file import require_outside, write_file
from spark_engine.command.usage import Subparsers, Usage, add_command
from spark_engine.errors import InvalidData
from spark_engine.evidence.comparison import FEWEST, MOST, compare
from spark_engine.evidence.stored import Directory

DETAILS = """\
Metrics with the better value marked, the fields in which the specs differ, and whether data, decisions,
fills and equity were the same. Only directories that verify are compared.

Exit code 0: compared, whatever the outcome. With --same, 1: the digests are not all equal.
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "compare", execute, "put artifact directories side by side", DETAILS)
    parser.add_argument(
        "directories", metavar="DIR", type=Path, nargs="+", help=f"{FEWEST} to {MOST} of them"
    )
    parser.add_argument("--output", choices=("table", "json"), default="table")
    parser.add_argument(
        "--html", metavar="FILE", type=Path, help="also write a page with the curves overlaid"
    )
    parser.add_argument("--same", action="store_true", help="exit with 1 unless all digests are equal")


def execute(options: argparse.Namespace) -> int:
    count = len(options.directories)
    if not FEWEST <= count <= MOST:
        raise Usage(f"name {FEWEST} to {MOST} directories; {count} given")
    runs = [verified_run(path) for path in options.directories]
    document = compare([(str(directory.path), evidence) for directory, evidence in runs])
    if options.html is not None:
        for path in options.directories:
            require_outside(options.html, path, "--html")
        page = _page(document, [directory for directory, _ in runs])
        write_file(options.html, page.encode(), "--html")
    if options.output == "json":
        print(json.dumps(document, indent=2))
    else:
        from spark_engine.command.compare_table import compare_table  # so does rich

        output().print(compare_table(document, options.html))
    same = document["same"]["digest"]
    return int(ExitCode.DIFFERENCE if options.same and not same else ExitCode.DONE)


def _page(document: Mapping[str, Any], directories: Sequence[Directory]) -> str:
    from spark_engine.report.comparison import render_comparison  # jinja2 costs its import

    try:
        charts = [json.loads(directory.files["chart.json"]) for directory in directories]
        return render_comparison(document, charts)
    except (LookupError, ArithmeticError, ValueError, TypeError) as error:
        raise InvalidData(f"a chart.json lacks what the page is drawn from ({error!r})") from None
