"""History beside a live feed: every symbol gets its own, whatever becomes of the others and of the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from msgspec.structs import replace as renamed
from spark_engine.errors import InvalidData, StoreUnavailable
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.backfill.convert import Piece
from spark_engine.feeds.clock.offset import Clock
from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick
from spark_engine.feeds.pipeline.observer import Silent
from spark_engine.feeds.pipeline.pipeline import Pipeline
from spark_engine.feeds.provider import Request, Ticks
from spark_engine.feeds.providers.registry import stream_provider
from spark_engine.feeds.rest.client import Answer, RestClient
from spark_engine.feeds.run import backfill
from spark_engine.feeds.run.backfill import Backfill
from spark_engine.feeds.serve.metrics import FeedMetrics
from spark_engine.feeds.settings import Endpoints, FeedSettings

T = TypeVar("T")
BEGIN = 1_774_742_400_000  # a whole minute
MINUTE = 60_000
SYMBOLS = ("BTCTRY", "ETHTRY")
INSTRUMENT = Instrument(
    symbol="BTCTRY", venue_symbol="BTCTRY", base="BTC", quote="TRY", price_scale=0, quantity_scale=2
)
SETTINGS = FeedSettings(
    "tested", "btcturk-spot", SYMBOLS, ("trade",), ("1m", "5m"), "", backfill_start_ms=BEGIN - 60 * MINUTE
)
MISSING = Interval(BEGIN - 60 * MINUTE, BEGIN)


def minute(at: int) -> Candle:
    return Candle(
        symbol="BTCTRY", timeframe="1m", ts_ms=at, open=1, high=1, low=1, close=1, volume=1,
        price_scale=0, quantity_scale=2, source="history",
    )  # fmt: skip


def volumes(archive: Archive) -> list[int]:
    """Of the bars of five minutes that are archived."""
    return [bar.volume for bar in archive.candles("BTCTRY", "5m", 0, 1 << 45)]


class Venue:
    """Trades in every minute."""

    async def get(self, asked: Request[T], **_: Any) -> Answer[T]:
        times = range(int(asked.parameters["from"]), int(asked.parameters["to"]), 60)
        ones = [1] * len(times)
        body = {"s": "ok", "t": list(times), "o": ones, "h": ones, "l": ones, "c": ones, "v": ones}
        return Answer(asked.parse(json.dumps(body).encode()), 0, 0, 0, True)


class ByHand(Pipeline):
    """At a venue whose time goes on only when somebody moves it."""

    now_ms = BEGIN + 24 * 60 * MINUTE

    def venue_ms(self, now_ns: int) -> int:  # noqa: ARG002 - whatever the host says
        return self.now_ms


class Beside:
    """A pipeline of two symbols and the backfill of its archive, which fails when it is asked for the
    `failing`th time."""

    def __init__(
        self, archive: Archive, failing: int = -1, failure: Exception | None = None, **settings: Any
    ) -> None:
        self.archive = archive
        self.reports: list[str] = []
        self.metrics = FeedMetrics(SETTINGS.provider, SYMBOLS)
        provider = stream_provider(SETTINGS.provider, Endpoints())
        listed = {symbol: renamed(INSTRUMENT, symbol=symbol, venue_symbol=symbol) for symbol in SYMBOLS}
        provider.use(listed)
        told = replace(SETTINGS, **settings)
        self.pipeline = ByHand(told, provider, listed, Clock(), Silent())
        self._failing, self._failure = failing, failure
        venue = provider, cast(RestClient, Venue()), self.reports.append
        self.backfill = Backfill(told, self.pipeline, *venue, self._ask, self.metrics)

    async def _ask(self, question: Callable[[Archive], T]) -> T:
        self._failing -= 1
        if self._failing == -1 and self._failure is not None:
            raise self._failure
        return question(self.archive)

    def begin(self, symbol: str) -> None:
        """Its live trades."""
        feed = self.pipeline.symbols[symbol].feed
        feed.joined(Ticks(symbol, (MarketTick(symbol, "1", BEGIN, 1, 1),), snapshot=True), BEGIN + 1_000)
        feed.proved(BEGIN + 1_000)

    async def until(self, done: Callable[[], object], work: Awaitable[None] | None = None) -> None:
        running = asyncio.ensure_future(work or self.backfill.run())
        async with asyncio.timeout(60):
            while not done() and not running.done():
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert done(), self.reports

    def storage_errors(self) -> float:
        samples = [sample for metric in self.metrics.registry.collect() for sample in metric.samples]
        return sum(sample.value for sample in samples if sample.name == "feed_storage_errors_total")

    def is_whole(self, symbol: str) -> bool:
        return self.archive.coverage(symbol, "1m") == (MISSING,)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened = Archive.open(
        str(tmp_path / "archive"),
        venue="btcturk-spot",
        journal=tmp_path / "journal",
        writer="tested",
        timeframes=SETTINGS.timeframes,
    )
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(backfill, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(backfill, "SHARE", 1.0)


FAILURES = [StoreUnavailable("the bucket is away"), InvalidData("a segment is damaged")]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("failing", range(3))
def test_a_store_that_fails_ends_nothing_and_is_asked_again(
    archive: Archive, failing: int, failure: Exception
) -> None:
    beside = Beside(archive, failing, failure)
    for symbol in SYMBOLS:
        beside.begin(symbol)
    asyncio.run(beside.until(lambda: all(map(beside.is_whole, SYMBOLS))))
    assert f"BTCTRY: its history waits: {failure}" in beside.reports
    assert beside.storage_errors() == 1


@pytest.mark.parametrize("failure", FAILURES)
def test_larger_bars_wait_for_a_store_that_fails(archive: Archive, failure: Exception) -> None:
    beside = Beside(archive, 0, failure, backfill_start_ms=None)
    minutes = tuple(minute(BEGIN + number * MINUTE) for number in range(5))
    archive.append(Piece(INSTRUMENT, minutes, (Interval(BEGIN, BEGIN + 5 * MINUTE),)))
    beside.backfill.filled("BTCTRY", Interval(BEGIN, BEGIN + MINUTE))
    beside.backfill.acknowledged(1)
    asyncio.run(beside.until(lambda: len(volumes(archive)) == 1, beside.backfill.make_larger()))
    assert beside.reports == [f"BTCTRY: larger bars wait: {failure}"]
    assert beside.storage_errors() == 1


def test_larger_bars_wait_for_a_minute_that_is_on_its_way_into_the_archive(archive: Archive) -> None:
    beside = Beside(archive)
    whole = Interval(BEGIN, BEGIN + 5 * MINUTE)
    minutes = tuple(minute(BEGIN + number * MINUTE) for number in range(5))
    archive.append(Piece(INSTRUMENT, minutes, (whole,)))
    beside.backfill.filled("BTCTRY", whole)
    beside.backfill.filled("BTCTRY", whole)

    async def run() -> None:
        looking = asyncio.create_task(beside.backfill.make_larger())
        await asyncio.sleep(0.1)
        assert volumes(archive) == []
        archive.append(Piece(INSTRUMENT, (renamed(minutes[0], volume=7, revision=1),)))
        beside.backfill.acknowledged(1)
        await beside.until(lambda: volumes(archive), looking)

    asyncio.run(run())
    assert volumes(archive) == [11]
    assert beside.backfill.on_their_way == 1


def test_a_larger_bar_that_was_open_when_an_old_minute_changed_is_made_again_when_it_is_final(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The live side has that minute within a stretch that it keeps as one."""
    monkeypatch.setattr(backfill, "LOOK_SECONDS", 0.0)
    beside = Beside(archive)
    late_ms = SETTINGS.grace_ms + SETTINGS.amend_ms
    beside.pipeline.now_ms = BEGIN + 2 * MINUTE + late_ms
    changed = (renamed(minute(BEGIN), volume=7, revision=1), *(minute(BEGIN + n * MINUTE) for n in (1, 2)))
    archive.append(Piece(INSTRUMENT, changed, (Interval(BEGIN, BEGIN + 3 * MINUTE),)))
    beside.backfill.filled("BTCTRY", Interval(BEGIN, BEGIN + MINUTE))
    beside.backfill.acknowledged(1)

    async def run() -> None:
        looking = asyncio.create_task(beside.backfill.make_larger())
        for _ in range(8):
            await asyncio.sleep(0)
        assert volumes(archive) == []
        stale = renamed(minute(BEGIN), timeframe="5m", volume=3)
        archive.append(Piece(INSTRUMENT, (stale,), (Interval(BEGIN, BEGIN + 5 * MINUTE),)))
        beside.pipeline.now_ms = BEGIN + 5 * MINUTE + late_ms
        for _ in range(8):
            await asyncio.sleep(0)
        looking.cancel()

    asyncio.run(run())
    assert volumes(archive) == [9]


def test_a_symbol_that_never_becomes_live_holds_up_no_other(archive: Archive) -> None:
    beside = Beside(archive)
    beside.begin("ETHTRY")
    asyncio.run(beside.until(lambda: beside.is_whole("ETHTRY")))
    assert archive.coverage("BTCTRY", "1m") == ()
    beside.begin("BTCTRY")
    asyncio.run(beside.until(lambda: beside.is_whole("BTCTRY")))
