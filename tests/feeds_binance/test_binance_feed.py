"""The third provider at work: a whole feed of `binance-spot` on a recording that comes over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.provider import Channel
from spark_engine.feeds.providers.registry import stream_provider
from spark_engine.feeds.run.streaming import StreamingFeed
from spark_engine.feeds.serve.server import listen
from spark_engine.feeds.settings import Endpoints, FeedSettings

from tests.exchange.binance import BinanceReplay
from tests.feeds.running import QUICK

CHANNELS: tuple[Channel, ...] = ("trade", "ticker", "obdiff")
SYMBOL = "BTCUSDT"


@pytest.fixture(scope="module")
def recording(market_data: Callable[[str], Path]) -> Path:
    return market_data("ws_binance_spot_btcusdt_20240809.gz")


class Running:
    """A feed of `venue` with its archive in `folder`, from `async with` on."""

    def __init__(self, venue: BinanceReplay, folder: Path) -> None:
        self.reports: list[str] = []
        endpoints = Endpoints(websocket=venue.websocket_url + "/stream", rest=venue.rest_url)
        settings = FeedSettings(
            "tested",
            "binance-spot",
            (SYMBOL,),
            CHANNELS,
            ("1m", "5m"),
            str(folder / "archive"),
            endpoints,
            flush_ms=1_000,
        )
        self.feed = StreamingFeed(
            settings,
            stream_provider(settings.provider, endpoints),
            journal=folder / "journal",
            listening=listen(0, "127.0.0.1"),
            report=self.reports.append,
            pace=QUICK,
        )
        self._stop = asyncio.Event()

    async def __aenter__(self) -> Running:
        self._task = asyncio.create_task(self.feed.run(self._stop))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        async with asyncio.timeout(20):
            await self._task

    async def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 40
        while not true():
            assert not self._task.done(), self.reports
            assert time.monotonic() < deadline, (self.reports, self.feed.health)
            await asyncio.sleep(0.05)

    def ticks(self) -> int:
        """From the socket, so far."""
        found = self.feed.metrics.registry.get_sample_value("feed_ticks_total", {"symbol": SYMBOL})
        return int(found or 0)


def archived(folder: Path) -> tuple[list[tuple[str, Decimal, Decimal, int]], Archive]:
    """(id, price, quantity, side) of every trade, and the archive itself."""
    archive = Archive.open(
        str(folder / "archive"), venue="binance-spot", journal=folder / "journal", writer="tested"
    )
    price, quantity = archive.scales(SYMBOL) or (0, 0)
    ticks = [
        (tick.id, Decimal(tick.price).scaleb(-price), Decimal(tick.quantity).scaleb(-quantity), tick.side)
        for tick in archive.ticks_since(SYMBOL, 0)
    ]
    return ticks, archive


def told(trades: list[dict[str, Any]]) -> list[tuple[str, Decimal, Decimal, int]]:
    return [
        (str(trade["t"]), Decimal(trade["p"]), Decimal(trade["q"]), -1 if trade["m"] else 1)
        for trade in trades
    ]


def test_at_the_pace_at_which_it_was_recorded_the_archive_is_the_recording(
    recording: Path, tmp_path: Path
) -> None:
    async def run() -> list[dict[str, Any]]:
        async with BinanceReplay(recording, speed=1.0, rebase=True, limit=1_500) as venue:
            trades = [trade for _, trade in venue.recording.trades]
            async with Running(venue, tmp_path) as running:
                await running.until(venue.finished.is_set)
                last = trades[-1]["T"] + venue._shift_ms  # where the recording lies now
                await running.until(lambda: running.feed.health.last_tick_ms == last)
                health = running.feed.health
            assert health.ws_up
            assert health.fresh
            assert (health.gaps, health.reconnects) == (0, 0)
            assert health.lag_ms_p50 is not None
            assert 0.0 <= health.lag_ms_p50 < 1_000.0
            return trades

    trades = asyncio.run(run())
    ticks, archive = archived(tmp_path)
    assert ticks == told(trades)
    (known,) = archive.coverage(SYMBOL)
    assert 1_000 < known.to_ms - known.from_ms <= trades[-1]["T"] - trades[0]["T"]
    archive.close()


def test_as_fast_as_a_socket_takes_it_no_trade_is_lost_or_doubled(recording: Path, tmp_path: Path) -> None:
    async def run() -> list[dict[str, Any]]:
        async with BinanceReplay(recording, speed=float("inf"), rebase=True) as venue:
            trades = [trade for _, trade in venue.recording.trades]
            async with Running(venue, tmp_path) as running:
                await running.until(venue.finished.is_set)
                counted = -1
                while counted != (counted := running.ticks()) or running.feed.health.queue_depth:
                    await asyncio.sleep(0.5)
            return trades

    trades = asyncio.run(run())
    ticks, archive = archived(tmp_path)
    archive.close()
    assert sorted(ticks) == sorted(told(trades))
