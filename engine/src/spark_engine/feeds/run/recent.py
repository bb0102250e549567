"""Compares what the socket told with what REST has: the only way to see a trade that was never sent."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from spark_engine.feeds.host_clock import local_ns
from spark_engine.feeds.pipeline.pipeline import Pipeline
from spark_engine.feeds.provider import StreamProvider
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.rest.errors import RestError

EVERY_SECONDS: Final = 30.0  # each symbol, where the limit allows
SEQUENTIAL_EVERY_SECONDS: Final = 300.0  # ids already tell what is missing
SHARE: Final = 0.75  # of the limit; the rest is for what cannot wait
REACH: Final = 0.6  # of what REST reaches back
MOST_URGENT: Final = 2.0
LOOK_SECONDS: Final = 0.5
NEVER: Final = float("-inf")
PATIENCE_SECONDS: Final = 10.0


class Reconciler:
    """One request at a time: first what was asked for, then what is most urgent. Without a connection as
    often as the limit allows: then REST is all that there is."""

    def __init__(
        self,
        pipeline: Pipeline,
        provider: StreamProvider,
        rest: RestClient,
        report: Callable[[str], None],
        every_seconds: float | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._provider = provider
        self._rest = rest
        self._report = report
        usual = SEQUENTIAL_EVERY_SECONDS if provider.ticks_are_sequential else EVERY_SECONDS
        self._every = usual if every_seconds is None else every_seconds
        self._asked: deque[str] = deque()
        self._compared = dict.fromkeys(pipeline.symbols, (NEVER, 0))
        self._called = asyncio.Event()

    def ask(self, symbols: Iterable[str]) -> None:
        """Out of turn."""
        for symbol in symbols:
            if symbol not in self._asked:
                self._asked.append(symbol)
        if self._asked:
            self._called.set()

    async def run(self) -> None:
        """For ever."""
        limit = self._provider.recent_ticks(next(iter(self._pipeline.symbols))).limit
        pause = limit.seconds / limit.requests / SHARE
        while True:
            symbol = await self._next()
            self._compared[symbol] = time.monotonic(), self._pipeline.symbols[symbol].feed.told
            await self._compare(symbol)
            if not self._asked:
                await asyncio.sleep(pause)

    async def _next(self) -> str:
        while True:
            if self._asked:
                return self._asked.popleft()
            self._called.clear()
            now = time.monotonic()
            first = max(self._compared, key=lambda symbol: self._urgency(symbol, now))
            if self._urgency(first, now) >= 1 or not self._pipeline.connected:
                return first
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._called.wait()
            except TimeoutError:
                continue

    def _urgency(self, symbol: str, now: float) -> float:
        """From 1 on it is time: it has waited, or REST will soon not reach back to the last comparison. A
        busy symbol does not keep a quiet one waiting for ever."""
        at, told = self._compared[symbol]
        waited = (now - at) / self._every
        if self._provider.ticks_are_sequential:
            return waited
        since = self._pipeline.symbols[symbol].feed.told - told
        return max(waited, min(since / (REACH * self._provider.recent_ticks_most), MOST_URGENT))

    async def _compare(self, symbol: str) -> None:
        try:
            answer = await self._rest.get(self._provider.recent_ticks(symbol), patience=PATIENCE_SECONDS)
        except RestError as error:
            self._report(f"{symbol}: the latest trades are not to be had: {error}")
        else:
            self._pipeline.recent(answer.value, answer.sent_ns, local_ns())
