"""The fake exchange: its clock, its market and its two ports."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tests.exchange import frames, limits
from tests.exchange.book import Book, Delta, spelt_levels
from tests.exchange.chance import seeded
from tests.exchange.clock import MILLISECOND, Clock
from tests.exchange.faults.base import Fault, FaultRecord, begin
from tests.exchange.frames import Message
from tests.exchange.hooks import Hooks
from tests.exchange.http_server import HttpServer
from tests.exchange.ledger import Ledger, Trade
from tests.exchange.limits import Limiter
from tests.exchange.listings import Listing, catalogue, units
from tests.exchange.market import MINUTE, PairMarket
from tests.exchange.options import Options
from tests.exchange.rest import RestSide
from tests.exchange.sockets import Session, Subscription, WebSocketSide
from tests.exchange.ticker import Ticker

if TYPE_CHECKING:
    from tests.exchange.script import Script

SYMBOLS = ("BTCTRY", "ETHTRY", "BTCUSDT", "ETHUSDT", "ADATRY")
_JUMP_MS = 2000  # a clock that jumps further than this does not bring the trades of the time between


class FakeExchange:
    """BTCTurk spot on loopback, from `async with` on. Other arguments: `options.Options`."""

    def __init__(
        self, symbols: Iterable[str] = SYMBOLS, seed: object = 1, clock: Clock | None = None, **options: Any
    ) -> None:
        self.options = Options(**options)
        self.seed = seed
        self.clock = clock or Clock()
        self.ledger = Ledger()
        self.hooks = Hooks()
        self.faults_log: list[FaultRecord] = []
        self.listings: Mapping[str, Listing] = catalogue(tuple(symbols))
        self.tickers = {symbol: Ticker(listing) for symbol, listing in self.listings.items()}
        self.halted: Counter[str] = Counter()  # pairs in which nothing trades
        self.statuses: dict[str, str] = {}  # of pairs that are not TRADING: they give no data at all
        self._markets = {symbol: self._market(listing) for symbol, listing in self.listings.items()}
        self._books: dict[str, Book] = {}
        self._skips = seeded("ids", seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._errors: list[BaseException] = []
        connections = Limiter(limits.CONNECTIONS, self.options.period_scale)
        self.sockets = WebSocketSide(self.options, self.hooks, connections, self._snapshot)
        self.rest = RestSide(self)
        host, port = self.options.host, self.options.rest_port
        self.http = HttpServer(self.rest.answer, host, port, lambda: self.clock.now_ms() / 1000)

    async def __aenter__(self) -> FakeExchange:
        self._make_history()
        await self.sockets.listen()
        await self.http.listen()
        self.run(_every(self.options.ticker_seconds, self.publish_tickers))
        self.run(_every(self.options.book_seconds, self.publish_books))
        if self.options.live and not self.clock.manual:
            self.run(self._trade_as_time_goes())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.sockets.close()
        self.http.close()
        await asyncio.sleep(0)
        if self._errors and error is None:
            raise BaseExceptionGroup("the fake exchange itself failed", self._errors)

    @property
    def websocket_url(self) -> str:
        return f"ws://{self.options.host}:{self.sockets.port}/"

    @property
    def rest_url(self) -> str:
        """Of api.btcturk.com and graph-api.btcturk.com alike."""
        return f"http://{self.options.host}:{self.http.port}"

    @property
    def sessions(self) -> tuple[Session, ...]:
        return tuple(sorted(self.sockets.sessions, key=lambda session: session.number))

    def active(self) -> list[Listing]:
        return [listing for symbol, listing in self.listings.items() if symbol not in self.statuses]

    async def trade(
        self,
        symbol: str,
        price: str | Decimal | None = None,
        amount: str | Decimal = "0.01",
        side: int = 1,
        *,
        at_ms: int | None = None,
    ) -> Trade:
        """Makes one trade and sends it. By default at the last price and at this moment."""
        if symbol in self.statuses or self.halted[symbol]:
            raise ValueError(f"{symbol} does not trade now")
        last = self.tickers[symbol].last if price is None else units(price)
        made = self._make(symbol, last, units(amount), side, self.clock.now_ms() if at_ms is None else at_ms)
        await asyncio.sleep(0)
        return made

    async def advance(self, seconds: float) -> list[Trade]:
        """Moves a manual clock on, with the trades that the market makes in that time."""
        end_ns = self.clock.now_ns() + round(seconds * 1e9)
        made = []
        for time_ms, symbol in iter(lambda: self._next_due(), None):
            if time_ms > end_ns // MILLISECOND:
                break
            self.clock.advance_to(time_ms * MILLISECOND)
            made += self._take(symbol, time_ms, stamp=None)
            await asyncio.sleep(0)
        self.clock.advance_to(end_ns)
        return made

    async def inject(self, fault: Fault) -> FaultRecord:
        """Returns when the fault has begun; `await record.ended()` waits for its end."""
        record = FaultRecord(fault, self.clock.now_ms(), time.time_ns())
        self.faults_log.append(record)
        self.run(await begin(self, fault, record))
        return record

    async def play(self, script: Script) -> list[FaultRecord]:
        """Injects the script's faults, each some time after the one before; returns when all have ended."""
        records = []
        for step in script:
            await asyncio.sleep(step.after_seconds)
            records.append(await self.inject(step.fault))
        for record in records:
            await record.ended()
        return records

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """In the background, until the exchange closes; an error in it is raised then."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._errors.append(error)

    def publish(self, message: Message) -> None:
        """To everyone who joined the message's channel and event."""
        for session in self.sessions:
            subscription = session.subscriptions.get((message.channel, message.event))
            if subscription is not None and subscription.live:
                session.send(message)

    def publish_tickers(self) -> None:
        """402 and 401 for everyone, changed or not."""
        wanted = {key for session in self.sessions for key in session.subscriptions if key[0] == "ticker"}
        for _, event in sorted(wanted):
            if event == "all":
                self.publish(self.ticker_all())
            elif event in self.tickers and event not in self.statuses:
                self.publish(frames.ticker(self.tickers[event].strings()))

    def ticker_all(self) -> Message:
        return frames.ticker_all(self.tickers[listing.symbol].strings() for listing in self.active())

    def publish_books(self) -> None:
        """What changed since the last time: 432 on obdiff, the whole book on orderbook."""
        wanted = {
            event
            for session in self.sessions
            for (channel, event), subscription in session.subscriptions.items()
            if channel in ("obdiff", "orderbook") and subscription.live
        }
        for symbol in sorted(wanted - self.statuses.keys()):
            delta = self.book(symbol).move(self.tickers[symbol].quote())
            if delta:
                self._send_book(symbol, delta)

    def book(self, symbol: str) -> Book:
        """As last published."""
        if symbol not in self._books:
            quote = self.tickers[symbol].quote()
            self._books[symbol] = Book(self.listings[symbol], self.seed, quote)
        return self._books[symbol]

    def _send_book(self, symbol: str, delta: Delta) -> None:
        for session in self.sessions:
            changes = session.subscriptions.get(("obdiff", symbol))
            if changes is not None and changes.live:
                changes.sequence += 1
                session.send(frames.book_delta(symbol, changes.sequence, delta))
            whole = session.subscriptions.get(("orderbook", symbol))
            if whole is not None and whole.live:
                whole.sequence += 1
                session.send(self._whole_book("orderbook", symbol, whole))

    def _whole_book(self, channel: str, symbol: str, subscription: Subscription) -> Message:
        book = self.book(symbol)
        asks, bids = spelt_levels(book.asks()), spelt_levels(book.bids())
        return frames.book(channel, symbol, subscription.sequence, asks, bids)

    def _snapshot(self, session: Session, channel: str, event: str) -> bool:
        """What a join begins with; whether anything will ever come of it."""
        if (channel, event) == ("ticker", "all"):
            return True
        if event not in self.listings or event in self.statuses:
            return False
        if channel == "trade":
            latest = self.ledger.latest(event, 50)
            session.send(frames.trade_list(event, latest if self.options.newest_first else latest[::-1]))
        elif channel in ("obdiff", "orderbook"):
            session.send(self._whole_book(channel, event, session.subscriptions[channel, event]))
        return channel in ("ticker", "trade", "obdiff", "orderbook")

    def _market(self, listing: Listing) -> PairMarket:
        activity = self.options.activity
        rate = self.options.rates.get(listing.symbol, activity.per_minute)
        return PairMarket(listing, self.seed, replace(activity, per_minute=rate))

    def _make_history(self) -> None:
        now_ms = self.clock.now_ms()
        for market in self._markets.values():
            market.begin(now_ms - self.options.history_minutes * MINUTE)
        if self.options.history_minutes:
            for time_ms, symbol in iter(lambda: self._next_due(), None):
                if time_ms > now_ms:
                    break
                self._take(symbol, time_ms, stamp=None)

    def _next_due(self) -> tuple[int, str]:
        return min((market.due_ms(), symbol) for symbol, market in self._markets.items())

    def _take(self, symbol: str, until_ms: int, stamp: int | None) -> list[Trade]:
        """Makes what is due; `stamp` is the time of all of them, else each has its own."""
        drafts = self._markets[symbol].take(until_ms)
        if self.halted[symbol] or symbol in self.statuses:
            return []
        return [
            self._make(symbol, draft.price, draft.amount, draft.side, stamp or draft.time_ms)
            for draft in drafts
        ]

    def _make(self, symbol: str, price: int, amount: int, side: int, time_ms: int) -> Trade:
        for stamp in tuple(self.hooks.stamps):
            time_ms = stamp(symbol, time_ms)
        made = self.ledger.record(symbol, time_ms, price, amount, side, self._skips.choice((1, 1, 1, 2, 7)))
        self.tickers[symbol].add(price, amount)
        if self.sockets.sessions:
            self.publish(frames.trade(made))
        return made

    async def _trade_as_time_goes(self) -> None:
        """Trades carry the moment at which they are sent: lag that a test sees is its own."""
        before_ms = self.clock.now_ms()
        while True:
            now_ms = self.clock.now_ms()
            if not 0 <= now_ms - before_ms <= _JUMP_MS:
                for market in self._markets.values():
                    market.begin(now_ms)
            before_ms = now_ms
            due_ms, symbol = self._next_due()
            if due_ms <= now_ms:
                self._take(symbol, now_ms, stamp=now_ms)
            await asyncio.sleep(min(max(due_ms - now_ms, 0) / 1000, 0.05))


async def _every(seconds: float, work: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        work()
