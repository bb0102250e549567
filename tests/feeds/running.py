"""A feed and its fake exchange, side by side in one event loop, at a quick pace."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.connection.budget import ConnectBudget
from spark_engine.feeds.connection.session import ConnectionSettings
from spark_engine.feeds.connection.subscriptions import Stage
from spark_engine.feeds.pipeline.patience import Patience
from spark_engine.feeds.provider import Channel
from spark_engine.feeds.providers.registry import stream_provider
from spark_engine.feeds.rest.client import RestSettings
from spark_engine.feeds.run.pace import Pace
from spark_engine.feeds.run.streaming import StreamingFeed
from spark_engine.feeds.serve.health import FeedHealth
from spark_engine.feeds.serve.server import listen
from spark_engine.feeds.settings import Endpoints, FeedSettings

from tests.exchange import Activity, Clock, FakeExchange

SYMBOLS = ("BTCTRY", "ETHTRY")
VENUE = "btcturk-spot"
QUICK = Pace(
    history=0.5,
    listing=0.3,
    reconcile=1.0,
    clock=4.0,
    clock_doubt=1.0,
    storage=0.2,
    patience=Patience(
        first_data_seconds=4.0,
        silent_heartbeats=5.0,
        doubt_seconds=1.5,
        history_after_ms=500,
        offline_close_ms=500,
        silent_close_ms=2_000,
    ),
    connection=ConnectionSettings(open_seconds=10.0, close_seconds=0.3, silence=6.0, ping=1.0),
    rest=RestSettings(read_seconds=2.0, whole_seconds=4.0, attempts=3, first_delay=0.1, longest_delay=0.5),
)
NOON = datetime(2026, 9, 22, 12, 0, tzinfo=UTC)  # what the market makes depends on the minute of its clock


def exchange(
    symbols: tuple[str, ...] = SYMBOLS, *, seconds_to_minute: float = 40.0, **options: Any
) -> FakeExchange:
    """A venue with about three trades in two seconds of each pair; `seconds_to_minute`: of its clock, until
    it is noon."""
    clock = options.pop("clock", None) or Clock(at=NOON - timedelta(seconds=seconds_to_minute))
    defaults: dict[str, Any] = {
        "activity": Activity(per_minute=80.0, quiet=0.0, burst=0.0),
        "history_minutes": 2,
        "ticker_seconds": 0.4,
        "ping_seconds": 1.0,
        "pong_timeout_seconds": 15.0,
        "period_scale": 0.05,
    }
    return FakeExchange(symbols, clock=clock, **{**defaults, **options})


BEFORE_MINUTE = 10.0  # seconds: time to become live


@asynccontextmanager
async def live(
    folder: Path,
    seed: object,
    symbols: tuple[str, ...] = SYMBOLS,
    channels: tuple[Channel, ...] = ("ticker", "trade"),
) -> AsyncIterator[tuple[FakeExchange, Running, int]]:
    """A venue, a feed of it that is live, and when its first whole minute begins, ms of the venue's clock."""
    async with (
        exchange(symbols, seed=seed, seconds_to_minute=BEFORE_MINUTE) as venue,
        Running(venue, folder, symbols, channels) as running,
    ):
        await running.live()
        yield venue, running, -(-venue.clock.now_ms() // 60_000) * 60_000


@dataclass
class Running:
    """`async with` runs the feed until the end of the block, or `stop`; `start` again goes on with the same
    archive."""

    exchange: FakeExchange
    folder: Path
    symbols: tuple[str, ...] = SYMBOLS
    channels: tuple[Channel, ...] = ("ticker", "trade")
    pace: Pace = QUICK
    reports: list[str] = field(default_factory=list)
    samples: list[tuple[float, FeedHealth]] = field(default_factory=list)

    @property
    def settings(self) -> FeedSettings:
        return FeedSettings(
            name="tested",
            provider=VENUE,
            symbols=self.symbols,
            channels=self.channels,
            timeframes=("1m", "5m"),
            archive_uri=str(self.folder / "archive"),
            endpoints=Endpoints(
                websocket=self.exchange.websocket_url,
                rest=self.exchange.rest_url,
                history=self.exchange.rest_url,
            ),
            flush_ms=1_000,
            stale_after_ms=8_000,
        )

    async def __aenter__(self) -> Running:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def start(self) -> None:
        settings = self.settings
        listening = listen(0, "127.0.0.1")
        self.port = listening.getsockname()[1]
        self.feed = StreamingFeed(
            settings,
            stream_provider(settings.provider, settings.endpoints),
            journal=self.folder / "journal",
            listening=listening,
            report=self.reports.append,
            backoff=Backoff(first=0.05, cap=0.4, stable_seconds=1.0),
            budget=ConnectBudget(10_000),
            pace=self.pace,
        )
        self._stop = asyncio.Event()
        self._running = asyncio.create_task(self.feed.run(self._stop))
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Raises what the feed raised. One that does not end within 20 s hangs."""
        self._stop.set()
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        async with asyncio.timeout(20):
            await self._running

    async def until(self, condition: Callable[[FeedHealth], bool], what: str, seconds: float = 30.0) -> float:
        """How long it took."""
        began = time.monotonic()
        while not condition(self.feed.health):
            if self._running.done():
                await self._running
            if time.monotonic() - began > seconds:
                raise AssertionError(f"not within {seconds:g} s: {what}; {self.feed.health}")
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def live(self) -> float:
        return await self.until(is_live, "live data of every symbol")

    async def known_to(self, time_ms: int, symbols: tuple[str, ...] | None = None) -> float:
        """Live, and every trade until then is known."""
        return await self.until(lambda health: knows(health, time_ms, symbols), f"trades until {time_ms}")

    async def venue_second(self, second: float) -> None:
        """Until the venue's clock shows that second after the next minute has begun."""
        now_ms = self.exchange.clock.now_ms()
        await asyncio.sleep((60_000 - now_ms % 60_000) / 1000 + second)

    async def get(self, path: str) -> tuple[int, str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    async def document(self) -> dict[str, Any]:
        status, body = await self.get("/api/feeds/health")
        assert status == 200
        (document,) = json.loads(body)
        return dict(document)

    async def metrics(self) -> Mapping[str, float]:
        """By name and labels as they are written."""
        _, body = await self.get("/metrics")
        lines = (line.rpartition(" ") for line in body.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    async def reconnects(self) -> Counter[str]:
        return reconnects_in(await self.metrics())

    async def _watch(self) -> None:
        while True:
            self.samples.append((time.monotonic(), self.feed.health))
            await asyncio.sleep(0.1)


def reconnects_in(metrics: Mapping[str, float]) -> Counter[str]:
    """By reason, those that happened."""
    found: Counter[str] = Counter()
    for name, value in metrics.items():
        if name.startswith("btcturk_reconnects_total") and value:
            found[name.split('"')[1]] = int(value)
    return found


def is_live(health: FeedHealth) -> bool:
    states = [symbol.state for symbol in health.symbols]
    return health.fresh and bool(states) and all(state is Stage.LIVE for state in states)


def knows(health: FeedHealth, time_ms: int, symbols: tuple[str, ...] | None) -> bool:
    """`symbols` None: all of them."""
    chosen = [one for one in health.symbols if symbols is None or one.symbol in symbols]
    fresh = health.fresh and all(one.state is Stage.LIVE for one in chosen)
    return fresh and all(one.covered_to_ms is not None and one.covered_to_ms >= time_ms for one in chosen)
