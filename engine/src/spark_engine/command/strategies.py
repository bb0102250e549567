"""`backtest strategies`: what can be run, and with which parameters."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from spark_engine.command.console import note, output
from spark_engine.command.usage import Subparsers, add_command
from spark_engine.errors import BacktestError
from spark_engine.strategies.load import installed, load
from spark_engine.strategies.registry import BUILT_IN, allowed
from spark_engine.strategies.table import BUILT_IN_CODE, Parameter, Strategy

DETAILS = """\
examples:
  backtest strategies
  backtest strategies rsi
  PYTHONPATH=src backtest strategies my_package.trend:signals

Packages register strategies under the entry-point group spark_engine.strategies.
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "strategies", execute, "list strategies and their parameters", DETAILS)
    parser.add_argument("name", nargs="?", help="show this one only: a name, or package.module:Name")


def execute(options: argparse.Namespace) -> int:
    for strategy in [_named(options.name)] if options.name else _all():
        _show(strategy)
    return 0


def _named(name: str) -> Strategy:
    return load({"entryPoint" if ":" in name else "name": name})


def _all() -> Iterator[Strategy]:
    yield from BUILT_IN
    for name in installed():
        try:
            yield load({"name": name})
        except BacktestError as error:
            note(f"{name}: {error.message}")


def _show(strategy: Strategy) -> None:
    from rich.table import Table
    from rich.text import Text

    aliases = f"   also {', '.join(strategy.aliases)}" if strategy.aliases else ""
    table = Table(box=None, padding=(0, 2), show_edge=False, header_style="dim")
    for heading in ("parameter", "allowed", "default", ""):
        table.add_column(heading)
    for parameter in strategy.parameters:
        table.add_row(*map(Text, _row(strategy, parameter)))
    output().print(Text.assemble((strategy.name, "bold"), (aliases, "dim")))
    if strategy.summary:
        output().print(Text(f"  {strategy.summary}"))
    if strategy.code != BUILT_IN_CODE:
        form = "vector" if strategy.decide is not None else "event"
        output().print(Text(f"  {form} form, {strategy.root}, {strategy.code}", style="dim"))
    if strategy.parameters:
        output().print(table)
    for check in strategy.checks:
        output().print(Text(f"  {check.message}", style="dim"))
    output().print()


def _row(strategy: Strategy, parameter: Parameter) -> tuple[str, str, str, str]:
    default = "required" if parameter.required else str(parameter.default)
    return parameter.name, _allowed(strategy, parameter), default, parameter.summary


def _allowed(strategy: Strategy, parameter: Parameter) -> str:
    if strategy.schema is None:
        return allowed(parameter)
    from spark_engine.strategies.own_parameters import allowed as allowed_by

    return allowed_by(strategy.schema["properties"][parameter.name])
