"""A feed of a streaming venue, whole: from the socket to the archive, with all that watches over it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace as replaced

from spark_engine.data.request import timeframe_ms
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.clock.offset import Clock
from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.connection.budget import ConnectBudget
from spark_engine.feeds.connection.handover import Handover
from spark_engine.feeds.connection.session import Connection
from spark_engine.feeds.connection.state import CloseReason, ConnectionState
from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick
from spark_engine.feeds.pipeline.pipeline import Pipeline
from spark_engine.feeds.pipeline.symbol import MINUTE, MINUTE_MS
from spark_engine.feeds.provider import StreamProvider
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.rest.errors import RestError
from spark_engine.feeds.run.health import Vitals, feed_health
from spark_engine.feeds.run.history import HistoryFiller
from spark_engine.feeds.run.keeper import Keeper
from spark_engine.feeds.run.recent import Reconciler
from spark_engine.feeds.run.timekeeper import keep_time
from spark_engine.feeds.serve.app import application
from spark_engine.feeds.serve.health import FeedHealth
from spark_engine.feeds.serve.metrics import FeedMetrics
from spark_engine.feeds.serve.server import serve
from spark_engine.feeds.settings import FeedSettings
from spark_engine.version import __version__

USER_AGENT: Final = f"spark-trading/{__version__}"
TURN_SECONDS: Final = 0.2
STORE_SECONDS: Final = 0.05
FRAMES_A_TURN: Final = 512
ASK_AGAIN_SECONDS: Final = 60.0
DAY_MS: Final = 86_400_000


class StreamingFeed:
    """`listening` serves health from the first moment on; the venue and the archive may be away for long.

    `report` is told, in a line each, what a person should know.
    """

    def __init__(
        self,
        settings: FeedSettings,
        provider: StreamProvider,
        *,
        journal: Path,
        listening: socket.socket,
        report: Callable[[str], None],
        backoff: Backoff | None = None,
        budget: ConnectBudget | None = None,
        reconcile_seconds: float | None = None,
    ) -> None:
        self.settings = settings
        self.metrics = FeedMetrics(settings.provider, settings.symbols)
        self._provider = provider
        self._listening = listening
        self._report = report
        self._backoff = backoff or Backoff()
        self._budget = budget or ConnectBudget(provider.connections_per_minute)
        self._reconcile_seconds = reconcile_seconds
        self._keeper = Keeper(settings, journal, self.metrics, report)
        self._rest = RestClient(user_agent=USER_AGENT, on_event=self.metrics.on_rest)
        self._clock = Clock()
        self._handover = Handover()
        self._vitals = Vitals()
        self._pipeline: Pipeline | None = None
        self._stored = asyncio.Event()

    @property
    def health(self) -> FeedHealth:
        return feed_health(
            self.settings, self._pipeline, self._clock, self._keeper, self._handover.depth, self._vitals
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then everything received is archived. Raises `BacktestError` where no feed can be."""
        serving = asyncio.create_task(
            serve(application(self.settings, lambda: self.health, self.metrics), self._listening, stop)
        )
        feeding = asyncio.create_task(self._feed(stop))
        try:
            await asyncio.wait({serving, feeding}, return_when=asyncio.FIRST_COMPLETED)
            if feeding.done() and not feeding.cancelled() and feeding.exception() is not None:
                self._vitals.failure = str(feeding.exception())
            stop.set()
            await feeding
        finally:
            stop.set()
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await self._rest.close()
            await self._keeper.close()
            await serving

    async def _feed(self, stop: asyncio.Event) -> None:
        if not await _unless(stop, self._keeper.open()):
            return
        if not await _unless(stop, self._prepare()):
            return
        background = [
            asyncio.create_task(task, name=name) for name, task in self._background(self._prepared()).items()
        ]
        working = asyncio.create_task(self._work(self._prepared(), stop), name="feed: work")
        try:
            await asyncio.wait({working, *background}, return_when=asyncio.FIRST_COMPLETED)
            for task in background:
                if task.done():
                    task.result()
            await working
        finally:
            for task in (*background, working):
                task.cancel()
            await asyncio.gather(*background, working, return_exceptions=True)

    async def _prepare(self) -> None:
        """What the venue trades, and where the archive left off."""
        listed = await self._listed()
        self._provider.use(listed)
        self._pipeline = Pipeline(self.settings, self._provider, listed, self._clock, self.metrics)
        for symbol, state in self._pipeline.symbols.items():
            held = await self._keeper.ask(lambda archive, symbol=symbol: self._held(archive, symbol))  # type: ignore[misc]
            state.feed.resume(*held)

    def _prepared(self) -> Pipeline:
        if self._pipeline is None:
            raise RuntimeError("the feed is not prepared")
        return self._pipeline

    async def _listed(self) -> Mapping[str, Instrument]:
        """The instruments of the feed, as wide as the archive has them; at least one."""
        while True:
            try:
                answer = await self._rest.get(self._provider.instruments())
            except RestError as error:
                self._vitals.problem = f"the venue's symbols are not to be had: {error}"
                self._report(self._vitals.problem)
                await asyncio.sleep(self._backoff.delay())
                continue
            found = self._known(answer.value)
            if found:
                return {symbol: await self._widened(each) for symbol, each in found.items()}
            await asyncio.sleep(ASK_AGAIN_SECONDS)

    def _known(self, listed: Mapping[str, Instrument]) -> dict[str, Instrument]:
        unknown = [symbol for symbol in self.settings.symbols if symbol not in listed]
        self._vitals.unknown = tuple(unknown)
        self._vitals.problem = None
        for symbol in unknown:
            place = self.settings.symbols.index(symbol)
            near = get_close_matches(symbol, listed, n=3, cutoff=0.6)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            self._report(f"spec.symbols[{place}]: {self._provider.name} does not trade {symbol}{hint}")
        return {symbol: listed[symbol] for symbol in self.settings.symbols if symbol in listed}

    async def _widened(self, instrument: Instrument) -> Instrument:
        scales = await self._keeper.ask(lambda archive: archive.scales(instrument.symbol))
        price, quantity = scales or (0, 0)
        return replaced(
            instrument,
            price_scale=max(price, instrument.price_scale),
            quantity_scale=max(quantity, instrument.quantity_scale),
        )

    def _held(
        self, archive: Archive, symbol: str
    ) -> tuple[
        list[MarketTick],
        list[Candle],
        dict[str, list[Candle]],
        tuple[Interval, ...],
        tuple[Interval, ...],
    ]:
        """The latest time in the archive: see `SymbolFeed.resume`."""
        settings = self.settings
        covered_ticks = archive.coverage(symbol)
        end_ms = covered_ticks[-1].to_ms if covered_ticks else 0
        since_ms = end_ms // MINUTE_MS * MINUTE_MS - settings.amend_ms - settings.grace_ms - MINUTE_MS
        ticks = archive.ticks_since(symbol, max(0, since_ms))
        if len(ticks) < self._provider.recent_ticks_most:
            ticks = archive.ticks_since(symbol, max(0, since_ms - DAY_MS))
        longest_ms = max(timeframe_ms(timeframe) for timeframe in settings.timeframes)
        minutes = archive.last_candles(symbol, MINUTE, (longest_ms + settings.amend_ms) // MINUTE_MS + 2)
        larger = {
            timeframe: archive.last_candles(
                symbol, timeframe, settings.amend_ms // timeframe_ms(timeframe) + 2
            )
            for timeframe in settings.timeframes
            if timeframe != MINUTE
        }
        return ticks, minutes, larger, covered_ticks, archive.coverage(symbol, MINUTE)

    def _background(self, pipeline: Pipeline) -> dict[str, Coroutine[Any, Any, None]]:
        self._reconciler = Reconciler(
            pipeline, self._provider, self._rest, self._report, self._reconcile_seconds
        )
        return {
            "feed: time": keep_time(self._clock, self._provider, self._rest, self._report),
            "feed: recent": self._reconciler.run(),
            "feed: history": HistoryFiller(pipeline, self._provider, self._rest, self._report).run(),
            "feed: flush": self._flush(),
            "feed: upkeep": self._keeper.maintain(),
        }

    async def _work(self, pipeline: Pipeline, stop: asyncio.Event) -> None:
        """Connection, messages, turns and storing; returns when all that was received is journaled."""
        self._connection = Connection(
            self._provider,
            pipeline.subscriptions,
            on_frame=self._handover.put,
            on_state=self._on_state,
            budget=self._budget,
            backoff=self._backoff,
            flow=self._handover,
        )
        done = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consume(pipeline), name="feed: consume")
            tasks.create_task(self._turn(pipeline, done), name="feed: turn")
            tasks.create_task(self._store(pipeline, done), name="feed: store")
            await self._connection.run(stop)
            self._handover.close()
            done.set()
            self._stored.set()
        pipeline.turn(time.time_ns(), time.monotonic())
        await self._keeper.keep(pipeline.take())

    async def _consume(self, pipeline: Pipeline) -> None:
        while frames := await self._handover.take(FRAMES_A_TURN):
            self._messages(pipeline, frames)
            self._stored.set()
            await asyncio.sleep(0)
            await self._keeper.room()

    def _messages(self, pipeline: Pipeline, frames: list[tuple[bytes, int]]) -> None:
        now = time.monotonic()
        data = False
        for frame, received_ns in frames:
            data |= pipeline.frame(frame, received_ns, now)
        if data:
            self._connection.healthy()

    def _on_state(self, state: ConnectionState) -> None:
        pipeline = self._prepared()
        self._vitals.connection = state
        if state.kind == "open":
            pipeline.opened(time.monotonic())
            self._report(f"connected to {self.settings.provider}, {len(pipeline.symbols)} symbols")
        elif state.kind in ("closed", "refused"):
            while frames := self._handover.take_now():  # what came before the end
                self._messages(pipeline, frames)
            pipeline.closed()
            if state.reason is not None and state.retry_in is not None:
                self._vitals.reconnects += 1
                self.metrics.on_reconnect(state.reason)
                self._report(f"{state.cause}; again in {state.retry_in:.1f} s")

    async def _turn(self, pipeline: Pipeline, done: asyncio.Event) -> None:
        while not done.is_set():
            self._vitals.turned_at = time.monotonic()
            wanted = pipeline.turn(time.time_ns(), time.monotonic())
            if wanted.silent:
                self._connection.reconnect(CloseReason.STALE_CHANNEL, wanted.silent)
            if wanted.resubscribe:
                self._connection.resubscribe(wanted.resubscribe)
            self._reconciler.ask(wanted.recent)
            self._stored.set()
            await _unless_after(done, TURN_SECONDS)

    async def _store(self, pipeline: Pipeline, done: asyncio.Event) -> None:
        """Groups what comes within a moment into one fsync."""
        while not done.is_set():
            await self._stored.wait()
            self._stored.clear()
            batches = pipeline.take()
            if await self._keeper.keep(batches):
                now_ns = time.time_ns()
                for batch in batches:
                    if batch.ticks:
                        self.metrics.on_lag("archive", self._clock.lag_ms(now_ns, batch.ticks[-1].ts_ms))
            await _unless_after(done, STORE_SECONDS)

    async def _flush(self) -> None:
        period = self.settings.flush_ms / 1000
        while True:
            await asyncio.sleep(period - time.time() % period)
            await self._keeper.flush()


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether `work` came to its end before `stop`; its errors are raised."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return True
        return False
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def _unless_after(done: asyncio.Event, seconds: float) -> None:
    """Returns after `seconds`, or at once when it is done."""
    try:
        async with asyncio.timeout(seconds):
            await done.wait()
    except TimeoutError:
        return
