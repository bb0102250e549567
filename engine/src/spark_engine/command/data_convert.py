"""`backtest data convert`: candles of files into an archive, as a feed writes it."""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from spark_crds.formats.archive import NAME

from spark_engine.command.console import note, output, progress
from spark_engine.command.data_inputs import add_rules, add_source, rules_of
from spark_engine.command.figures import intervals, minute
from spark_engine.command.usage import Subparsers, Usage, add_command
from spark_engine.data.archive.inspect import ArchivedSeries, inspect_archive
from spark_engine.data.files import Source
from spark_engine.data.mend import Mended, Rules, mended
from spark_engine.data.names import plain_symbol
from spark_engine.data.origin import read_written
from spark_engine.data.request import timeframe_ms, timeframe_text
from spark_engine.data.source import open_source
from spark_engine.data.stamps import iso
from spark_engine.data.symbols import symbols_of
from spark_engine.data.timetable import ALWAYS
from spark_engine.errors import InvalidData, InvalidSpec
from spark_engine.printable import printable

DETAILS = """\
examples:
  backtest data convert ETHUSDT_1h.csv.gz --to archive --venue binance
  backtest data convert prices.parquet --to s3://candles/archive --venue bist --symbol THYAO --calendar XIST

Rows are mended as `backtest data repair` says. Converting again changes nothing; a bar that differs from
the one in the archive becomes its next revision. A bar that the file lacks is unknown to the archive, as if
its feed had been down, unless --missing says that nothing was traded then.
"""
NAMED: Final = re.compile(
    r"(?:.*[_\-])?([A-Za-z][A-Za-z0-9.]{0,30})[_\-]([1-9][0-9]{0,3}[smhdw])(?:[_\-.].*)?"
)
DEFAULT_VENUE: Final = "files"


def configure(actions: Subparsers[argparse.ArgumentParser]) -> None:
    action = add_command(actions, "convert", convert, "put candles into an archive", DETAILS)
    add_source(action)
    add_rules(action)
    action.add_argument("--to", metavar="ARCHIVE", required=True, help="directory, s3://, gs:// or az://")
    action.add_argument("--venue", default=DEFAULT_VENUE, help=f"whose prices (default: {DEFAULT_VENUE})")
    action.add_argument("--timeframe", help="length of the bars (default: as measured)")
    action.add_argument(
        "--missing",
        choices=("unknown", "no-trades"),
        default="unknown",
        help="what a bar that is not there means (default: unknown)",
    )
    action.add_argument("--output", choices=("table", "json"), default="table")


def convert(options: argparse.Namespace) -> int:
    from spark_engine.feeds.backfill.convert import converted

    rules = rules_of(options)
    if NAME.fullmatch(options.venue) is None:
        allowed = "must be at most 64 letters, digits, dots, dashes and underscores"
        raise InvalidSpec(f"{allowed}; is {options.venue!r:.80}", field="--venue")
    source = open_source(options.uri)
    symbol, venue_symbol = _symbol(options, source)
    spelling = None if options.symbol is None else venue_symbol
    with progress(options.output == "json") as show:
        show("reading")
        repaired, timeframe = _repaired(source, spelling, rules, options.timeframe)
        step_ms = timeframe_ms(timeframe)
        show("converting")
        series = converted(
            repaired.rows, symbol, venue_symbol, timeframe, step_ms, rules.calendar, options.missing
        )
        show(f"writing {len(series.candles):,} bars")
        rows = _write(options, list(series.pieces()))
    if not series.exact:
        note("prices or volumes have more than nine decimals and were rounded; were they adjusted?")
    (archived,) = inspect_archive(f"{options.to.rstrip('/')}/{options.venue}/{symbol}/{timeframe}")
    told = {
        "bars": len(series.candles),
        "written": rows,
        "exact": series.exact,
        "repairs": {repair.name: repair.rows for repair in repaired.repairs},
    }
    _tell(options, told, archived)
    return 0


def _write(options: argparse.Namespace, pieces: Sequence[Any]) -> int:
    """How many rows were new. The journal may be lost: a second attempt writes what is missing."""
    from spark_engine.feeds.archive.archive import Archive

    with tempfile.TemporaryDirectory(prefix="backtest-convert-") as journal:
        archive = Archive.open(options.to, venue=options.venue, journal=Path(journal), writer="data-convert")
        rows = 0
        try:
            archive.append_many(pieces)
            rows = archive.flush().rows
        finally:
            archive.close()
        return rows


def _symbol(options: argparse.Namespace, source: Source) -> tuple[str, str]:
    """Canonical, and as the data or the user spells it: as told, else the only one in the column of symbols,
    else the one that all file names say before a timeframe."""
    if options.symbol is not None:
        return plain_symbol(options.symbol), options.symbol
    listed = [symbols_of(content, name) for name, content in source.files.items()]
    spelt = {symbol for symbols in listed for symbol in symbols or ()}
    if not spelt:
        names = [NAMED.fullmatch(PurePosixPath(name).name) for name in source.files]
        spelt = {match[1].upper() for match in names if match is not None}
    found = {plain_symbol(symbol): symbol for symbol in sorted(spelt)}
    if len(found) != 1:
        some = (
            f"the data has {', '.join(sorted(spelt)[:5])}" if found else "neither a column nor a file says it"
        )
        raise Usage(f"whose candles? {some}: name one with --symbol")
    return next(iter(found.items()))


def _repaired(source: Source, spelling: str | None, rules: Rules, told: str | None) -> tuple[Mended, str]:
    """The mended rows and their timeframe: as measured, or a finer one of which few bars are there."""
    written = read_written(source.files, spelling or "", rules.timestamps)
    found = mended(written, rules)
    timeframe = told or (timeframe_text(found.step_ms) if found.step_ms else None)
    if timeframe is None:
        raise Usage("one bar has no timeframe: name it with --timeframe")
    step_ms = timeframe_ms(timeframe, "--timeframe")
    if found.step_ms and step_ms > found.step_ms:
        raise InvalidData(f"the data has bars of {timeframe_text(found.step_ms)}", field="--timeframe")
    if step_ms != found.step_ms:
        found = mended(written, replace(rules, step_ms=step_ms))
    undecided = found.duplicates.undecided
    if undecided:
        raise InvalidData(
            f"the rows of {iso(undecided[0])} differ and are equally good; add last or first",
            field="--prefer",
        )
    return found, timeframe


def _tell(options: argparse.Namespace, told: dict[str, Any], archived: ArchivedSeries) -> None:
    from rich.text import Text

    if options.output == "json":
        report = {
            **told,
            "series": archived.uri,
            "commit": archived.commit,
            "uri": archived.pinned_uri,
            "sha256": archived.sha256,
            "covered": [list(span) for span in archived.covered],
        }
        print(json.dumps(report, indent=2))
        return
    console = output()
    console.print(Text(f"\n  {printable(archived.uri)}", style="bold"), soft_wrap=True)
    lines = [
        ("bars", f"{told['bars']:,}, of which {told['written']:,} are new or revised"),
        *(("mended", f"{name}: {rows:,} rows") for name, rows in told["repairs"].items()),
        ("calendar", options.calendar if options.calendar != ALWAYS else "around the clock"),
        ("covered", f"{intervals(len(archived.covered))}, to {minute(archived.known_to_ms)} UTC"),
        ("commit", f"{archived.commit:,}"),
        ("spec.data.uri", archived.pinned_uri),
        ("spec.data.sha256", archived.sha256),
    ]
    for label, value in lines:
        console.print(Text.assemble((f"  {label:<18}", "dim"), printable(value)), soft_wrap=True)
    console.print()
