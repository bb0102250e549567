"""`backtest data fetch`: the history of a venue into an archive, only what is missing there."""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from spark_engine.command.console import note
from spark_engine.command.fetch_progress import fetching
from spark_engine.command.fetch_result import print_fetched, require_all
from spark_engine.command.usage import Subparsers, Usage, add_command, read_input
from spark_engine.data.names import plain_symbol
from spark_engine.data.request import timeframe_ms
from spark_engine.data.stamps import ALLOWED, iso, stamp_ms
from spark_engine.errors import BacktestError, InvalidSpec

if TYPE_CHECKING:
    from spark_engine.feeds.backfill.fetch import Fetched
    from spark_engine.feeds.settings import FeedSettings

DETAILS = """\
examples:
  backtest data fetch --provider binance-spot --symbol BTCUSDT --start 2024-01-01 --to archive
  backtest data fetch --provider btcturk-spot --symbol BTCTRY,ETHTRY --timeframe 1m,1h,1d \\
      --start 2024-01-01 --end 2024-07-01 --to s3://candles/archive
  backtest data fetch -f feed.yaml --start 2023-01-01

Asks the venue only for what the archive lacks: a second run asks for nothing, one that was stopped goes on
where it was. Bars of the shortest timeframe are fetched, the longer ones are made of them. While a feed
writes the archive it fetches by itself: see spec.backfill of its manifest.
"""
WRITER: Final = "data-fetch"
OPTIONS: Final = {
    "spec.provider": "provider",
    "spec.symbols": "symbol",
    "spec.timeframes": "timeframe",
    "spec.storage.uri": "to",
}


def configure(actions: Subparsers[argparse.ArgumentParser]) -> None:
    action = add_command(actions, "fetch", fetch, "fetch a venue's history into an archive", DETAILS)
    action.add_argument("-f", "--file", help="MarketDataFeed manifest, for what the options do not say")
    action.add_argument("--provider", help="btcturk-spot or binance-spot")
    action.add_argument("--symbol", action="append", metavar="LIST", help="canonical, as BTCTRY,ETHTRY")
    action.add_argument("--start", metavar="TIME", help="as 2024-01-31 or 2024-01-31T12:00:00Z")
    action.add_argument("--end", metavar="TIME", help="itself not wanted (default: now)")
    action.add_argument("--timeframe", action="append", metavar="LIST", help="as 1m,1h,1d (default: 1m)")
    action.add_argument("--to", metavar="ARCHIVE", help="directory, s3://, gs:// or az://")
    action.add_argument("--endpoint", metavar="URL", help="address of the venue's REST, if not its own")
    action.add_argument("--output", choices=("table", "json"), default="table")


def fetch(options: argparse.Namespace) -> int:
    """Raises `BacktestError`; what was fetched until then is in the archive."""
    settings = _settings(options)
    start_ms = settings.backfill_start_ms if options.start is None else _time(options.start, "--start")
    end_ms = _time(options.end, "--end")
    if start_ms is None:
        raise Usage("since when? name it with --start")
    if end_ms is not None and end_ms <= start_ms:
        raise Usage("--end must be after --start")
    if start_ms >= time.time() * 1000:
        raise Usage(f"--start must be in the past; is {iso(start_ms)}")
    for timeframe in settings.timeframes:
        timeframe_ms(timeframe, "--timeframe")
    fetched = _fetched(settings, start_ms, end_ms, options)
    print_fetched(settings, fetched, options.output)
    require_all(fetched)
    return 0


def _fetched(
    settings: FeedSettings, start_ms: int, end_ms: int | None, options: argparse.Namespace
) -> dict[str, Fetched]:
    from spark_engine.command.feed_state import state_directory
    from spark_engine.feeds.run.fetching import fetch_history

    try:
        with fetching(options.output == "json") as shown:
            return asyncio.run(fetch_history(settings, start_ms, end_ms, state_directory(settings), shown))
    except KeyboardInterrupt:
        note("what was fetched is in the archive: the same command goes on from there")
        raise
    except BacktestError as error:
        for field, option in OPTIONS.items():
            if getattr(options, option) and (error.field or "").startswith(field):
                raise type(error)(error.message, field=f"--{option}") from None
        raise


def _settings(options: argparse.Namespace) -> FeedSettings:
    """Those of the manifest, if there is one; options come first."""
    from spark_engine.execute.manifest import load_object
    from spark_engine.feeds.manifest import feed_settings
    from spark_engine.feeds.settings import Endpoints, FeedSettings

    if options.file is not None:
        settings = feed_settings(load_object(read_input(options.file), options.file))
    else:
        given = {"--provider": options.provider, "--symbol": _listed(options.symbol), "--to": options.to}
        absent = [name for name, value in given.items() if not value]
        if absent:
            raise Usage(f"without -f, {', '.join(absent)} must be there")
        settings = FeedSettings(WRITER, options.provider, (), (), ("1m",), options.to)
    endpoint = options.endpoint
    if endpoint:
        _require_rest(endpoint)
    return replace(
        settings,
        name=WRITER,
        provider=options.provider or settings.provider,
        symbols=tuple(plain_symbol(name) for name in _listed(options.symbol)) or settings.symbols,
        timeframes=_listed(options.timeframe) or settings.timeframes,
        archive_uri=options.to or settings.archive_uri,
        endpoints=Endpoints(rest=endpoint, history=endpoint) if endpoint else settings.endpoints,
    )


def _require_rest(url: str) -> None:
    """As a manifest would have it."""
    from spark_crds.schema import field_schema

    from spark_engine.feeds.manifest import require_address

    if re.search(field_schema("MarketDataFeed", "spec.endpoints.rest")["pattern"], url) is None:
        raise InvalidSpec(f"must be http:// or https://, without credentials; is {url!r}", field="--endpoint")
    require_address(url, "--endpoint")


def _listed(values: list[str] | None) -> tuple[str, ...]:
    """`--x a,b --x c` as (a, b, c), each once."""
    parts = (part.strip() for value in values or () for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _time(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    found = stamp_ms(text)
    if found is None:
        raise InvalidSpec(f"{ALLOWED}; is {text!r:.40}", field=name)
    return found
