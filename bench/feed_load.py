"""feeds: a whole feed under load, beside a loop of json and pydantic that only reads.

python -m bench --only feed_load
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers import Peers
from bench.row import Row, limit_row
from tests.exchange.listings import many_symbols
from tests.soak.folder import Folder
from tests.soak.processes import Feed, cpu_seconds, get, resident_bytes

SYMBOLS = 100
SECONDS = 20.0
WARM_UP_SECONDS = 8.0
MOST_SHARE = 0.3
MOST_MIB = 120
MIB = 2**20
LIVE_SECONDS = 60.0
# Trades, tickers and changes of the book of each symbol, a second; of the last two a little fewer are sent.
RATES = {"the ordinary mix": (6.0, 15.0, 1.7), "nearly all trades": (18.7, 1.3, 0.01)}


@dataclass(frozen=True)
class Load:
    """share: of one core. messages: market data a second."""

    share: float
    rss: int
    messages: float


def rows(peers: Peers) -> Iterator[Row]:  # noqa: ARG001 - of other rooms
    for name, rates in RATES.items():
        with _venue(*rates) as addresses:
            ours, theirs = _feed(addresses), _reader(addresses)
        work = f"{name}: {SYMBOLS} symbols, {theirs.messages:,.0f} messages/s"
        beside = f"json + pydantic, parsing only {theirs.share:.2f}"
        asked = name == next(iter(RATES))
        yield Row(
            f"{work}, share of a core",
            f"{ours.share:.2f}",
            beside,
            f"{ours.share / theirs.share:.2f}",
            f"< {MOST_SHARE}" if asked else "",
            ours.share < MOST_SHARE if asked else None,
        )
        yield limit_row(
            "  memory", f"{ours.rss / MIB:.0f} MiB", ours.rss / MIB, MOST_MIB, f"< {MOST_MIB} MiB"
        )


@contextmanager
def _venue(*rates: float) -> Iterator[dict[str, str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.feed_venue", str(SYMBOLS), *map(str, rates)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)


def _feed(addresses: dict[str, str]) -> Load:
    with tempfile.TemporaryDirectory(prefix="spark-feed-load-") as path:
        feed = Feed(Folder(Path(path)), many_symbols(SYMBOLS), addresses)
        try:
            _await_live(feed)
            time.sleep(WARM_UP_SECONDS)
            began, cpu = time.perf_counter(), cpu_seconds(feed.pid)
            most = 0
            while time.perf_counter() - began < SECONDS:
                time.sleep(0.5)
                most = max(most, resident_bytes(feed.pid))
            used, took = cpu_seconds(feed.pid) - cpu, time.perf_counter() - began
        finally:
            feed.stop()
    return Load(used / took, most, 0.0)


def _await_live(feed: Feed) -> None:
    until = time.monotonic() + LIVE_SECONDS
    while time.monotonic() < until:
        (health,) = json.loads(get(f"{feed.url}/api/feeds/health"))
        if health["fresh"] and all(symbol["state"] == "live" for symbol in health["symbols"]):
            return
        time.sleep(0.2)
    raise SystemExit(f"the feed was not live within {LIVE_SECONDS:g} s")


def _reader(addresses: dict[str, str]) -> Load:
    command = [sys.executable, "-m", "bench.feed_reader", addresses["websocket"], str(SECONDS)]
    done = subprocess.run([*command, *many_symbols(SYMBOLS)], stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    return Load(found["cpu"] / found["seconds"], found["rss"], found["frames"] / found["seconds"])
