"""`backtest report`: the HTML report of an artifact directory, drawn again."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from jinja2 import TemplateError
from spark_crds.formats.evidence import REPORT_FILE

from spark_engine.command.usage import Subparsers, Usage, add_command
from spark_engine.errors import InvalidData, StoreUnavailable
from spark_engine.evidence.artifact import without_report
from spark_engine.evidence.tables import decode
from spark_engine.evidence.verify import Directory, read_directory, require_intact
from spark_engine.report.render import render_report

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
    if target.is_dir():
        raise Usage(f"--out {target} is a directory; name a file")
    if target.resolve().parent == options.directory.resolve():
        raise Usage(
            f"--out {target} lies in the artifact directory, which is evidence; name a file elsewhere"
        )
    _write(target, page(directory).encode())
    print(target)
    return 0


def page(directory: Directory) -> str:
    """The report. Raises `InvalidData` where the directory lacks what it is drawn from."""
    if directory.evidence is None:
        raise InvalidData(f"{directory.path}/evidence.json is not readable: {directory.problem}")
    try:
        require_intact(directory, directory.evidence, ("chart.json", "trades.parquet"))
        chart = json.loads(directory.files["chart.json"])
        trades = decode(directory.files["trades.parquet"], "trades.parquet")
        return render_report(without_report(directory.evidence), chart, trades)
    except (LookupError, ArithmeticError, AttributeError, ValueError, TypeError, TemplateError) as error:
        raise InvalidData(
            f"{directory.path} lacks what {REPORT_FILE} is drawn from ({error}); `backtest verify` says more"
        ) from None


def _write(target: Path, content: bytes) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    except OSError as error:
        raise StoreUnavailable(f"cannot write {target}: {error.strerror}", field="--out") from None
    finally:
        partial.unlink(missing_ok=True)
