"""Fetches exactly the history that is missing. Each page is safe before the next is asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.backfill.filling import Filling, Page
from spark_engine.feeds.backfill.plan import HistoryRequest, Order, seconds_needed
from spark_engine.feeds.provider import StreamProvider
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.rest.errors import RestError

T = TypeVar("T")
FAILURES_IN_A_ROW: Final = 3  # then the venue is away, not a page
ROUNDS: Final = 2  # a page that failed is asked for once more, after all others


class Ask(Protocol):
    """Calls with the archive, where that may wait for a disk."""

    def __call__(self, question: Callable[[Archive], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class Advance:
    """Bars of the base, done and in all; the seconds that the rest takes at least under the limit."""

    done: int
    total: int
    seconds: float


@dataclass(slots=True)
class Fetched:
    """bars: time that was missing and is known now, in bars. candles: those that the venue had in it.
    larger: made of times that were there. missing: bars that could not be had, the last `cause` why."""

    bars: int = 0
    candles: int = 0
    larger: int = 0
    requests: int = 0
    disagreements: int = 0
    missing: int = 0
    cause: RestError | None = None


async def _nothing(_page: Page) -> None:
    """Nobody listens."""


@dataclass(slots=True)
class Fetch:
    """`share` of the venue's limit may be used. `after`: awaited when a page is in the archive.

    `report` is told, in a line each, what failed.
    """

    ask: Ask
    provider: StreamProvider
    rest: RestClient
    report: Callable[[str], None]
    share: float = 1.0
    order: Order = "newest"
    advance: Callable[[Advance], None] = lambda _: None
    after: Callable[[Page], Awaitable[None]] = _nothing
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep
    _spent: list[float] = field(default_factory=list)

    async def __call__(self, filling: Filling) -> Fetched:
        """All that is missing of one symbol. A page that fails, or is malformed, is left for a later run;
        where several do in a row, so are all others.

        Waits for the venue's limits however long. Raises as `Archive.append`; what was fetched until then,
        or until it is cancelled, is in the archive.
        """
        fetched = Fetched()
        for owed in await self.ask(filling.owed):
            fetched.larger += await self.ask(partial(filling.make, span=owed))
        plan = await self.ask(lambda _: filling.plan(self.provider.history_bars_most, self.order))
        fetched.missing = plan.bars
        waiting = list(plan.requests)
        self._tell(fetched, plan.bars, len(waiting), filling)
        for _ in range(ROUNDS):
            waiting = await self._round(filling, waiting, fetched, plan.bars)
        fetched.larger += await self.ask(filling.end)
        return fetched

    async def _round(
        self, filling: Filling, requests: list[HistoryRequest], fetched: Fetched, total: int
    ) -> list[HistoryRequest]:
        """Those that failed."""
        failed: list[HistoryRequest] = []
        in_a_row = 0
        for number, request in enumerate(requests, 1):
            if in_a_row >= FAILURES_IN_A_ROW:
                return failed + requests[number - 1 :]
            if not await self._page(filling, request, fetched):
                failed.append(request)
                in_a_row += 1
                continue
            in_a_row = 0
            self._tell(fetched, total, len(requests) - number + len(failed), filling)
        return failed

    async def _page(self, filling: Filling, request: HistoryRequest, fetched: Fetched) -> bool:
        symbol, span = filling.instrument.symbol, request.span
        asked = self.provider.history(symbol, filling.base, span.from_ms, span.to_ms)
        begun = self.clock()
        fetched.requests += 1
        try:
            answer = await self.rest.get(asked)
        except RestError as error:
            fetched.cause = error
            self.report(f"{symbol}: a page of history is not to be had: {error}")
            return False
        self._spent.append(self.clock() - begun)
        page = await self.ask(lambda archive: filling.take(archive, request, answer.value.candles))
        fetched.bars += page.bars
        fetched.candles += len(page.candles)
        fetched.missing -= page.bars
        fetched.disagreements += page.disagreements
        await self.after(page)
        if self.share < 1.0:
            await self.sleep(asked.limit.seconds / asked.limit.requests / self.share)
        return True

    def _tell(self, fetched: Fetched, total: int, left: int, filling: Filling) -> None:
        limit = self.provider.history(filling.instrument.symbol, filling.base, 0, 1).limit
        recent = sorted(self._spent[-9:])
        round_trip = recent[len(recent) // 2] if recent else 0.0
        seconds = seconds_needed(left, limit, round_trip=round_trip, share=self.share)
        self.advance(Advance(total - fetched.missing, total, seconds))
