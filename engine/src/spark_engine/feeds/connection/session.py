"""A connection that comes back for ever, and says at every moment what it is."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from websockets.exceptions import ConnectionClosed

from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.connection.budget import ConnectBudget
from spark_engine.feeds.connection.failures import address, ended, refused
from spark_engine.feeds.connection.socket import StampedSocket, open_socket
from spark_engine.feeds.connection.state import CloseReason, ConnectionState, Ending
from spark_engine.feeds.connection.stopping import unless_set
from spark_engine.feeds.provider import StreamProvider, Subscription


class Flow(Protocol):
    """Whether whoever gets the frames has room for more; `Handover` is one."""

    @property
    def full(self) -> bool: ...

    async def room(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Seconds. `silence`: without a frame of any kind the connection is given up; must be longer than the
    venue's own ping interval (BTCTurk 15 s). `ping`: how often we ping while pings are answered; one that
    stays unanswered is the last of its connection and does no harm. None: never."""

    user_agent: str = "spark-trading"
    open_seconds: float = 10.0
    close_seconds: float = 2.0  # for the venue to hang up after a close frame of either side
    silence: float = 30.0
    ping: float | None = 10.0
    tls: ssl.SSLContext | None = None  # None: the system's authorities


class Connection:
    """One WebSocket of one venue with its subscriptions. Use on one event loop; `run` once.

    Each message goes to `on_frame` as bytes (text or binary alike, UTF-8 unchecked: that is for the decoder,
    and one garbled frame ends no connection) with the `local_ns` of its receipt, in order, from the event
    loop; so `on_frame` must be quick. While `flow` is full no more is read. An exception of `on_frame` or
    `on_state` ends `run` with it. `url` None: the provider says it.
    """

    def __init__(
        self,
        provider: StreamProvider,
        subscriptions: Sequence[Subscription],
        *,
        on_frame: Callable[[bytes, int], None],
        on_state: Callable[[ConnectionState], None],
        budget: ConnectBudget,
        backoff: Backoff,
        url: str | None = None,
        flow: Flow | None = None,
        settings: ConnectionSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._provider = provider
        self._subscriptions = tuple(subscriptions)
        self._on_frame = on_frame
        self._on_state = on_state
        self._budget = budget
        self._backoff = backoff
        self._url = url if url is not None else provider.websocket_url(self._subscriptions)
        self._flow = flow
        self._settings = settings or ConnectionSettings()
        self._clock = clock
        self._sleep = sleep
        self._socket: StampedSocket | None = None
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._called = asyncio.Event()  # something for the watch to look at
        self._wanted: Ending | None = None  # why we were asked to reconnect
        self._leaving = asyncio.Event()  # no more waiting for room: what is left is handed over at once
        self._paused_since: float | None = None  # reading waits for room
        self._paused_here = 0.0

    def healthy(self) -> None:
        """Call for data that could be read: it is what resets the backoff, in time. Data that is read when
        its connection is over says nothing of the next one."""
        if self._socket is not None:
            self._backoff.healthy(self._clock())

    def resubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Leave and join again over the open connection; without one, joining everything comes anyway."""
        if self._socket is not None:
            self._post(self._provider.unsubscribe(subscriptions))
            self._post(self._provider.subscribe(subscriptions))

    def reconnect(self, reason: CloseReason, cause: str = "") -> None:
        """Give the open connection up and come back, within backoff and budget. None open: nothing to do."""
        if self._socket is not None and self._wanted is None:
            self._wanted = Ending(reason, cause or f"{address(self._url)}: we reconnect ({reason})")
            self._called.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Connects until `stop`. Before it returns all that was received is handed over; no task is left."""
        try:
            while not stop.is_set():
                await self._once(stop)
        finally:
            if self._socket is not None:  # cancelled in between
                self._socket.transport.abort()
                self._socket = None
        self._say("closed", CloseReason.REQUESTED, cause="stopped")

    async def _once(self, stop: asyncio.Event) -> None:
        """One attempt with all that follows, and the wait after it."""
        if not await self._admitted(stop):
            return
        try:
            self._say("connecting")
            failure = await unless_set(stop, self._connect())
        finally:
            self._budget.end(self._clock())
        if self._socket is not None:
            ending = await self._serve(self._socket, stop)
            if ending is not None:
                await self._stay_away("closed", ending, stop)
        elif failure is not None:
            await self._stay_away("refused", failure, stop)

    async def _admitted(self, stop: asyncio.Event) -> bool:
        """Whether the budget let us start; only `stop` makes it a no."""
        while not stop.is_set() and (wait := self._budget.wait(self._clock())) > 0:
            self._say("connecting", retry_in=wait, cause="the budget of connections is used up for now")
            await unless_set(stop, self._slept(wait))
        if stop.is_set():
            return False
        self._budget.start(self._clock())
        return True

    async def _connect(self) -> Ending | None:
        """Leaves the socket in `_socket`, so that even a cancelled attempt leaves none behind."""
        try:
            self._socket = await open_socket(
                self._url,
                user_agent=self._settings.user_agent,
                open_seconds=self._settings.open_seconds,
                close_seconds=self._settings.close_seconds,
                tls=self._settings.tls,
            )
        except Exception as error:  # whatever a handshake may end with, the next attempt comes
            return refused(error, self._url)
        return None

    async def _stay_away(
        self, kind: Literal["closed", "refused"], ending: Ending, stop: asyncio.Event
    ) -> None:
        delay = self._backoff.delay(floor=ending.floor)
        self._say(kind, ending.reason, retry_in=delay, cause=ending.cause)
        await unless_set(stop, self._slept(delay))

    async def _serve(self, socket: StampedSocket, stop: asyncio.Event) -> Ending | None:
        """Until the open connection is over; None: because of `stop`."""
        self._outbox = asyncio.Queue()
        self._called.clear()
        self._wanted = None
        self._leaving.clear()
        self._paused_here = 0.0
        self._post(self._provider.subscribe(self._subscriptions))
        receiving = asyncio.create_task(self._receive(socket), name="feed: receive")
        sending = asyncio.create_task(self._send(socket), name="feed: send")
        try:
            self._say("open")
            ending = await self._watch(socket, receiving, stop)
            self._leaving.set()
            if not receiving.done() and (ending is None or ending.reason is not CloseReason.STALLED):
                await self._take_leave(socket)
        finally:
            self._leaving.set()
            self._socket = None
            socket.transport.abort()
            sending.cancel()
            await asyncio.gather(receiving, sending, return_exceptions=True)
        receiving.result()  # what on_frame raised is the caller's to hear
        return ending

    async def _watch(
        self, socket: StampedSocket, receiving: asyncio.Task[Ending], stop: asyncio.Event
    ) -> Ending | None:
        stopping = asyncio.create_task(stop.wait(), name="feed: stop")
        calling = asyncio.create_task(self._called.wait(), name="feed: call")
        silence = self._settings.silence
        try:
            while True:
                reading = self._paused_since is None
                left = max(silence - socket.quiet_seconds, 0.0) if reading else silence
                await asyncio.wait(
                    {receiving, stopping, calling}, timeout=left, return_when=asyncio.FIRST_COMPLETED
                )
                if receiving.done():
                    return receiving.result()
                if stop.is_set():
                    return None
                if self._wanted is not None:
                    return self._wanted
                if self._paused_since is None and socket.quiet_seconds >= silence:
                    cause = f"{address(self._url)}: not a single frame for {silence:g} s"
                    return Ending(CloseReason.STALLED, cause)
        finally:
            stopping.cancel()
            calling.cancel()
            await asyncio.gather(stopping, calling, return_exceptions=True)

    async def _receive(self, socket: StampedSocket) -> Ending:
        """Hands over until the connection is over and nothing is left of it."""
        flow = self._flow
        while True:
            try:
                frame = await socket.recv(decode=False)
            except ConnectionClosed as error:
                return self._with_pause(ended(error, self._url))
            self._on_frame(frame, socket.stamps.popleft())
            if flow is not None and flow.full and not self._leaving.is_set():
                await self._pause(socket, flow)

    async def _pause(self, socket: StampedSocket, flow: Flow) -> None:
        self._paused_since = self._clock()
        socket.transport.pause_reading()
        try:
            await unless_set(self._leaving, flow.room())
        finally:
            self._paused_here += self._clock() - self._paused_since
            self._paused_since = None
            socket.forgive_silence()
            socket.transport.resume_reading()

    def _with_pause(self, ending: Ending) -> Ending:
        """While we do not read we answer no ping, and a venue closes a connection whose pings it misses."""
        if self._paused_here == 0:
            return ending
        late = f"; the consumer was slow: reading had been paused for {self._paused_here:.1f} s of it"
        return Ending(ending.reason, ending.cause + late, ending.floor)

    async def _send(self, socket: StampedSocket) -> None:
        """Frames of the outbox; between them pings, the next only once the last was answered."""
        pong: Awaitable[float] | None = None
        try:
            while True:
                try:
                    async with asyncio.timeout(self._settings.ping):
                        frame = await self._outbox.get()
                except TimeoutError:
                    if pong is None or (isinstance(pong, asyncio.Future) and pong.done()):
                        pong = await socket.ping()
                else:
                    await socket.send(frame)
        except ConnectionClosed:
            return  # the receiver says how

    async def _take_leave(self, socket: StampedSocket) -> None:
        """Close politely; what the venue had sent before it heard of it is still received."""
        try:
            async with asyncio.timeout(
                2 * self._settings.close_seconds
            ):  # a peer that reads nothing blocks even this
                await socket.close()
        except TimeoutError:
            return

    def _post(self, frames: Sequence[str]) -> None:
        for frame in frames:
            self._outbox.put_nowait(frame)

    async def _slept(self, seconds: float) -> None:
        await self._sleep(seconds)

    def _say(
        self,
        kind: Literal["connecting", "open", "closed", "refused"],
        reason: CloseReason | None = None,
        *,
        retry_in: float | None = None,
        cause: str = "",
    ) -> None:
        attempt = self._backoff.attempt + (1 if kind == "connecting" else 0)
        self._on_state(ConnectionState(kind, time.time_ns(), attempt, reason, retry_in, cause))
