"""The WebSocket side: sessions, joins and the protocol's own pings."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

from tests.exchange import frames
from tests.exchange.frames import Message
from tests.exchange.hooks import Hooks
from tests.exchange.limits import Limiter
from tests.exchange.listening import Port
from tests.exchange.options import Options

Channel = tuple[str, str]  # (channel, event)

_LOGGER = logging.getLogger("tests.exchange.sockets")
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False  # clients that break off are the rule here


@dataclass
class Subscription:
    """`sequence` is the CS of the last book frame on it."""

    sequence: int
    live: bool


@dataclass(eq=False)
class Session:
    """One client's socket."""

    connection: ServerConnection
    hooks: Hooks
    number: int
    send_buffer_bytes: int
    subscriptions: dict[Channel, Subscription] = field(default_factory=dict)
    last_pong: float = 0.0
    sent: int = 0

    @property
    def transport(self) -> asyncio.Transport:
        return self.connection.transport

    def send(self, message: Message) -> None:
        """Past every fault that takes hold of frames."""
        if not self.hooks.frames:
            self.write(message.raw)
            return
        messages = [message]
        for hook in tuple(self.hooks.frames):
            messages = [out for message in messages for out in hook(self, message)]
        for message in messages:
            self.write(message.raw)

    def write(self, raw: bytes) -> None:
        """Never waits: a client that reads too slowly is dropped when too much has piled up."""
        transport = self.transport
        if transport.is_closing() or self.connection.state is not State.OPEN:
            return
        self.sent += 1
        transport.write(raw)
        if transport.get_write_buffer_size() > self.send_buffer_bytes:
            transport.abort()


class WebSocketSide:
    """Listens, lets clients in, acknowledges joins. `snapshot` is called for what a join begins with."""

    def __init__(
        self, options: Options, hooks: Hooks, limiter: Limiter, snapshot: Callable[[Session, str, str], bool]
    ) -> None:
        self.sessions: set[Session] = set()
        self.accepted = 0
        self._port = Port(options.host, options.port, self._open, self._stop)
        self._options = options
        self._hooks = hooks
        self._limiter = limiter
        self._snapshot = snapshot
        self._server: Server | None = None

    @property
    def port(self) -> int:
        return self._port.number

    async def listen(self) -> None:
        """On the same port again after `shut`."""
        await self._port.listen()

    async def _open(self, port: int) -> int:
        self._server = await serve(
            self._serve,
            self._options.host,
            port,
            process_request=self._admit,
            compression=None,
            ping_interval=None,
            close_timeout=1,
            server_header=None,
            logger=_LOGGER,
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def shut(self) -> None:
        """Closes the port; sockets that are open stay open."""
        await self._port.shut()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.close(close_connections=False)

    def close(self) -> None:
        self._port.give_up()
        self.drop_all()

    def drop_all(self) -> None:
        for session in tuple(self.sessions):
            session.transport.abort()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        del connection, request
        for door in self._hooks.doors:
            response = door()
            if response is not None:
                return response
        if self._options.limits and self._limiter.refuse() is not None:
            return Response(429, "Too Many Requests", Headers({"Content-Length": "0"}), b"")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        self.accepted += 1
        session = Session(connection, self._hooks, self.accepted, self._options.send_buffer_bytes)
        self.sessions.add(session)
        session.send(frames.welcome())
        keepalive = asyncio.create_task(self._keep_alive(session))
        try:
            async for frame in connection:
                self._receive(session, frame)
        except ConnectionClosed:
            pass
        finally:
            self.sessions.discard(session)
            keepalive.cancel()

    async def _keep_alive(self, session: Session) -> None:
        """A protocol ping now and then; close 1000 without a reason when pongs stay away."""
        loop = asyncio.get_running_loop()
        session.last_pong = loop.time()

        def answered(waiter: asyncio.Future[float]) -> None:
            if not waiter.cancelled() and waiter.exception() is None:
                session.last_pong = loop.time()

        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self._options.ping_seconds)
                if loop.time() - session.last_pong >= self._options.pong_timeout_seconds:
                    await session.connection.close(1000, "")
                    return
                waiter = asyncio.ensure_future(await session.connection.ping())
                waiter.add_done_callback(answered)

    def _receive(self, session: Session, frame: str | bytes) -> None:
        """Anything but a well-formed request gets no answer at all."""
        model = _request(frame)
        if model is None:
            return
        channel, event = model["channel"], model["event"]
        if model["type"] == 101:
            if model.get("code") == 421 and channel == "trade":
                self._snapshot(session, channel, event)
        elif model.get("join") is True:
            self._join(session, channel, event)
        elif model.get("join") is False:
            session.subscriptions.pop((channel, event), None)
            session.send(frames.result(True, f"leave|{channel}:{event}"))

    def _join(self, session: Session, channel: str, event: str) -> None:
        """Everything is acknowledged, known or not; only a second join of the same is refused."""
        answer = f"join|{channel}:{event}"
        if (channel, event) in session.subscriptions:
            session.send(frames.result(False, answer))
            return
        for hook in self._hooks.joins:
            verdict = hook(session, channel, event)
            if verdict is not None:
                session.send(frames.result(verdict == "ignored", answer))
                return
        base = 3_900_000 + 7919 * (session.number * 31 + len(session.subscriptions)) % 500_000
        subscription = session.subscriptions[channel, event] = Subscription(base, live=False)
        session.send(frames.result(True, answer))
        subscription.live = self._snapshot(session, channel, event)


def _request(frame: str | bytes) -> dict[str, Any] | None:
    """The model of a well-formed 151 or 101; an array in `event` is no request."""
    if not isinstance(frame, str):
        return None
    try:
        parsed = json.loads(frame)
    except ValueError:
        return None
    if not isinstance(parsed, list) or len(parsed) != 2 or not isinstance(parsed[1], dict):
        return None
    kind, model = parsed
    if kind not in (101, 151) or model.get("type") != kind:
        return None
    words = model.get("channel"), model.get("event")
    return model if all(isinstance(word, str) and word for word in words) else None
