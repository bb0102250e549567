"""A feed of a venue that publishes files, whole: it looks, takes what is new, and archives it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from spark_engine.errors import BacktestError, StoreUnavailable
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.store import put_verified
from spark_engine.feeds.archive.stores import open_store
from spark_engine.feeds.connection.stopping import unless_set
from spark_engine.feeds.connection.subscriptions import Stage
from spark_engine.feeds.market import Candle, Interval, TimeMs
from spark_engine.feeds.providers.bist.actions import CorporateActions
from spark_engine.feeds.providers.bist.due import missing_sessions, overdue
from spark_engine.feeds.providers.bist_files import BistFiles, Delivery, FileReport, Poll
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.rest.errors import RestError
from spark_engine.feeds.run.aside import Aside
from spark_engine.feeds.run.keeper import Keeper, storage_cause
from spark_engine.feeds.run.serving import USER_AGENT, served
from spark_engine.feeds.serve.health import FeedHealth, SymbolHealth
from spark_engine.feeds.serve.metrics import FeedMetrics
from spark_engine.feeds.settings import FeedSettings

POLL_SECONDS: Final = 30.0
RETRY_SECONDS: Final = 2.0
LONGEST_LOOK_MS: Final = 600_000  # many files take minutes
NAMED_MOST: Final = 10


class FilesFeed:
    """`listening` serves health from the first moment on; the drop and the archive may be away for long.

    `report` is told, in a line each, what a person should know. `wall`: ms UTC.
    """

    def __init__(
        self,
        settings: FeedSettings,
        *,
        journal: Path,
        listening: socket.socket,
        report: Callable[[str], None],
        poll_seconds: float = POLL_SECONDS,
        wall: Callable[[], TimeMs] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Raises `InvalidSpec` for endpoints that are not to be had."""
        self.settings = settings
        self.metrics = FeedMetrics(settings.provider, settings.symbols)
        self._rest = RestClient(user_agent=USER_AGENT, on_event=self.metrics.on_rest)
        self._provider = BistFiles(settings, self._rest)
        self._listening = listening
        self._report = report
        self._poll_seconds = poll_seconds
        self._wall = wall
        self._keeper = Keeper(settings, journal, self.metrics, report)
        self._aside = Aside("files")
        self._held: dict[tuple[str, str], tuple[TimeMs | None, tuple[Interval, ...]]] = {}
        self._bad: Mapping[str, str] = {}
        self._up = False
        self._problem: str | None = "the files were not looked at yet"
        self._failure: str | None = None
        self._taken_ms: TimeMs | None = None
        self._looking_since: float | None = None

    @property
    def health(self) -> FeedHealth:
        """Values of this moment. `ws_up`: the last look at the drop succeeded."""
        now_ms = self._wall()
        symbols = tuple(self._symbol(symbol, now_ms) for symbol in self.settings.symbols)
        late = self._late(now_ms)
        last = [each.last_tick_ms for each in symbols if each.last_tick_ms is not None]
        return FeedHealth(
            feed=self.settings.name,
            provider=self.settings.provider,
            ws_up=self._up,
            fresh=self._up and not late and self._keeper.error is None,
            last_tick_ms=max(last, default=None),
            last_message_age_ms=None if self._taken_ms is None else max(0, now_ms - self._taken_ms),
            gaps=sum(each.gaps for each in symbols),
            symbols=symbols,
            archive=self._keeper.health,
            storage_error=self._keeper.error,
            problem=self._problem or "; ".join(late) or None,
            quarantined=tuple(sorted(self._bad.items())),
            failure=self._failure,
            heartbeat_age_ms=self._stuck_ms(),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then everything taken is archived. Raises `BacktestError` where no feed can be."""
        await served(self, self._feed, self._close, self._listening, stop)

    async def _close(self) -> None:
        await self._aside.close(self._rest.close())
        await self._keeper.close()

    def failed(self, failure: str) -> None:
        """Told by what serves it."""
        self._failure = failure

    async def _feed(self, leaving: asyncio.Event) -> None:
        if not await unless_set(leaving, self._prepared()):
            return
        tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(self._watch(leaving), name="feed: look"),
            asyncio.create_task(self._flush(), name="feed: flush"),
            asyncio.create_task(self._keeper.maintain(), name="feed: upkeep"),
        ]
        stopping = asyncio.create_task(leaving.wait())
        try:
            await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for each in (stopping, *tasks):
                each.cancel()
            await asyncio.gather(stopping, *tasks, return_exceptions=True)

    async def _prepared(self) -> bool:
        await self._keeper.open()
        await self._remember()
        return True

    async def _watch(self, leaving: asyncio.Event) -> None:
        while not leaving.is_set():
            more = await self._look()
            if not more:
                await unless_set(leaving, asyncio.sleep(self._poll_seconds))

    async def _look(self) -> bool:
        """One look, and what it gave in the archive. Whether there is more to be had at once."""
        archive = await self._keeper.ask(lambda archive: archive)
        self._looking_since = time.monotonic()
        try:
            polled = await self._aside(self._provider.poll(self._wall(), self._known(archive)))
        except (BacktestError, RestError) as error:
            self._up = False
            self._problem = error.message if isinstance(error, BacktestError) else str(error)
            self._report(f"the files cannot be looked at: {error}")
            return False
        finally:
            self._looking_since = None
        self._up = True
        self._problem = None
        self._tell(polled.files)
        await self._archive(polled)
        return polled.more

    def _known(self, archive: Archive) -> Callable[[str, str, TimeMs, TimeMs], Mapping[TimeMs, Candle]]:
        def known(symbol: str, timeframe: str, from_ms: TimeMs, to_ms: TimeMs) -> Mapping[TimeMs, Candle]:
            return {bar.ts_ms: bar for bar in archive.candles(symbol, timeframe, from_ms, to_ms)}

        return known

    def _tell(self, files: Sequence[FileReport]) -> None:
        told = (*self._provider.quarantined, *files)
        bad = {_shown(file.name): _shown(file.reason) for file in told if _is_bad(file)}
        for name, reason in bad.items():
            if self._bad.get(name) != reason:
                self.metrics.on_malformed("file")
                self._report(f"{name} is quarantined, nothing of it is taken: {reason}")
        self._bad = bad
        for file in files:
            if file.outcome == "ignored":
                self._report(f"{file.name} is ignored: {file.reason}")
            for symbol, findings in (file.findings or {}).items():
                left_out = len(findings.no_session) + findings.empty_rows
                if left_out:
                    self._report(f"{file.name}: {left_out} rows of {symbol} left out, of no session or empty")

    async def _archive(self, polled: Poll) -> None:
        """Acknowledged, and then not read again. Tries for ever."""
        pieces: Sequence[Delivery] = polled.deliveries
        while not await self._keeper.keep(pieces):
            pieces = ()  # it holds them
            await asyncio.sleep(RETRY_SECONDS)
        while not await self._put(polled.actions):
            await asyncio.sleep(RETRY_SECONDS)
        self._provider.acknowledge(polled)
        if any(file.outcome == "taken" for file in polled.files):
            self._taken_ms = self._wall()
        for delivery in polled.deliveries:
            changes = delivery.changes
            if changes.candles:
                series = f"{delivery.instrument.symbol} {delivery.timeframe}"
                self._report(f"{series}: {changes.new} new bars, {changes.revised} revised")
        if polled.deliveries:
            await self._remember()
            await self._keeper.flush()

    async def _put(self, actions: Sequence[CorporateActions]) -> bool:
        """Beside the series, for `spec.data.adjustmentUri` of a run. False where the store is away."""
        uri = self.settings.archive_uri
        try:
            for part in actions:
                name = f"{self.settings.provider}/{part.path}"
                await asyncio.to_thread(_put_new, uri, name, part.content)
                self._report(f"{part.symbol}: {part.rows} corporate actions are in {uri.rstrip('/')}/{name}")
        except StoreUnavailable as error:
            self.metrics.on_storage_error(storage_cause(error))
            self._report(str(error))
            self._problem = error.message
            return False
        self._problem = None
        return True

    async def _remember(self) -> None:
        """What the archive has of each series: the last bar, and the sessions."""
        for symbol in self.settings.symbols:
            for timeframe in self.settings.timeframes:
                bars, covered = await self._keeper.insist(
                    lambda archive, symbol=symbol, timeframe=timeframe: (  # type: ignore[misc]
                        archive.last_candles(symbol, timeframe, 1),
                        archive.coverage(symbol, timeframe),
                    )
                )
                self._held[symbol, timeframe] = (bars[-1].ts_ms if bars else None), covered

    async def _flush(self) -> None:
        period = self.settings.flush_ms / 1000
        while True:
            await asyncio.sleep(period - time.time() % period)
            await self._keeper.flush()

    def _symbol(self, symbol: str, now_ms: TimeMs) -> SymbolHealth:
        held = [self._held.get((symbol, timeframe), (None, ())) for timeframe in self.settings.timeframes]
        last = [ts for ts, _covered in held if ts is not None]
        ends = [covered[-1].to_ms for _ts, covered in held if covered]
        late = any(self._overdue(symbol, timeframe, now_ms) for timeframe in self.settings.timeframes)
        stage = Stage.LIVE if not late else Stage.SILENT if last else Stage.REQUESTED
        return SymbolHealth(
            symbol=symbol,
            state=stage,
            last_tick_ms=max(last, default=None),
            covered_to_ms=min(ends) if len(ends) == len(held) else None,
            gaps=sum(missing_sessions(self._provider.calendar, covered) for _ts, covered in held),
        )

    def _late(self, now_ms: TimeMs) -> list[str]:
        """Sessions whose files are overdue, in words, with the symbols."""
        late: dict[tuple[str, TimeMs], list[str]] = {}
        for symbol in self.settings.symbols:
            for timeframe in self.settings.timeframes:
                date = self._overdue(symbol, timeframe, now_ms)
                if date is not None:
                    late.setdefault((timeframe, date), []).append(symbol)
        return [
            f"bars of {timeframe} of the session {_iso_date(date)} are overdue: {_listed(symbols)}"
            for (timeframe, date), symbols in sorted(late.items())
        ]

    def _overdue(self, symbol: str, timeframe: str, now_ms: TimeMs) -> TimeMs | None:
        _ts, covered = self._held.get((symbol, timeframe), (None, ()))
        return overdue(self._provider.calendar, timeframe, covered, now_ms, self.settings.stale_after_ms)

    def _stuck_ms(self) -> int:
        """How much longer than ever a look has taken."""
        if self._looking_since is None:
            return 0
        return max(0, round((time.monotonic() - self._looking_since) * 1000) - LONGEST_LOOK_MS)


def _is_bad(file: FileReport) -> bool:
    return file.outcome == "quarantined"


def _shown(text: str) -> str:
    """Names of files may be no UTF-8, which all that tells of them must be."""
    return text.encode("utf-8", "backslashreplace").decode()


def _put_new(uri: str, name: str, content: bytes) -> None:
    put_verified(open_store(uri), name, content)


def _iso_date(ms: TimeMs) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED_MOST
    return ", ".join(names[:NAMED_MOST]) + (f" and {more} more" if more > 0 else "")
