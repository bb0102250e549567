"""`backtest strategies`: what can be run, and with which parameters."""

from __future__ import annotations

import argparse

from spark_engine.command.console import output
from spark_engine.command.usage import Subparsers, add_command
from spark_engine.strategies.registry import BUILT_IN, allowed, find
from spark_engine.strategies.table import Parameter, Strategy

DETAILS = """\
examples:
  backtest strategies
  backtest strategies rsi
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "strategies", execute, "list strategies and their parameters", DETAILS)
    parser.add_argument("name", nargs="?", help="show this one only")


def execute(options: argparse.Namespace) -> int:
    for strategy in [find(options.name)] if options.name else BUILT_IN:
        _show(strategy)
    return 0


def _show(strategy: Strategy) -> None:
    from rich.table import Table
    from rich.text import Text

    aliases = f"   also {', '.join(strategy.aliases)}" if strategy.aliases else ""
    table = Table(box=None, padding=(0, 2), show_edge=False, header_style="dim")
    for heading in ("parameter", "allowed", "default", ""):
        table.add_column(heading)
    for parameter in strategy.parameters:
        table.add_row(*_row(parameter))
    output().print(Text.assemble((strategy.name, "bold"), (aliases, "dim"), f"\n  {strategy.summary}"))
    output().print(table)
    for check in strategy.checks:
        output().print(Text(f"  {check.message}", style="dim"))
    output().print()


def _row(parameter: Parameter) -> tuple[str, str, str, str]:
    default = "required" if parameter.required else str(parameter.default)
    return parameter.name, allowed(parameter), default, parameter.summary
