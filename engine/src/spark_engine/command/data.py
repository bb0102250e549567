"""`backtest data`: looks at candles before a run does."""

from __future__ import annotations

import argparse

from spark_engine.command.usage import Subparsers, add_command

DETAILS = """\
example:
  backtest data inspect candles/ETHUSDT_1h.csv.gz
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "data", inspect, "look at candles before a run does", DETAILS)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(
        actions, "inspect", inspect, "rows, gaps, duplicates, and whether a run would accept them"
    )
    action.add_argument("uri", metavar="URI", help="file, directory, s3://, gs://, az:// or sample://")
    action.add_argument("--symbol", help="of the rows to look at, where a file holds several")
    action.add_argument("--timeframe", help="length of a bar (default: what the stamps suggest)")


def inspect(options: argparse.Namespace) -> int:
    raise NotImplementedError
