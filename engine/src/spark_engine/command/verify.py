"""`backtest verify`: is an artifact directory whole, do its figures follow, does a re-run agree?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from spark_crds.formats.outcome import ExitCode

from spark_engine.command.console import output, progress
from spark_engine.command.usage import Subparsers, add_command
from spark_engine.evidence.stored import Directory, read_directory
from spark_engine.evidence.verify import CheckOutcome, verify
from spark_engine.execute.rerun import rerun

DETAILS = """\
Works offline. Exit code 0: every check passed; 1: a difference was found, and it is named.
--rerun reads the candles again and repeats the whole simulation; --data says where they are now.
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "verify", execute, "check an artifact directory, offline", DETAILS)
    parser.add_argument("directory", metavar="DIR", type=Path)
    parser.add_argument("--rerun", action="store_true", help="repeat the run and compare the digests")
    parser.add_argument(
        "--data", metavar="URI", help="with --rerun: where the candles are, if not where they were"
    )
    parser.add_argument("--output", choices=("table", "json"), default="table")


def execute(options: argparse.Namespace) -> int:
    directory = read_directory(options.directory)
    checks = verify(directory)
    if options.rerun and directory.evidence is not None and all(check.passed for check in checks):
        with progress(quiet=False) as show:
            show("repeating the run")
            checks.append(rerun(directory, directory.evidence, options.data))
    elif options.rerun:
        checks.append(
            CheckOutcome(
                "a re-run gives the same digest", ("not repeated: the artifact is not what was written",)
            )
        )
    passed = all(check.passed for check in checks)
    if options.output == "json":
        _print_json(checks, passed)
    else:
        _print_table(directory, checks, passed)
    return int(ExitCode.DONE if passed else ExitCode.DIFFERENCE)


def _print_json(checks: list[CheckOutcome], passed: bool) -> None:
    rows = [
        {"check": check.title, "passed": check.passed, "findings": list(check.findings)} for check in checks
    ]
    print(json.dumps({"passed": passed, "checks": rows}, indent=2))


def _print_table(directory: Directory, checks: list[CheckOutcome], passed: bool) -> None:
    from rich.text import Text

    console = output()
    for check in checks:
        mark, style = ("✓", "green") if check.passed else ("✗", "bold red")
        console.print(Text.assemble((f"  {mark} ", style), check.title))
        for finding in check.findings:
            console.print(Text(f"      {finding}", style="red"))
    digest = (directory.evidence or {}).get("digest", "unknown")
    console.print(
        Text(f"\n  {directory.path} is {'verified' if passed else 'NOT verified'}\n  {digest}", style="bold")
    )
