"""A live feed fetches the history from before its time, and goes on with it after a restart."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from spark_engine.feeds.backfill.fetch import Advance
from spark_engine.feeds.market import Quality
from spark_engine.feeds.run.fetching import fetch_history
from spark_engine.feeds.settings import FeedSettings

from tests.exchange import FakeExchange
from tests.exchange.http_server import Answer, Asked
from tests.feeds.audit import faults_of, held
from tests.feeds.running import SYMBOLS, Running, exchange

MINUTE = 60_000
KLINES = "/v1/klines/history"


@dataclass
class Backfilling(Running):
    start_ms: int | None = None

    @property
    def settings(self) -> FeedSettings:
        return replace(super().settings, backfill_start_ms=self.start_ms)

    async def __aenter__(self) -> Backfilling:
        self.start()
        return self

    async def fetched(self, *symbols: str) -> None:
        """All of the history of these."""

        def told(symbol: str) -> bool:
            return any(
                report.startswith(f"{symbol}: ") and "none is missing" in report for report in self.reports
            )

        await self.until(lambda _: all(told(symbol) for symbol in symbols), f"history: {self.reports}")


@dataclass
class Asking:
    """Which pages of history the venue was asked for: symbol, from and to in seconds. Those of `silent` it
    does not answer."""

    pages: list[tuple[str, int, int]] = field(default_factory=list)
    silent: str = ""

    async def __call__(self, asked: Asked) -> Answer | None:
        if asked.path == KLINES:
            page = asked.query
            self.pages.append((page["symbol"], int(page["from"]), int(page["to"])))
            while page["symbol"] == self.silent:
                await asyncio.sleep(0.02)
        return None

    def long(self) -> list[tuple[str, int, int]]:
        """Those that no gap of the live feed explains."""
        return [page for page in self.pages if page[2] - page[1] > 30 * 60]


def minutes_ago(venue: FakeExchange, minutes: int) -> int:
    return venue.clock.now_ms() // MINUTE * MINUTE - minutes * MINUTE


def test_history_is_fetched_beside_the_live_feed_and_joins_it(tmp_path: Path) -> None:
    async def run() -> tuple[FakeExchange, int]:
        async with exchange(history_minutes=130) as venue:
            start_ms = minutes_ago(venue, 120)
            async with Backfilling(venue, tmp_path, start_ms=start_ms) as running:
                await running.live()
                await running.fetched(*SYMBOLS)
                metrics = await running.metrics()
            assert metrics["feed_backfill_bars_total"] >= 2 * 115
            return venue, start_ms

    venue, start_ms = asyncio.run(run())
    for found in held(tmp_path, SYMBOLS):
        assert faults_of(found, venue.ledger) == []
        begin = found.known[0].from_ms // MINUTE * MINUTE  # of the live feed
        assert begin - start_ms >= 118 * MINUTE
        assert found.bars_known[0].from_ms == start_ms
        assert found.bars_known[0].to_ms >= begin
        first, last = -(-start_ms // 300_000) * 300, begin // 300_000 * 300 - 300
        true = venue.ledger.klines(found.symbol, 300, first, last)
        assert len(true) > 20
        whole = {bar.ts_ms for bar in found.fives if bar.quality is Quality.COMPLETE}
        assert {bar.time * 1000 for bar in true} <= whole


def test_minutes_in_which_nobody_traded_are_no_candles_of_the_history(tmp_path: Path) -> None:
    async def run() -> tuple[float, int]:
        async with exchange(history_minutes=30) as venue:
            async with Backfilling(venue, tmp_path, start_ms=minutes_ago(venue, 600)) as running:
                await running.live()
                await running.fetched(*SYMBOLS)
                metrics = await running.metrics()
            made = sum(len(venue.ledger.klines(symbol)) for symbol in SYMBOLS)
            return metrics["feed_backfill_bars_total"], made

    counted, made = asyncio.run(run())
    assert 0 < counted <= made


def test_after_a_restart_only_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    asking = Asking(silent="ETHTRY")

    async def run() -> None:
        async with exchange(history_minutes=130) as venue:
            venue.hooks.requests.append(asking)
            async with Backfilling(venue, tmp_path, start_ms=minutes_ago(venue, 120)) as running:
                await running.fetched("BTCTRY")
                await running.until(lambda _: any(page[0] == "ETHTRY" for page in asking.long()), "a page")
                await running.stop()
                asking.silent = ""
                running.start()
                await running.fetched("ETHTRY")

    asyncio.run(run())
    asked = [symbol for symbol, _, _ in asking.long()]
    assert asked.count("BTCTRY") == 1  # pages begin at midnight; at the venue it is noon
    assert asked.count("ETHTRY") >= 2
    first, second = held(tmp_path, SYMBOLS)
    assert len(first.minutes) >= 100
    assert len(second.minutes) >= 100


class Unwatched:
    def begin(self, symbol: str) -> None: ...

    def advance(self, now: Advance) -> None: ...

    def say(self, text: str) -> None: ...


def test_holes_of_an_archive_are_filled_though_no_start_is_named(tmp_path: Path) -> None:
    async def run() -> tuple[FakeExchange, int]:
        async with exchange(history_minutes=130) as venue:
            start_ms = minutes_ago(venue, 120)
            running = Backfilling(venue, tmp_path, ("BTCTRY",))
            for begin, end in ((0, 40), (60, 80)):
                span = (start_ms + begin * MINUTE, start_ms + end * MINUTE)
                told = await fetch_history(running.settings, *span, tmp_path / "journal", Unwatched())
                assert told["BTCTRY"].missing == 0
            async with running:
                await running.fetched("BTCTRY")
            return venue, start_ms

    venue, start_ms = asyncio.run(run())
    (found,) = held(tmp_path, ("BTCTRY",))
    assert found.bars_known[0].from_ms == start_ms
    known_to = found.bars_known[0].to_ms
    assert known_to >= start_ms + 118 * MINUTE
    true = venue.ledger.klines("BTCTRY", 60, start_ms // 1000, known_to // MINUTE * 60 - 1)
    assert len(true) > 100
    there = {bar.ts_ms: Decimal(bar.close).scaleb(-bar.price_scale) for bar in found.minutes}
    assert {bar.time * 1000: bar.close for bar in true}.items() <= there.items()
