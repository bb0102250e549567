"""What `backtest data inspect`, `repair` and `convert` are told in the same words."""

from __future__ import annotations

import argparse

from spark_engine.data.mend import OPTIONAL, Rules
from spark_engine.data.timetable import ALWAYS
from spark_engine.data.twice import DEFAULT, MEANINGS, require_preferences


def add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("uri", metavar="URI", help="file, directory, s3://, gs://, az:// or sample://")
    parser.add_argument("--symbol", help="whose rows, where the data holds several")
    parser.add_argument(
        "--timestamps", choices=("Open", "Close"), default="Open", help="what the stamps are (default: Open)"
    )
    parser.add_argument(
        "--calendar",
        metavar="CODE",
        default=ALWAYS,
        help=f"whose sessions the bars are of, as XIST or XNYS (default: {ALWAYS})",
    )


def add_rules(parser: argparse.ArgumentParser) -> None:
    meanings = ", ".join(f"{name} ({meaning})" for name, meaning in MEANINGS.items())
    parser.add_argument(
        "--prefer",
        metavar="LIST",
        default=",".join(DEFAULT),
        help="of rows of one time that differ, the one that stays, by the first of these that tells them "
        f"apart: {meanings} (default: {','.join(DEFAULT)})",
    )
    parser.add_argument(
        "--drop",
        metavar="RULE",
        action="append",
        choices=OPTIONAL,
        default=[],
        help=f"apply a rule that is else only reported: {', '.join(OPTIONAL)}",
    )


def rules_of(options: argparse.Namespace) -> Rules:
    """Raises `InvalidData` for a preference that there is not."""
    prefer = require_preferences([name.strip() for name in options.prefer.split(",")], "--prefer")
    return Rules(options.timestamps, prefer, options.calendar, tuple(options.drop))
