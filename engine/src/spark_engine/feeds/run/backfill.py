"""Fetches, beside a live feed, the history from before its time that the archive lacks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from spark_engine.errors import BacktestError, InvalidData, StoreUnavailable
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.backfill.fetch import Advance, Ask, Fetch
from spark_engine.feeds.backfill.filling import Filling, Page
from spark_engine.feeds.backfill.larger import MINUTE, reaggregate, windows
from spark_engine.feeds.candles.bars import grid
from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.host_clock import local_ns
from spark_engine.feeds.market import Interval
from spark_engine.feeds.pipeline.pipeline import Pipeline
from spark_engine.feeds.pipeline.symbol import SymbolFeed
from spark_engine.feeds.provider import StreamProvider
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.run.keeper import storage_cause
from spark_engine.feeds.serve.metrics import FeedMetrics
from spark_engine.feeds.settings import FeedSettings

SHARE: Final = 0.5  # of the limit; the rest is for what was missed just now
LOOK_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 300.0  # after something could not be had
TOLD_SECONDS: Final = 60.0
MOST_LOOKS: Final = 60  # for minutes of which the archive will not hear


class Backfill:
    """Every symbol from `backfill_start_ms`, or from where its archive begins, until where the live feed
    began, newest first. What is missing later is `HistoryFiller`'s."""

    def __init__(
        self,
        settings: FeedSettings,
        pipeline: Pipeline,
        provider: StreamProvider,
        rest: RestClient,
        report: Callable[[str], None],
        ask: Ask,
        metrics: FeedMetrics,
    ) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._provider = provider
        self._rest = rest
        self._ask = ask
        self._metrics = metrics
        self._report = report
        resumed = {symbol: state.feed.known_to_ms for symbol, state in pipeline.symbols.items()}
        # after the last trade of an earlier run, the feed itself knows what is missing
        self._ends = {symbol: grid(MINUTE).begin(at) for symbol, at in resumed.items() if at is not None}
        self._filled: list[_Late] = []  # the minutes are on their way to the archive
        self._late: list[_Late] = []
        self._told = time.monotonic()

    def filled(self, symbol: str, interval: Interval) -> None:
        """Minutes that came from history on the live side: larger bars that were final by then are made
        again once the archive has these minutes, in their latest revision."""
        final = Interval(interval.from_ms, min(interval.to_ms, self._final_ms()))
        if final.from_ms < final.to_ms:
            self._filled.append(_Late(symbol, final))

    @property
    def on_their_way(self) -> int:
        """How much `filled` told of that is not `acknowledged`."""
        return len(self._filled)

    def acknowledged(self, count: int) -> None:
        """The archive has the minutes of the first `count` of these."""
        self._late += self._filled[:count]
        del self._filled[:count]

    async def run(self) -> None:
        """For ever. A symbol whose live feed has not begun, as one that was delisted, holds up no other."""
        due = dict.fromkeys(self._pipeline.symbols, 0.0)
        while due:
            for symbol in [symbol for symbol, at in due.items() if at <= time.monotonic()]:
                if not self._has_begun(symbol):
                    continue
                if await self._whole(symbol):
                    del due[symbol]
                else:
                    due[symbol] = time.monotonic() + AGAIN_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.Event().wait()

    async def make_larger(self) -> None:
        """What was `acknowledged`. For ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            waiting, self._late = self._late, []
            self._late += [late for late in waiting if not await self._made(late)]

    def _has_begun(self, symbol: str) -> bool:
        known_from = self._pipeline.symbols[symbol].feed.known_from_ms
        if known_from is not None:
            self._ends.setdefault(symbol, grid(MINUTE).begin(known_from))
        return symbol in self._ends

    async def _whole(self, symbol: str) -> bool:
        """Whether nothing is missing any more."""
        try:
            span = await self._span(symbol)
            if span is None:
                return True
            feed = self._pipeline.symbols[symbol].feed
            filling = Filling(feed.instrument, span, self._settings.timeframes)
            fetched = await self._fetch(feed, span.to_ms)(filling)
        except (StoreUnavailable, InvalidData) as error:
            self._wait(f"{symbol}: its history waits", error)
            return False
        if fetched.missing:
            self._report(f"{symbol}: {fetched.missing:,} bars of its history are missing: {fetched.cause}")
        elif fetched.bars:
            self._report(f"{symbol}: {fetched.bars:,} bars of history were fetched; none is missing")
        return not fetched.missing

    async def _span(self, symbol: str) -> Interval | None:
        """None: nothing is wanted."""
        begin = self._settings.backfill_start_ms
        if begin is None:
            known = await self._ask(lambda archive: archive.coverage(symbol, MINUTE))
            begin = known[0].from_ms if known else None
        if begin is None:
            return None
        kept_ms = self._settings.candles_retention_ms
        if kept_ms is not None:
            begin = max(begin, self._pipeline.venue_ms(local_ns()) - kept_ms)
        return Interval(begin, self._ends[symbol]) if begin < self._ends[symbol] else None

    def _fetch(self, feed: SymbolFeed, end_ms: int) -> Fetch:
        async def after(page: Page) -> None:
            self._metrics.on_filled(feed.symbol, len(page.candles))
            for hole in page.request.missing:
                feed.backfilled(hole, page.candles, end_ms)

        return Fetch(
            self._ask,
            self._provider,
            self._rest,
            self._report,
            share=SHARE,
            advance=partial(self._advance, feed.symbol),
            after=after,
        )

    def _advance(self, symbol: str, now: Advance) -> None:
        at = time.monotonic()
        if now.done < now.total and at - self._told >= TOLD_SECONDS:
            self._told = at
            minutes = max(1, round(now.seconds / 60))
            self._report(f"{symbol}: {now.done:,} of {now.total:,} bars of history, {minutes} min to go")

    def _final_ms(self) -> int:
        """Bars that end by then are not amended by the feed itself any more."""
        now_ms = self._pipeline.venue_ms(local_ns())
        return now_ms - self._settings.grace_ms - self._settings.amend_ms

    async def _made(self, late: _Late) -> bool:
        """Whether all larger bars are made. Not where the archive does not know the minutes yet, or does not
        take the bars; nor while one is open: the live side may have the old minute in it."""
        until_ms, timeframes = self._final_ms(), self._settings.timeframes
        if until_ms < late.due_ms:
            return False
        late.looks += 1
        instrument = self._pipeline.symbols[late.symbol].feed.instrument

        def make(archive: Archive) -> bool:
            known = IntervalSet(archive.coverage(late.symbol, MINUTE))
            there = known.covered(late.interval.from_ms, late.interval.to_ms)
            if there or late.looks >= MOST_LOOKS:
                reaggregate(archive, instrument, timeframes, late.interval, until_ms=until_ms)
            return there or late.looks >= MOST_LOOKS

        try:
            if not await self._ask(make):
                return False
        except (StoreUnavailable, InvalidData) as error:
            self._wait(f"{late.symbol}: larger bars wait", error)
            return False
        larger = (timeframe for timeframe in timeframes if timeframe != MINUTE)
        ends = [window.to_ms for each in larger for window in windows(each, (late.interval,))]
        still_open = [end for end in ends if end > until_ms]
        if still_open:
            late.due_ms = min(still_open)
        return not still_open

    def _wait(self, what: str, error: BacktestError) -> None:
        """For a store, or for a person: live data go on."""
        self._metrics.on_storage_error(storage_cause(error))
        self._report(f"{what}: {error.message}")


@dataclass(slots=True)
class _Late:
    """due_ms: when the next larger bar of these minutes is final."""

    symbol: str
    interval: Interval
    due_ms: int = 0
    looks: int = 0
