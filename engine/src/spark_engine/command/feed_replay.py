"""`backtest feed replay`: a recording of a socket through the feed, into its archive, without a network."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spark_engine.command.console import output, progress
from spark_engine.command.usage import Subparsers, Usage, add_command, read_input
from spark_engine.data.stamps import iso
from spark_engine.printable import printable

if TYPE_CHECKING:
    from spark_engine.feeds.run.replay import Replayed
    from spark_engine.feeds.settings import FeedSettings

DETAILS = """\
examples:
  backtest feed replay ws_binance_spot_btcusdt_20240809.gz -f feed.yaml
  backtest feed replay recording.txt -f feed.yaml --speed 1

A recording has a frame a line, packed by gzip or not: nanoseconds since 1970 at which it was received, a
space, the frame. Its times are the only clock, so that the archive does not depend on --speed; playing it
again changes nothing.
"""
PERCENTS: Final = (50.0, 95.0, 99.0)


def configure(actions: Subparsers[argparse.ArgumentParser]) -> None:
    action = add_command(actions, "replay", replay_file, "play a recording into an archive", DETAILS)
    action.add_argument("recording", metavar="FILE", help="lines of <received ns> <frame>, .gz or plain")
    action.add_argument(
        "-f", "--file", required=True, help="MarketDataFeed manifest (YAML or JSON); - is stdin"
    )
    action.add_argument("--speed", type=float, help="times as fast as it was recorded (default: at once)")
    action.add_argument("--output", choices=("table", "json"), default="table")


def replay_file(options: argparse.Namespace) -> int:
    from spark_engine.command.feed_state import state_directory
    from spark_engine.execute.manifest import load_object
    from spark_engine.feeds.archive.archive import Archive
    from spark_engine.feeds.manifest import feed_settings
    from spark_engine.feeds.providers.registry import stream_provider
    from spark_engine.feeds.run.replay import recorded, replay

    if options.speed is not None and not 0.0 < options.speed < float("inf"):
        raise Usage(f"--speed must be above 0; is {options.speed}")
    settings = feed_settings(load_object(read_input(options.file), options.file))
    provider = stream_provider(settings.provider, settings.endpoints)
    path = Path(options.recording)
    if not path.is_file():
        raise Usage(f"cannot read {path}: {'it is no file' if path.exists() else 'no such file'}")
    begun = time.monotonic()
    archive = Archive.open(
        settings.archive_uri,
        venue=settings.provider,
        journal=state_directory(settings),
        writer=settings.name,
        timeframes=settings.timeframes,
    )
    try:
        with progress(options.output == "json") as show:
            result = replay(
                recorded(path),
                settings,
                provider,
                archive,
                speed=options.speed,
                advance=lambda now: show(f"{now.frames:,} frames, to {iso(now.last_ns // 1_000_000)}"),
            )
    finally:
        archive.close()
    _tell(settings, result, time.monotonic() - begun, options.output)
    return 0


def _tell(settings: FeedSettings, result: Replayed, seconds: float, form: str) -> None:
    from spark_engine.feeds.run.replay import percentile

    lags = {
        name: [percentile(values, percent) for percent in PERCENTS]
        for name, values in (("raw", result.raw_lags), ("compensated", result.lags))
    }
    least = {
        "raw": min(result.raw_lags, default=None),
        "compensated": min(result.lags, default=None),
    }
    if form == "json":
        print(json.dumps(_document(settings, result, lags, least), indent=2))
        return
    from rich.text import Text

    console = output()
    console.print(Text(f"\n  {printable(settings.archive_uri)}/{settings.provider}", style="bold"))
    for label, value in _lines(result, seconds):
        console.print(Text.assemble((f"  {label:<18}", "dim"), printable(value)))
    console.print(Text(f"\n  {'lag in ms':<18}{'least':>12}{'p50':>12}{'p95':>12}{'p99':>12}", style="dim"))
    for name, found in lags.items():
        numbers = "".join(f"{_number(value):>12}" for value in (least[name], *found))
        console.print(Text.assemble((f"  {name:<18}", "dim"), numbers))
    console.print()


def _lines(result: Replayed, seconds: float) -> Iterator[tuple[str, str]]:
    begin, end = (iso(ns // 1_000_000) for ns in (result.first_ns, result.last_ns))
    yield "received", f"{begin} to {end}"
    rate = result.frames / seconds if seconds else 0.0
    yield "frames", f"{result.frames:,} in {seconds:.1f} s ({rate:,.0f} a second)"
    yield "without data", f"{result.notices:,}"
    yield "malformed", f"{result.malformed:,}"
    yield "ticks", f"{result.ticks:,}"
    yield "candles", ", ".join(f"{count:,} of {timeframe}" for timeframe, count in result.candles.items())
    yield "gaps", f"{result.gaps:,}"
    yield "duplicates", f"{result.duplicates:,}"
    yield "reordered", f"{result.reordered:,}"
    yield "clock offset", f"{result.offset_ms:,.1f} ms at the end"
    yield "clock drift", "not known" if result.drift_ppm is None else f"{result.drift_ppm:.2f} ppm"


def _document(
    settings: FeedSettings, result: Replayed, lags: dict[str, Any], least: dict[str, Any]
) -> dict[str, Any]:
    return {
        "archive": f"{settings.archive_uri}/{settings.provider}",
        "frames": result.frames,
        "notices": result.notices,
        "malformed": result.malformed,
        "ticks": result.ticks,
        "candles": result.candles,
        "gaps": result.gaps,
        "duplicates": result.duplicates,
        "reordered": result.reordered,
        "offsetMs": result.offset_ms,
        "driftPpm": result.drift_ppm,
        "lagMs": {
            name: {"least": least[name], **dict(zip(("p50", "p95", "p99"), found, strict=True))}
            for name, found in lags.items()
        },
    }


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"
