"""What a fetch brought, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from spark_engine.command.console import output
from spark_engine.command.figures import intervals, minute
from spark_engine.data.archive.inspect import ArchivedSeries, inspect_archive
from spark_engine.data.request import timeframe_ms
from spark_engine.errors import InvalidData, StoreUnavailable
from spark_engine.printable import printable

if TYPE_CHECKING:
    from spark_engine.feeds.backfill.fetch import Fetched
    from spark_engine.feeds.settings import FeedSettings


def print_fetched(settings: FeedSettings, fetched: Mapping[str, Fetched], form: str) -> None:
    found = inspect_archive(f"{settings.archive_uri.rstrip('/')}/{settings.provider}")
    wanted = {(symbol, timeframe) for symbol in settings.symbols for timeframe in settings.timeframes}
    series = [each for each in found if (each.symbol, each.timeframe) in wanted]
    series.sort(key=lambda each: (each.symbol, timeframe_ms(each.timeframe)))
    if form == "json":
        print(json.dumps(_document(fetched, series), indent=2))
    else:
        _print(fetched, series)


def require_all(fetched: Mapping[str, Fetched]) -> None:
    """Raises `StoreUnavailable`, or `InvalidData` for answers that make no sense, where bars are missing."""
    from spark_engine.feeds.rest.errors import RestMalformed

    short = {symbol: one for symbol, one in fetched.items() if one.missing}
    for symbol, one in short.items():
        more = f" (and of {len(short) - 1} other symbols)" if len(short) > 1 else ""
        kind = InvalidData if isinstance(one.cause, RestMalformed) else StoreUnavailable
        raise kind(
            f"{one.missing:,} bars of {symbol}{more} are still missing: {one.cause}; the same command goes on"
        )


def _document(fetched: Mapping[str, Fetched], series: Sequence[ArchivedSeries]) -> dict[str, object]:
    return {
        "symbols": {
            symbol: {
                "bars": one.bars,
                "candles": one.candles,
                "requests": one.requests,
                "missing": one.missing,
                "disagreements": one.disagreements,
            }
            for symbol, one in fetched.items()
        },
        "series": [
            {
                "series": each.uri,
                "commit": each.commit,
                "uri": each.pinned_uri,
                "sha256": each.sha256,
                "covered": [list(span) for span in each.covered],
            }
            for each in series
        ],
    }


def _print(fetched: Mapping[str, Fetched], series: Sequence[ArchivedSeries]) -> None:
    from rich.text import Text

    console = output()
    for symbol, one in fetched.items():
        console.print(Text(f"\n  {symbol}", style="bold"))
        for label, value in _lines(one, [each for each in series if each.symbol == symbol]):
            console.print(Text.assemble((f"  {label:<20}", "dim"), printable(value)), soft_wrap=True)
    console.print()


def _lines(one: Fetched, series: Sequence[ArchivedSeries]) -> Iterator[tuple[str, str]]:
    if one.requests:
        yield "fetched", f"{one.bars:,} bars, {one.candles:,} of them with trades; {one.requests:,} requests"
    else:
        yield "fetched", "nothing: the archive has it all"
    if one.missing:
        yield "still missing", f"{one.missing:,} bars"
    if one.disagreements:
        yield "not taken", f"{one.disagreements:,} bars that the trades in the archive contradict"
    for each in series:
        timeframe = each.timeframe
        yield f"{timeframe} covered", f"{intervals(len(each.covered))}, to {minute(each.known_to_ms)} UTC"
        yield f"{timeframe} spec.data.uri", each.pinned_uri
