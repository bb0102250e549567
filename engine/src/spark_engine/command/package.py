"""`backtest package`: an artifact directory as one zip that anyone can verify."""

from __future__ import annotations

import argparse
from pathlib import Path

from spark_engine.command.intact import verified
from spark_engine.command.page_file import require_outside, write_file
from spark_engine.command.usage import Subparsers, add_command
from spark_engine.evidence.package import package

DETAILS = """\
The zip holds the artifact directory as it is, in a folder, and a README.md beside it that says how to
verify it. The same directory gives the same bytes, on any machine. A directory that does not verify is
refused: exit code 11 and the check that failed.
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "package", execute, "pack an artifact directory into one zip", DETAILS)
    parser.add_argument("directory", metavar="DIR", type=Path)
    parser.add_argument("--out", metavar="FILE", type=Path, help="where to write it (default: DIR.zip)")


def execute(options: argparse.Namespace) -> int:
    directory, evidence = verified(options.directory)
    target = options.out or Path(f"{options.directory.resolve()}.zip")
    require_outside(target, options.directory, "--out")
    write_file(target, package(evidence, directory.files), "--out")
    print(target)
    return 0
