"""What a feed takes up again after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.market import Candle, Instrument, MarketTick
from spark_engine.feeds.pipeline.observer import Silent
from spark_engine.feeds.pipeline.rules import SymbolRules
from spark_engine.feeds.pipeline.symbol import SymbolFeed
from spark_engine.feeds.provider import Ticks
from spark_engine.feeds.providers.registry import stream_provider
from spark_engine.feeds.run.health import Vitals
from spark_engine.feeds.run.preparing import Preparation
from spark_engine.feeds.settings import Endpoints, FeedSettings

BEGIN = 1_774_742_400_000  # a whole day
MINUTE, HOUR = 60_000, 3_600_000
MOST = 50
SETTINGS = FeedSettings(
    "tested", "btcturk-spot", ("BTCTRY",), ("trade",), ("1m", "5m", "15m", "1h"), "", grace_ms=300_000
)
INSTRUMENT = Instrument(
    symbol="BTCTRY", venue_symbol="BTCTRY", base="BTC", quote="TRY", price_scale=0, quantity_scale=2
)


def symbol_feed() -> SymbolFeed:
    rules = SymbolRules(SETTINGS.timeframes, SETTINGS.grace_ms, SETTINGS.amend_ms, False, MOST)
    return SymbolFeed(INSTRUMENT, rules, Silent())


def trades_until(time_ms: int, every_ms: int) -> list[MarketTick]:
    times = range(BEGIN, time_ms, every_ms)
    return [MarketTick("BTCTRY", str(number), at, number, 1) for number, at in enumerate(times, 1)]


def live(feed: SymbolFeed, archive: Archive, from_ms: int, to_ms: int, every_ms: int) -> None:
    """Joins, and goes on until `to_ms`."""
    feed.joined(Ticks("BTCTRY", tuple(trades_until(from_ms, every_ms)[-MOST:]), snapshot=True), from_ms)
    for now_ms in range(from_ms + MINUTE, to_ms + 1, MINUTE):
        latest = trades_until(now_ms, every_ms)
        feed.streamed(Ticks("BTCTRY", tuple(trade for trade in latest if trade.ts_ms >= from_ms)), now_ms)
        feed.proved(now_ms - SETTINGS.grace_ms)
        feed.recent(Ticks("BTCTRY", tuple(latest[-MOST:]), snapshot=True), now_ms, now_ms)
        feed.close(now_ms)
        archive.append(feed.take())


def opened(folder: Path) -> Archive:
    return Archive.open(
        str(folder / "archive"),
        venue="btcturk-spot",
        journal=folder / "journal",
        writer="tested",
        timeframes=SETTINGS.timeframes,
    )


def resumed(archive: Archive) -> SymbolFeed:
    provider = stream_provider(SETTINGS.provider, Endpoints())
    unused = cast(Any, None)
    preparation = Preparation(SETTINGS, provider, unused, unused, Vitals(), print, Backoff(), 1.0)
    feed = symbol_feed()
    feed.resume(*preparation._held(archive, "BTCTRY"))
    return feed


def bars(archive: Archive, timeframes: Sequence[str] = SETTINGS.timeframes) -> list[Candle]:
    return [bar for timeframe in timeframes for bar in archive.candles("BTCTRY", timeframe, 0, 1 << 45)]


def test_no_bar_is_another_after_a_restart(tmp_path: Path) -> None:
    restart_ms, every_ms = BEGIN + 5 * HOUR + 7 * MINUTE, 100_000
    archive = opened(tmp_path)
    live(symbol_feed(), archive, BEGIN, restart_ms, every_ms)
    before = bars(archive)
    archive.close()
    archive = opened(tmp_path)
    live(resumed(archive), archive, restart_ms, restart_ms + 10 * MINUTE, every_ms)
    after = {(bar.timeframe, bar.ts_ms): bar for bar in bars(archive)}
    archive.close()
    assert len(before) > 150
    assert [after[bar.timeframe, bar.ts_ms] for bar in before] == before


def test_a_snapshot_that_is_behind_what_was_archived_doubles_no_trade_after_a_restart(tmp_path: Path) -> None:
    restart_ms, every_ms = BEGIN + 5 * HOUR, 100_000
    archive = opened(tmp_path)
    live(symbol_feed(), archive, BEGIN, restart_ms, every_ms)
    archive.close()
    archive = opened(tmp_path)
    feed = resumed(archive)
    archive.close()
    behind = trades_until(restart_ms, every_ms)[-MOST - 3 : -3]
    assert feed.joined(Ticks("BTCTRY", tuple(behind), snapshot=True), restart_ms) == 0
    batch = feed.take()
    assert (batch.ticks, batch.candles) == ((), ())
