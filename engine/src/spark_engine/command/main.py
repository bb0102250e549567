"""`backtest`: one module a command; this one parses arguments and turns every ending into an exit code."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Final

from spark_crds.formats.outcome import ExitCode

from spark_engine.command import (
    compare,
    data,
    feed,
    new_strategy,
    package,
    report,
    risk_report,
    run,
    strategies,
    sweep,
    validate,
    verify,
)
from spark_engine.command.console import complain, unread
from spark_engine.command.usage import Usage
from spark_engine.errors import BacktestError
from spark_engine.evidence.directory import NotOurs
from spark_engine.version import __version__

COMMANDS = (
    *(run, sweep, verify, report, risk_report, compare, package),
    *(validate, strategies, new_strategy, data, feed),
)

NOT_WRITTEN: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # no reading ends so
DESCRIPTION = """\
Deterministic backtests from a manifest: the same spec, data and engine give the same evidence digest,
on this machine and in a cluster.
"""

EPILOG = """\
examples:
  backtest run -f examples/btcusdt-1h-sma-cross.yaml
  backtest run -f run.yaml --set strategy.params.fast=12 --data candles.parquet
  backtest sweep -f examples/btcusdt-1h-sma-sweep.yaml
  backtest verify runs/btcusdt-1h-sma-cross-1a2b3c4d --rerun
  backtest data inspect candles.csv.gz
  backtest feed run -f examples/btcturk-spot-feed.yaml

exit codes:
  0 done    1 verify or compare --same found a difference    2 usage    10 bad spec    11 bad data
  12 bad strategy    13 guardrail breach    14 deadline    20 engine error    21 store unavailable
  130, 143 interrupted
"""


class Terminated(BaseException):
    """SIGTERM, raised where the program is, so that partial files are removed on the way out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Results go to stdout, everything else to stderr; never a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    code = int(ExitCode.DONE)
    try:
        parser = _parser()
        options = parser.parse_args(arguments)
        if "execute" not in options:
            parser.print_help(sys.stderr)
            return int(ExitCode.USAGE)
        code = int(options.execute(options))
        sys.stdout.flush()
        return code
    except BacktestError as error:
        return _end(error.message, error.exit_code, error.field)
    except (Usage, NotOurs) as error:
        return _end(str(error), ExitCode.USAGE)
    except KeyboardInterrupt:
        return _end("interrupted; nothing is left half-written", ExitCode.INTERRUPTED)
    except Terminated:
        return _end("terminated; nothing is left half-written", ExitCode.TERMINATED)
    except BrokenPipeError:
        unread()
        return code
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NOT_WRITTEN:
            unread()
            return _end(f"the results cannot be written: {error.strerror}", ExitCode.STORE_UNAVAILABLE)
        if os.environ.get("SPARK_DEBUG"):
            traceback.print_exc()
        return _end(
            f"{type(error).__name__}: {error} (a defect of the engine; SPARK_DEBUG=1 shows where)",
            ExitCode.ENGINE_ERROR,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="backtest",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"backtest {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        command.configure(commands)
    return parser


def _end(message: str, code: ExitCode, field: str | None = None) -> int:
    complain(message if field is None else f"{field}: {message}")
    return int(code)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated


if __name__ == "__main__":
    sys.exit(main())
