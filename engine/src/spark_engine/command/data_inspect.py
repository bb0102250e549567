"""`backtest data inspect`: what is there, and whether a run takes it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict

from spark_engine.command import data_plot
from spark_engine.command.console import output
from spark_engine.command.data_archive import print_archive
from spark_engine.command.data_inputs import add_source
from spark_engine.command.figures import minute
from spark_engine.command.usage import Subparsers, add_command
from spark_engine.data.inspect import Inspected, inspect_source
from spark_engine.data.inspection import Inspection, OffSessions
from spark_engine.data.mend import Rules
from spark_engine.data.request import UNITS_MS, timeframe_ms
from spark_engine.data.source import open_source
from spark_engine.data.spelling import span_text
from spark_engine.printable import printable

DETAILS = """\
example:
  backtest data inspect candles/ETHUSDT_1h.csv.gz

Of an archive of a feed its series are listed. Dirty data is no error here: it is counted. The last lines
say whether a run would take it, and if not, which field of the spec governs it. `backtest data repair` mends
what can be mended.
"""
DAYS_SHOWN = 5


def configure(actions: Subparsers[argparse.ArgumentParser]) -> None:
    action = add_command(
        actions, "inspect", inspect, "count rows, gaps, duplicates and bad values, and draw them", DETAILS
    )
    add_source(action)
    action.add_argument(
        "--plot",
        choices=("auto", "braille", "ascii", "off"),
        default="auto",
        help="draw closes, volumes and gaps; auto: on a terminal only (default)",
    )
    action.add_argument("--output", choices=("table", "json"), default="table")


def inspect(options: argparse.Namespace) -> int:
    if print_archive(options.uri, options.output):
        return 0
    rules = Rules(timestamps=options.timestamps, calendar=options.calendar)
    inspected = inspect_source(options.uri, open_source(options.uri), options.symbol, rules)
    inspection = inspected.inspection
    if options.output == "json":
        print(json.dumps({**asdict(inspection), "accepted": inspection.accepted}, indent=2))
        return 0
    _print(inspection)
    characters = data_plot.wanted(options.plot)
    if characters is not None:
        print(_picture(inspected, characters))
    _print_verdict(inspection)
    return 0


def _picture(inspected: Inspected, characters: data_plot.Characters) -> str:
    """Of the rows as a repair leaves them, so that a doubled bar has its volume once."""
    inspection, rows = inspected.inspection, inspected.mended.rows
    if not len(rows):
        return "  no row has prices that can be drawn"
    step_ms = timeframe_ms(inspection.timeframe) if inspection.timeframe else UNITS_MS["m"]
    expected = inspection.sessions.without_row if inspection.sessions else None
    columns = data_plot.columns_of(rows, step_ms, data_plot.width() - data_plot.MARGIN - 2, expected)
    return data_plot.plot(columns, characters)


def _print(inspection: Inspection) -> None:
    from rich.text import Text

    console = output()
    console.print(Text(f"\n  {printable(inspection.uri)}", style="bold"))
    for label, value, alarming in _rows(inspection):
        line = Text.assemble((f"  {label:<24}", "dim"), (printable(value), "yellow" if alarming else ""))
        console.print(line)
    for gap in inspection.longest_gaps:
        span = f"{minute(gap.after_ms)} → {minute(gap.before_ms)}"
        console.print(Text(f"    {span}   {gap.missing_bars:,} bars", style="dim"))
    for bad in inspection.first_bad_prints:
        shown = f"{bad.field} {bad.price:.10g}, around it {bad.around:.10g}"
        console.print(Text(f"    suspect: {minute(bad.ts_ms)}   {shown}", style="dim"))


def _print_verdict(inspection: Inspection) -> None:
    from rich.text import Text

    console = output()
    if inspection.accepted:
        console.print(Text("\n  a run takes it as it is\n", style="green"))
        return
    console.print(Text("\n  a run with default policies refuses it:", style="bold red"))
    for refusal in inspection.refusals:
        field = f"{refusal.field}: " if refusal.field else ""
        console.print(Text(f"  {printable(field + refusal.message, lines=True)}"))
    console.print()


def _rows(inspection: Inspection) -> Iterator[tuple[str, str, bool]]:
    """Label, value, and whether it deserves a look."""
    scale = inspection.price_scale
    yield "files", f"{len(inspection.files):,}, {inspection.bytes:,} bytes", False
    yield "sha256", inspection.sha256, False
    yield "rows", f"{inspection.rows:,}, of {inspection.distinct_times:,} times", False
    yield "from", f"{minute(inspection.first_ms)} UTC", False
    yield "to", f"{minute(inspection.last_ms)} UTC", False
    yield "timeframe", inspection.timeframe or "unknown", inspection.timeframe is None
    yield "decimal places", "more than 9" if scale is None else str(scale), scale is None
    yield "order", inspection.order, inspection.order != "ascending"
    yield from _time_rows(inspection)
    for column, count in inspection.empty_cells.items():
        yield "empty cells", f"{column}: {count:,}", False
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
        ("suspect prices", inspection.bad_prints),
        ("partial bars", inspection.partial_bars),
    )
    for label, count in counts:
        yield label, f"{count:,}", count > 0
    yield from _duplicate_rows(inspection)
    flags = {name: count for name, count in inspection.quality.items() if count}
    yield "quality", ", ".join(f"{count:,} {name}" for name, count in flags.items()), len(flags) > 1
    yield "gaps", f"{inspection.gaps:,}, {inspection.missing_bars:,} bars missing", inspection.gaps > 0
    if inspection.sessions is not None:
        yield from _session_rows(inspection.sessions)


def _time_rows(inspection: Inspection) -> Iterator[tuple[str, str, bool]]:
    for times in inspection.times:
        forms = ", ".join(f"{count:,} {form}" for form, count in times.forms.items()) or "unreadable"
        yield "time column", f"{times.column}: {forms}", len(times.forms) > 1
        if times.disagreeing_rows:
            by = span_text(times.disagree_by_ms)
            text = f"{times.disagreeing_rows:,} rows say another time than {inspection.times[0].column}"
            yield "", f"{text}, mostly by {by}", True


def _duplicate_rows(inspection: Inspection) -> Iterator[tuple[str, str, bool]]:
    twice = inspection.duplicates
    if not twice.times:
        return
    yield "times that repeat", f"{twice.times:,}, {minute(twice.first_ms)} to {minute(twice.last_ms)}", True
    yield "  prices apart", f"{twice.price_conflicts:,} by more than {twice.price_tolerance:g}", True
    yield "  volumes apart", f"{twice.volume_conflicts:,} by more than {twice.volume_tolerance:g}", True
    if twice.undecided:
        yield "  undecided", f"{twice.undecided:,}: no row is the better one", True


def _session_rows(sessions: OffSessions) -> Iterator[tuple[str, str, bool]]:
    counted = (
        ("placeholders", sessions.placeholder_rows, sessions.placeholders),
        ("rows of no session", sessions.no_session_rows, sessions.no_sessions),
        ("sessions without a row", sessions.missing_sessions, sessions.without_row),
    )
    for label, count, times in counted:
        days = ", ".join(minute(stamp)[:10] for stamp in times[:DAYS_SHOWN])
        more = ", …" if count > DAYS_SHOWN else ""
        yield label, f"{count:,}{': ' if count else ''}{days}{more}", count > 0
