"""A venue's history of some symbols into an archive, once, without a feed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

from spark_engine.data.stamps import EPOCH, MILLISECOND
from spark_engine.errors import InvalidSpec, StoreUnavailable
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.backfill.fetch import Advance, Fetch, Fetched
from spark_engine.feeds.backfill.filling import Filling, Page
from spark_engine.feeds.market import Instrument, Interval
from spark_engine.feeds.provider import Request, StreamProvider
from spark_engine.feeds.providers.registry import stream_provider
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.rest.errors import EventKind, RestError
from spark_engine.feeds.run.worker import Worker
from spark_engine.feeds.settings import FeedSettings
from spark_engine.version import __version__

T = TypeVar("T")
USER_AGENT: Final = f"spark-trading/{__version__}"
SETTLED_MS: Final = 5_000  # the venue needs a moment to have a bar in its history
TOLD_SECONDS: Final = 1.0  # longer waits are said
FLUSH_BARS: Final = 15_000  # in the journal, which each page reads
WAITS: Final[Mapping[str, str]] = {
    "limited": "the venue refuses more requests for now",
    "waited": "the venue's limit of requests is used up",
    "retried": "the venue does not answer",
}


class Watch(Protocol):
    def begin(self, symbol: str) -> None: ...

    def advance(self, now: Advance) -> None: ...

    def say(self, text: str) -> None:
        """What a person should know, a line each."""


async def fetch_history(
    settings: FeedSettings, start_ms: int, end_ms: int | None, journal: Path, watch: Watch
) -> dict[str, Fetched]:
    """What was fetched of each symbol, in [start_ms, end_ms), at most to the venue's present.

    Raises `InvalidSpec` for a provider or a symbol that there is not, `StoreUnavailable` where the venue
    cannot be asked at all, and as `Archive.open`. Whatever it raises, pages that came are in the archive.
    """
    provider = stream_provider(settings.provider, settings.endpoints)
    waits = _Waits(watch.say)
    rest = RestClient(user_agent=USER_AGENT, sleep=waits.sleep, on_event=waits.event)
    try:
        instruments = await _instruments(settings, provider, rest)
        now_ms = await _asked(rest, provider.server_time(), f"the time of {provider.name}")
        span = Interval(start_ms, min(now_ms - SETTLED_MS, now_ms if end_ms is None else end_ms))
        return await _into_archive(settings, instruments, span, provider, rest, journal, watch)
    finally:
        await rest.close()


async def _into_archive(
    settings: FeedSettings,
    instruments: list[Instrument],
    span: Interval,
    provider: StreamProvider,
    rest: RestClient,
    journal: Path,
    watch: Watch,
) -> dict[str, Fetched]:
    worker = Worker("archive")
    opening = partial(
        Archive.open,
        settings.archive_uri,
        venue=settings.provider,
        journal=journal,
        writer=settings.name,
        timeframes=settings.timeframes,
    )
    try:
        archive = await worker(opening)
        try:
            fetch = Fetch(
                lambda question: worker(lambda: question(archive)),
                provider,
                rest,
                watch.say,
                advance=watch.advance,
                after=_Flushing(worker, archive),
            )
            fetched: dict[str, Fetched] = {}
            for instrument in instruments:
                watch.begin(instrument.symbol)
                fetched[instrument.symbol] = await fetch(Filling(instrument, span, settings.timeframes))
            return fetched
        finally:
            await worker(archive.close)
    finally:
        worker.close()


async def _instruments(
    settings: FeedSettings, provider: StreamProvider, rest: RestClient
) -> list[Instrument]:
    listed = await _asked(rest, provider.instruments(), f"the symbols of {provider.name}")
    for symbol in settings.symbols:
        if symbol not in listed:
            near = get_close_matches(symbol, listed, n=3, cutoff=0.6)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise InvalidSpec(f"{provider.name} does not trade {symbol}{hint}", field="spec.symbols")
    provider.use({symbol: listed[symbol] for symbol in settings.symbols})
    return [listed[symbol] for symbol in settings.symbols]


async def _asked(rest: RestClient, request: Request[T], what: str) -> T:
    try:
        return (await rest.get(request)).value
    except RestError as error:
        raise StoreUnavailable(f"{what} are not to be had: {error}") from None


class _Flushing:
    """Files now and then, so that the journal stays short."""

    def __init__(self, worker: Worker, archive: Archive) -> None:
        self._worker = worker
        self._archive = archive
        self._bars = 0

    async def __call__(self, page: Page) -> None:
        self._bars += page.bars
        if self._bars >= FLUSH_BARS:
            self._bars = 0
            await self._worker(self._archive.flush)


class _Waits:
    """Says until when the client waits, and why."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._why = ""

    def event(self, kind: EventKind) -> None:
        if kind in WAITS:  # what came first is the cause of the rest, until there is an answer
            self._why = self._why or WAITS[kind]
        elif kind in ("answered", "unavailable", "refused", "malformed"):
            self._why = ""

    async def sleep(self, seconds: float) -> None:
        if seconds >= TOLD_SECONDS:
            until = EPOCH + MILLISECOND * round((time.time() + seconds) * 1000)
            self._say(f"{self._why}: waiting until {until:%H:%M:%S} UTC")
        await asyncio.sleep(seconds)
