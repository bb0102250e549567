"""`backtest feed`: receives a venue's market data and keeps an archive of them."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from spark_crds.durations import duration_ms

from spark_engine.command import feed_replay
from spark_engine.command.feed_state import state_directory
from spark_engine.command.usage import Subparsers, Usage, add_command, read_input

if TYPE_CHECKING:
    from spark_engine.feeds.settings import FeedSettings

PORT = 5001
DETAILS = """\
examples:
  backtest feed run -f examples/btcturk-spot-feed.yaml
  backtest feed run -f feed.yaml --port 0 --for 10m
  backtest feed replay recording.gz -f feed.yaml

Runs until SIGTERM or Ctrl-C, which lose nothing that was received. What happens is told on stderr;
http://127.0.0.1:5001/api/feeds/health, /readyz and /metrics say how the feed is. A venue or a store that
is away ends nothing: the feed says so and tries again.
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "feed", run, "receive market data into an archive", DETAILS)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    feed_replay.configure(actions)
    action = add_command(actions, "run", run, "receive until told to stop", DETAILS)
    action.add_argument(
        "-f", "--file", required=True, help="MarketDataFeed manifest (YAML or JSON); - is stdin"
    )
    action.add_argument(
        "--state",
        metavar="DIR",
        help="where rows wait for the archive (default: inside it, or ~/.local/state for object stores)",
    )
    action.add_argument("--host", default="", help="address to serve health on (default: all)")
    action.add_argument("--port", type=int, default=PORT, help=f"port to serve health on (default: {PORT})")
    action.add_argument("--for", dest="duration", metavar="DURATION", help="stop after so long, as 10m")


def run(options: argparse.Namespace) -> int:
    from spark_engine.execute.manifest import (
        load_object,
    )  # a feed pays for its imports, other commands do not
    from spark_engine.feeds.manifest import feed_settings
    from spark_engine.feeds.serve.server import listen

    settings = feed_settings(load_object(read_input(options.file), options.file))
    seconds = None if options.duration is None else _seconds(options.duration)
    state = Path(options.state) if options.state is not None else state_directory(settings)
    listening = listen(options.port, options.host)
    with listening:
        asyncio.run(_until_told(settings, state, listening, seconds))
    return 0


async def _until_told(
    settings: FeedSettings, state: Path, listening: socket.socket, seconds: float | None
) -> None:
    from spark_engine.feeds.run.feed import feed_of
    from spark_engine.feeds.run.reports import Reports

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    report = Reports()
    report(f"{settings.name}: health on port {listening.getsockname()[1]}, archive {settings.archive_uri}")
    await feed_of(settings, state, listening, report).run(stop)
    report(f"{settings.name}: stopped; all that was received is in the archive")


def _seconds(text: str) -> float:
    try:
        return duration_ms(text) / 1000
    except ValueError as wrong:
        raise Usage(f"--for {wrong}") from None
