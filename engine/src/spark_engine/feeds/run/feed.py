"""Which kind of feed a provider makes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from spark_crds.feeds import FILE_PROVIDERS

from spark_engine.feeds.providers.registry import stream_provider
from spark_engine.feeds.run.files import FilesFeed
from spark_engine.feeds.run.streaming import StreamingFeed
from spark_engine.feeds.settings import FeedSettings


class Feed(Protocol):
    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then all that was received is archived. Raises `BacktestError`."""


def feed_of(
    settings: FeedSettings, state: Path, listening: socket.socket, report: Callable[[str], None]
) -> Feed:
    """Raises `InvalidSpec` for a provider that there is not."""
    if settings.provider in FILE_PROVIDERS:
        return FilesFeed(settings, journal=state, listening=listening, report=report)
    provider = stream_provider(settings.provider, settings.endpoints)
    return StreamingFeed(settings, provider, journal=state, listening=listening, report=report)
