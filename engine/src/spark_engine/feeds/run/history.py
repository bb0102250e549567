"""Fills minutes of which trades were lost from the venue's history of bars."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from spark_engine.feeds.host_clock import local_ns
from spark_engine.feeds.market import Interval
from spark_engine.feeds.pipeline.pipeline import Pipeline
from spark_engine.feeds.pipeline.rules import MINUTE, MINUTE_MS
from spark_engine.feeds.provider import StreamProvider
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.rest.errors import RestError

PATIENCE_SECONDS: Final = 60.0


class HistoryFiller:
    """A request that fails is made again at a later look, each `every_seconds`. `filled` is told of
    each page."""

    def __init__(
        self,
        pipeline: Pipeline,
        provider: StreamProvider,
        rest: RestClient,
        report: Callable[[str], None],
        every_seconds: float,
        filled: Callable[[str, Interval], None] = lambda *_: None,
    ) -> None:
        self._pipeline = pipeline
        self._provider = provider
        self._rest = rest
        self._report = report
        self._every_seconds = every_seconds
        self._filled = filled

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(self._every_seconds)
            for symbol, state in self._pipeline.symbols.items():
                for wanted in state.feed.history_wanted(self._now_ms()):
                    await self._fill(symbol, wanted)

    async def _fill(self, symbol: str, wanted: Interval) -> None:
        """Page by page, oldest first; each is taken as soon as it is there."""
        page_ms = self._provider.history_bars_most * MINUTE_MS
        for begin in range(wanted.from_ms, wanted.to_ms, page_ms):
            page = Interval(begin, min(begin + page_ms, wanted.to_ms))
            request = self._provider.history(symbol, MINUTE, page.from_ms, page.to_ms)
            try:
                answer = await self._rest.get(request, patience=PATIENCE_SECONDS)
            except RestError as error:
                self._report(f"{symbol}: history is not to be had: {error}")
                return
            self._pipeline.symbols[symbol].feed.filled(page, answer.value.candles, self._now_ms())
            self._filled(symbol, page)

    def _now_ms(self) -> int:
        return self._pipeline.venue_ms(local_ns())
