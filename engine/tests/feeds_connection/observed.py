"""A connection over real sockets, with everything that it said and handed over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.connection.budget import ConnectBudget
from spark_engine.feeds.connection.session import Connection, ConnectionSettings
from spark_engine.feeds.connection.state import CloseReason, ConnectionState
from spark_engine.feeds.provider import StreamProvider, Subscription

PATIENCE = 30.0  # seconds, of a test that fails
QUICK = ConnectionSettings(open_seconds=PATIENCE, close_seconds=0.2, silence=PATIENCE, ping=None)


def quick(**changes: Any) -> ConnectionSettings:
    """Settings of the tests with some of them changed."""
    return replace(QUICK, **changes)


class Joining:
    """The part of a provider that a connection uses: how to join and leave."""

    def websocket_url(self, _: Sequence[Subscription]) -> str:
        return "ws://127.0.0.1:9/"

    def subscribe(self, subscriptions: Sequence[Subscription]) -> list[str]:
        return [f"join {s.channel} {s.symbol}" for s in subscriptions]

    def unsubscribe(self, subscriptions: Sequence[Subscription]) -> list[str]:
        return [f"leave {s.channel} {s.symbol}" for s in subscriptions]


class Observed:
    """A connection with everything that it said; its waits take no time but are remembered."""

    def __init__(self, url: str | None, *, settings: ConnectionSettings = QUICK, **options: Any) -> None:
        self.frames: list[bytes] = []
        self.stamps: list[int] = []
        self.states: list[ConnectionState] = []
        self.waits: list[float] = []
        self.stop = asyncio.Event()
        self._news = asyncio.Event()
        options.setdefault("on_frame", self.on_frame)
        options.setdefault("on_state", self.on_state)
        options.setdefault("budget", ConnectBudget(1_000))
        options.setdefault("backoff", Backoff(jitter=lambda: 0.5))
        options.setdefault("sleep", self.sleep)
        self.connection = Connection(
            cast(StreamProvider, Joining()),
            [Subscription("ticker", "BTCTRY"), Subscription("trade", "BTCTRY")],
            url=url,
            settings=settings,
            **options,
        )

    def on_frame(self, frame: bytes, received_ns: int) -> None:
        self.frames.append(frame)
        self.stamps.append(received_ns)
        self._news.set()

    def on_state(self, state: ConnectionState) -> None:
        self.states.append(state)
        self._news.set()

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def ending(self) -> ConnectionState:
        """How the first attempt or connection ended."""
        await self.until(self.endings)
        return self.endings()[0]

    def endings(self) -> list[ConnectionState]:
        return [s for s in self.states if s.kind in ("closed", "refused")]

    @property
    def reasons(self) -> list[CloseReason | None]:
        return [s.reason for s in self.endings()]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Observed]:
        """Runs; at the end it is stopped, and must have left no task behind."""
        before = asyncio.all_tasks()
        run = asyncio.create_task(self.connection.run(self.stop))
        try:
            yield self
            self.stop.set()
            async with asyncio.timeout(PATIENCE):
                await run
            assert tasks_left(before | {run}) == []
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)


def tasks_left(before: set[asyncio.Task[Any]]) -> list[str]:
    """New tasks that are not those of the servers in this process."""
    servers = ("accept()", "websockets/asyncio/server", "keepalive()")
    new = [repr(task) for task in asyncio.all_tasks() - before]
    return [task for task in new if not any(name in task for name in servers)]


def address(server: Any) -> str:
    """Of a server of the library."""
    return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
