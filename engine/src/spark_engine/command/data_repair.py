"""`backtest data repair`: what is mended, why, and how it looks before and after."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spark_engine.command.console import output
from spark_engine.command.data_inputs import add_rules, add_source, rules_of
from spark_engine.command.figures import minute
from spark_engine.command.usage import Subparsers, Usage, add_command
from spark_engine.data.files import one_file
from spark_engine.data.inspect import Inspected, inspect_source
from spark_engine.data.inspection import Inspection
from spark_engine.data.mend import Rules
from spark_engine.data.source import open_source
from spark_engine.data.stamps import iso
from spark_engine.data.timetable import ALWAYS
from spark_engine.data.twice import PREFERENCES
from spark_engine.data.write import candles_parquet, write_file
from spark_engine.errors import InvalidData
from spark_engine.printable import printable

DETAILS = """\
examples:
  backtest data repair ETHUSDT_1h.csv.gz
  backtest data repair ETHUSDT_1h.csv.gz --out ETHUSDT_1h.parquet
  backtest data repair ETHUSDT_1h.csv.gz --prefer filled,finer,last
  backtest data repair THYAO.parquet --calendar XIST --out THYAO_mended.parquet

Without --out nothing is written: the table says what would be. Nothing is made up: a missing bar stays
missing, and where no rule says which of two rows is the better one, none is taken (exit 11 with --out).
"""


def configure(actions: Subparsers[argparse.ArgumentParser]) -> None:
    action = add_command(actions, "repair", repair, "mend what can be mended, and say what and why", DETAILS)
    add_source(action)
    add_rules(action)
    action.add_argument("--out", metavar="FILE.parquet", type=Path, help="write the mended candles here")
    action.add_argument("--force", action="store_true", help="overwrite --out")
    action.add_argument("--output", choices=("table", "json"), default="table")


def repair(options: argparse.Namespace) -> int:
    rules = rules_of(options)
    _require_writable(options)
    before = inspect_source(options.uri, open_source(options.uri), options.symbol, rules)
    if not len(before.mended.rows):
        raise InvalidData("no row is left after the repairs", field="spec.data.uri")
    content = candles_parquet(before.mended.rows)
    after = _read_back(content, options, rules)
    if options.out is not None:
        _require_decided(before, rules)
        write_file(options.out, content, "--out")
    if options.output == "json":
        print(json.dumps(_report(before, after, options.out), indent=2))
    else:
        _print(before, after, options.out)
    return 0


def _read_back(content: bytes, options: argparse.Namespace, rules: Rules) -> Inspection:
    """What the mended file is to a reader: it is read as any other."""
    name = options.out.name if options.out else "mended.parquet"
    return inspect_source(name, one_file(name, content), None, Rules(calendar=rules.calendar)).inspection


def _require_writable(options: argparse.Namespace) -> None:
    if options.out is None:
        return
    if options.out.suffix != ".parquet":
        raise Usage(f"--out must be a .parquet file; is {options.out}")
    if options.out.exists() and not options.force:
        raise Usage(f"{options.out} exists; --force overwrites it")


def _require_decided(before: Inspected, rules: Rules) -> None:
    undecided = before.mended.duplicates.undecided
    if undecided:
        more = ", ".join(name for name in PREFERENCES if name not in rules.prefer)
        raise InvalidData(
            f"{len(undecided):,} times have rows that differ and are equally good, the first "
            f"{iso(undecided[0])}: add one of {more} to {','.join(rules.prefer)}",
            field="--prefer",
        )


def _report(before: Inspected, after: Inspection, out: Path | None) -> dict[str, Any]:
    return {
        "uri": before.inspection.uri,
        "out": None if out is None else str(out),
        "repairs": [asdict(repair) for repair in before.mended.repairs],
        "undecided": list(before.mended.duplicates.undecided),
        "before": {**asdict(before.inspection), "accepted": before.inspection.accepted},
        "after": {**asdict(after), "accepted": after.accepted},
    }


def _print(before: Inspected, after: Inspection, out: Path | None) -> None:
    from rich.table import Table
    from rich.text import Text

    console = output()
    console.print(Text(f"\n  {printable(before.inspection.uri)}\n", style="bold"))
    if not before.mended.repairs:
        console.print(Text("  nothing to mend", style="green"))
    for repair in before.mended.repairs:
        heading = Text.assemble(
            (f"  {repair.name}", "bold"), f"   {repair.rows:,} row{'' if repair.rows == 1 else 's'}"
        )
        console.print(heading)
        console.print(Text(f"    {printable(repair.why, lines=True)}", style="dim"))
        console.print(Text(f"    {minute(repair.example_ms)}   {printable(repair.before)}"))
        console.print(Text(f"    {'':16} → {printable(repair.after) or 'left out'}"))
    table = Table(box=None, padding=(0, 2), show_edge=False)
    for heading_text in ("", "before", "after"):
        table.add_column(heading_text, justify="right" if heading_text else "left")
    for label, was, now in _compared(before.inspection, after):
        table.add_row(f"  {label}", was, now)
    console.print(Text(""), table)
    for line, style in _endings(before, after, out):
        console.print(Text(f"\n  {line}", style=style))
    console.print()


def _compared(before: Inspection, after: Inspection) -> Iterator[tuple[str, str, str]]:
    for label, name in (
        ("rows", "rows"),
        ("rows out of order", "unsorted_rows"),
        ("exact duplicates", "exact_duplicates"),
        ("conflicting duplicates", "conflicting_duplicates"),
        ("low/high off open/close", "broken_ranges"),
        ("rows off the grid", "off_grid_rows"),
        ("null volumes", "null_volumes"),
        ("zero volumes", "zero_volumes"),
        ("gaps", "gaps"),
        ("missing bars", "missing_bars"),
        ("suspect prices", "bad_prints"),
    ):
        yield label, f"{getattr(before, name):,}", f"{getattr(after, name):,}"
    if before.sessions is not None and after.sessions is not None:
        yield (
            f"rows of no session of {before.sessions.calendar}",
            f"{before.sessions.no_session_rows + before.sessions.placeholder_rows:,}",
            f"{after.sessions.no_session_rows + after.sessions.placeholder_rows:,}",
        )


def _endings(before: Inspected, after: Inspection, out: Path | None) -> Iterator[tuple[str, str]]:
    for bad in after.first_bad_prints:
        shown = f"{bad.field} {bad.price:.10g} where {bad.around:.10g} was paid around it"
        yield (
            f"suspect price, kept: {minute(bad.ts_ms)} {shown} (--drop bad-prints leaves the bar out)",
            "yellow",
        )
    undecided = before.mended.duplicates.undecided
    if undecided:
        yield f"{len(undecided):,} times stay doubled: --prefer does not tell their rows apart", "yellow"
    for refusal in after.refusals:
        yield f"a run still refuses it: {printable(refusal.message, lines=True)}", "red"
    if after.accepted:
        calendar = before.inspection.sessions.calendar if before.inspection.sessions else ALWAYS
        yield f"a run takes the mended candles as they are (calendar {calendar})", "green"
    yield (f"written to {out}" if out else "nothing was written: --out FILE.parquet writes it"), "bold"
