"""`backtest data`: looks at candles before a run does."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict

from spark_engine.command.console import output, printable
from spark_engine.command.figures import minute
from spark_engine.command.usage import Subparsers, add_command
from spark_engine.data.inspect import Inspection, inspect_candles

DETAILS = """\
example:
  backtest data inspect candles/ETHUSDT_1h.csv.gz

Dirty data is no error here: it is counted. The last lines say whether a run would take it, and if not,
which field of the spec governs it.
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "data", inspect, "look at candles before a run does", DETAILS)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = add_command(actions, "inspect", inspect, "count rows, gaps, duplicates and bad values", DETAILS)
    action.add_argument("uri", metavar="URI", help="file, directory, s3://, gs://, az:// or sample://")
    action.add_argument("--symbol", help="whose rows, where the data holds several")
    action.add_argument(
        "--timestamps", choices=("Open", "Close"), default="Open", help="what the stamps are (default: Open)"
    )
    action.add_argument("--output", choices=("table", "json"), default="table")


def inspect(options: argparse.Namespace) -> int:
    inspection = inspect_candles(options.uri, options.symbol, options.timestamps)
    if options.output == "json":
        print(json.dumps({**asdict(inspection), "accepted": inspection.accepted}, indent=2))
    else:
        _print(inspection)
    return 0


def _print(inspection: Inspection) -> None:
    from rich.text import Text

    console = output()
    console.print(Text(f"\n  {printable(inspection.uri)}", style="bold"))
    for label, value, alarming in _rows(inspection):
        console.print(Text.assemble((f"  {label:<24}", "dim"), (value, "yellow" if alarming else "")))
    for gap in inspection.longest_gaps:
        console.print(
            Text(
                f"    {minute(gap.after_ms)} → {minute(gap.before_ms)}   {gap.missing_bars:,} bars",
                style="dim",
            )
        )
    if inspection.accepted:
        console.print(Text("\n  a run takes it as it is\n", style="green"))
        return
    console.print(Text("\n  a run with default policies refuses it:", style="bold red"))
    for refusal in inspection.refusals:
        field = f"{refusal.field}: " if refusal.field else ""
        console.print(Text(f"  {printable(field + refusal.message)}"))
    console.print()


def _rows(inspection: Inspection) -> Iterator[tuple[str, str, bool]]:
    """Label, value, and whether it deserves a look."""
    scale = inspection.price_scale
    yield "files", f"{len(inspection.files):,}, {inspection.bytes:,} bytes", False
    yield "sha256", inspection.sha256, False
    yield "rows", f"{inspection.rows:,}", False
    yield "from", f"{minute(inspection.first_ms)} UTC", False
    yield "to", f"{minute(inspection.last_ms)} UTC", False
    yield "timeframe", inspection.timeframe or "unknown", inspection.timeframe is None
    yield "decimal places", "more than 9" if scale is None else str(scale), scale is None
    counts = (
        ("rows out of order", inspection.unsorted_rows),
        ("exact duplicates", inspection.exact_duplicates),
        ("conflicting duplicates", inspection.conflicting_duplicates),
        ("NaN prices", inspection.nan_prices),
        ("infinite prices", inspection.infinite_prices),
        ("prices not above 0", inspection.prices_not_above_zero),
        ("low/high off open/close", inspection.broken_ranges),
        ("  by rounding only", inspection.broken_ranges_within_1e9),
        ("rows off the grid", inspection.off_grid_rows),
        ("null volumes", inspection.null_volumes),
        ("zero volumes", inspection.zero_volumes),
        ("bad volumes", inspection.bad_volumes),
        ("flat bars", inspection.flat_bars),
        ("partial bars", inspection.partial_bars),
    )
    for label, count in counts:
        yield label, f"{count:,}", count > 0
    yield "gaps", f"{inspection.gaps:,}, {inspection.missing_bars:,} bars missing", inspection.gaps > 0
