"""What every kind of feed does around its work: serve health, and stop when told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

from spark_engine.feeds.serve.app import application
from spark_engine.feeds.serve.health import FeedHealth
from spark_engine.feeds.serve.metrics import FeedMetrics
from spark_engine.feeds.serve.server import serve
from spark_engine.feeds.settings import FeedSettings
from spark_engine.version import __version__

USER_AGENT: Final = f"spark-trading/{__version__}"


class Served(Protocol):
    @property
    def settings(self) -> FeedSettings: ...

    @property
    def metrics(self) -> FeedMetrics: ...

    @property
    def health(self) -> FeedHealth: ...

    def failed(self, failure: str) -> None: ...


async def served(
    feed: Served,
    work: Callable[[asyncio.Event], Coroutine[Any, Any, None]],
    close: Callable[[], Awaitable[None]],
    listening: socket.socket,
    stop: asyncio.Event,
) -> None:
    """Serves the health of `feed` until its `work` has ended, and `close` after it; at `stop` the event that
    `work` was given asks it to leave.

    Raises what they raise, and `EngineError` where the server ends by itself.
    """
    leaving, closing = asyncio.Event(), asyncio.Event()
    app = application(feed.settings, lambda: feed.health, feed.metrics)
    serving = asyncio.create_task(serve(app, listening, closing), name="feed: http")
    working = asyncio.create_task(work(leaving), name="feed: work")
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([serving, working, stopping], return_when=asyncio.FIRST_COMPLETED)
        leaving.set()
        await working
    except Exception as error:
        feed.failed(str(error) or type(error).__name__)
        raise
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
        try:
            await close()
        finally:
            closing.set()
            await serving
