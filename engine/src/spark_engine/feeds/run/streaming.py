"""A feed of a streaming venue, whole: from the socket to the archive, with all that watches over it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from spark_engine.feeds.clock.offset import Clock
from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.connection.budget import ConnectBudget
from spark_engine.feeds.connection.handover import Handover
from spark_engine.feeds.connection.session import Connection
from spark_engine.feeds.connection.state import CloseReason, ConnectionState
from spark_engine.feeds.connection.stopping import unless_set
from spark_engine.feeds.host_clock import local_ns
from spark_engine.feeds.pipeline.pipeline import Pipeline
from spark_engine.feeds.provider import StreamProvider
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.run.backfill import Backfill
from spark_engine.feeds.run.health import Vitals, feed_health
from spark_engine.feeds.run.history import HistoryFiller
from spark_engine.feeds.run.keeper import Keeper
from spark_engine.feeds.run.pace import Pace
from spark_engine.feeds.run.preparing import Preparation
from spark_engine.feeds.run.recent import Reconciler
from spark_engine.feeds.run.serving import USER_AGENT, served
from spark_engine.feeds.run.timekeeper import keep_time
from spark_engine.feeds.serve.health import FeedHealth
from spark_engine.feeds.serve.metrics import FeedMetrics
from spark_engine.feeds.settings import FeedSettings

FRAMES_A_TURN: Final = 512


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
        pace: Pace | None = None,
    ) -> None:
        self.settings = settings
        self.metrics = FeedMetrics(settings.provider, settings.symbols)
        self._provider = provider
        self._listening = listening
        self._report = report
        self._backoff = backoff or Backoff()
        self._budget = budget or ConnectBudget(provider.connections_per_minute)
        self._pace = pace or Pace()
        if reconcile_seconds is not None:
            self._pace = replace(self._pace, reconcile=reconcile_seconds)
        self._keeper = Keeper(settings, journal, self.metrics, report, self._pace)
        self._rest = RestClient(
            user_agent=USER_AGENT,
            wall=local_ns,
            on_event=self.metrics.on_rest,
            settings=self._pace.rest,
        )
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
        await served(self, self._feed, self._close, self._listening, stop)

    def failed(self, failure: str) -> None:
        """Told by what serves it."""
        self._vitals.failure = failure

    async def _close(self) -> None:
        await self._rest.close()
        await self._keeper.close()

    async def _feed(self, leaving: asyncio.Event) -> None:
        if not await _done_unless(leaving, self._keeper.open()):
            return
        if not await _done_unless(leaving, self._prepare()):
            return
        pipeline = self._prepared()
        background = [
            asyncio.create_task(work, name=name) for name, work in self._background(pipeline).items()
        ]
        working = asyncio.create_task(self._work(pipeline, leaving), name="feed: work")
        try:
            await asyncio.wait({working, *background}, return_when=asyncio.FIRST_COMPLETED)
            leaving.set()  # whatever failed: what was received is archived first
            await working
            for task in background:
                if task.done():
                    task.result()
        finally:
            for task in (*background, working):
                task.cancel()
            await asyncio.gather(*background, working, return_exceptions=True)

    async def _prepare(self) -> None:
        """What the venue trades, and where the archive left off."""
        preparation = Preparation(
            self.settings,
            self._provider,
            self._rest,
            self._keeper,
            self._vitals,
            self._report,
            Backoff(),
            self._pace.listing,
        )
        listed = await preparation.instruments()
        self._provider.use(listed)
        pipeline = Pipeline(
            self.settings, self._provider, listed, self._clock, self.metrics, self._pace.patience
        )
        for state in pipeline.symbols.values():
            await preparation.resume(state.feed)
        self._pipeline = pipeline

    def _prepared(self) -> Pipeline:
        if self._pipeline is None:
            raise RuntimeError("the feed is not prepared")
        return self._pipeline

    def _background(self, pipeline: Pipeline) -> dict[str, Coroutine[Any, Any, None]]:
        venue = self._provider, self._rest, self._report
        self._reconciler = Reconciler(pipeline, *venue, self._pace.reconcile)
        self._backfill = backfill = Backfill(self.settings, pipeline, *venue, self._keeper.ask, self.metrics)
        return {
            "feed: time": keep_time(self._clock, *venue, self._pace),
            "feed: recent": self._reconciler.run(),
            "feed: history": HistoryFiller(pipeline, *venue, self._pace.history, backfill.filled).run(),
            "feed: backfill": backfill.run(),
            "feed: larger bars": backfill.make_larger(),
            "feed: flush": self._flush(),
            "feed: upkeep": self._keeper.maintain(),
        }

    async def _work(self, pipeline: Pipeline, leaving: asyncio.Event) -> None:
        """Connection, messages, turns and storing; returns when all that was received is journaled."""
        self._connection = Connection(
            self._provider,
            pipeline.subscriptions,
            on_frame=self._handover.put,
            on_state=self._on_state,
            budget=self._budget,
            backoff=self._backoff,
            flow=self._handover,
            settings=replace(self._pace.connection, user_agent=USER_AGENT),
        )
        done = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._consume(pipeline), name="feed: consume")
                tasks.create_task(self._turn(pipeline, done), name="feed: turn")
                tasks.create_task(self._store(pipeline, done), name="feed: store")
                await self._connection.run(leaving)
                self._keeper.stopping()
                self._handover.close()
                done.set()
                self._stored.set()
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures  # a group says only how many there are
        finally:
            while frames := self._handover.take_now():  # a part has failed: what is left is not lost by that
                self._messages(pipeline, frames)
            pipeline.turn(local_ns(), time.monotonic())
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
            wanted = pipeline.turn(local_ns(), time.monotonic())
            if wanted.silent:
                self._connection.reconnect(CloseReason.STALE_CHANNEL, wanted.silent)
            if wanted.resubscribe:
                self._connection.resubscribe(wanted.resubscribe)
            self._reconciler.ask(wanted.recent)
            self._stored.set()
            await unless_set(done, asyncio.sleep(self._pace.turn))

    async def _store(self, pipeline: Pipeline, done: asyncio.Event) -> None:
        """Groups what comes within a moment into one fsync."""
        while not done.is_set():
            await self._stored.wait()
            self._stored.clear()
            batches, filled = pipeline.take(), self._backfill.on_their_way
            if await self._keeper.keep(batches):
                self._backfill.acknowledged(filled)
                now_ns = local_ns()
                for batch in batches:
                    if batch.ticks:
                        self.metrics.on_lag("archive", self._clock.lag_ms(now_ns, batch.ticks[-1].ts_ms))
            await unless_set(done, asyncio.sleep(self._pace.store))

    async def _flush(self) -> None:
        period = self.settings.flush_ms / 1000
        while True:
            await asyncio.sleep(period - time.time() % period)
            await self._keeper.flush()


async def _done_unless(leaving: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether `work` came to its end before; its errors are raised."""

    async def done() -> bool:
        await work
        return True

    return await unless_set(leaving, done()) is True
