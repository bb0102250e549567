"""`backtest data inspect` of an archive: its series, how far they reach, what their feed did not see."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from spark_engine.command.console import output
from spark_engine.command.figures import intervals, minute, moment
from spark_engine.data.archive.inspect import ArchivedSeries, inspect_archive
from spark_engine.printable import printable

SHOWN = 10


def print_archive(uri: str, form: str) -> bool:
    """Prints what is in the archive at `uri`, as a table or as JSON. False where there is none."""
    found = inspect_archive(uri)
    if not found:
        return False
    if form == "json":
        print(json.dumps({"series": [asdict(series) for series in found]}, indent=2))
    else:
        _print(found)
    return True


def _print(found: Sequence[ArchivedSeries]) -> None:
    from rich.text import Text

    console = output()
    for series in found:
        console.print(Text(f"\n  {printable(series.uri)}", style="bold"), soft_wrap=True)
        for label, value, alarming in _rows(series):
            line = Text.assemble((f"  {label:<24}", "dim"), (printable(value), "yellow" if alarming else ""))
            console.print(line, soft_wrap=True)
        for begin, end in series.uncovered[:SHOWN]:
            console.print(Text(f"    {moment(begin)} → {moment(end)}   not seen", style="dim"))
    console.print()


def _rows(series: ArchivedSeries) -> Iterator[tuple[str, str, bool]]:
    """Label, value, and whether it deserves a look."""
    yield "series", f"{series.venue} {series.symbol} ({series.venue_symbol}) {series.timeframe}", False
    yield "commit", f"{series.commit:,}", False
    yield "known to", f"{minute(series.known_to_ms)} UTC", False
    yield "rows", f"{series.rows:,}", False
    if series.amended is not None:
        yield "amended", f"{series.amended:,}", series.amended > 0
    yield "files", f"{series.files:,}, {series.bytes:,} bytes", False
    if series.first_date is not None:
        yield "days", f"{series.days:,}, {series.first_date} to {series.last_date}", False
    yield "days removed", f"{series.days_removed:,}", series.days_removed > 0
    yield "covered", intervals(len(series.covered)) if series.covered else "nothing", not series.covered
    yield "not seen in between", intervals(len(series.uncovered)), bool(series.uncovered)
    yield "spec.data.uri", series.pinned_uri, False
    yield "spec.data.sha256", series.sha256, False
