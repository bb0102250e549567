"""A connection over real sockets: what it said and handed over, and servers that misbehave byte by byte."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.connection.budget import ConnectBudget
from spark_engine.feeds.connection.session import Connection, ConnectionSettings
from spark_engine.feeds.connection.state import CloseReason, ConnectionState
from spark_engine.feeds.provider import StreamProvider, Subscription
from websockets.frames import Opcode

QUICK = ConnectionSettings(open_seconds=5.0, close_seconds=0.2, silence=5.0, ping=None)


class Joining:
    """The part of a provider that a connection uses: how to join and leave."""

    def websocket_url(self, _: Sequence[Subscription]) -> str:
        return "ws://127.0.0.1:9/"

    def subscribe(self, subscriptions: Sequence[Subscription]) -> list[str]:
        return [f"join {s.channel} {s.symbol}" for s in subscriptions]

    def unsubscribe(self, subscriptions: Sequence[Subscription]) -> list[str]:
        return [f"leave {s.channel} {s.symbol}" for s in subscriptions]


class Observed:
    """A connection with everything that it said; its waits take no time but are remembered."""

    def __init__(self, url: str | None, *, settings: ConnectionSettings = QUICK, **options: Any) -> None:
        self.frames: list[bytes] = []
        self.stamps: list[int] = []
        self.states: list[ConnectionState] = []
        self.waits: list[float] = []
        self.stop = asyncio.Event()
        self._news = asyncio.Event()
        options.setdefault("on_frame", self.on_frame)
        options.setdefault("budget", ConnectBudget(1_000))
        options.setdefault("backoff", Backoff(jitter=lambda: 0.5))
        options.setdefault("sleep", self.sleep)
        self.connection = Connection(
            cast(StreamProvider, Joining()),
            [Subscription("ticker", "BTCTRY"), Subscription("trade", "BTCTRY")],
            on_state=self.on_state,
            url=url,
            settings=settings,
            **options,
        )

    def on_frame(self, frame: bytes, received_ns: int) -> None:
        self.frames.append(frame)
        self.stamps.append(received_ns)
        self._news.set()

    def on_state(self, state: ConnectionState) -> None:
        self.states.append(state)
        self._news.set()

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    async def until(self, condition: Callable[[], object], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def ending(self) -> ConnectionState:
        """How the first attempt or connection ended."""
        await self.until(self.endings)
        return self.endings()[0]

    def endings(self) -> list[ConnectionState]:
        return [s for s in self.states if s.kind in ("closed", "refused")]

    @property
    def reasons(self) -> list[CloseReason | None]:
        return [s.reason for s in self.endings()]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Observed]:
        """Runs; at the end it is stopped, and must have left no task behind."""
        before = asyncio.all_tasks()
        run = asyncio.create_task(self.connection.run(self.stop))
        try:
            yield self
            self.stop.set()
            async with asyncio.timeout(8):
                await run
            assert tasks_left(before | {run}) == []
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)


def tasks_left(before: set[asyncio.Task[Any]]) -> list[str]:
    """New tasks that are not those of the servers in this process."""
    servers = ("accept()", "websockets/asyncio/server", "keepalive()")
    new = [repr(task) for task in asyncio.all_tasks() - before]
    return [task for task in new if not any(name in task for name in servers)]


class RawPeer:
    """One accepted connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def shake_hands(self) -> None:
        """RFC 6455, 4.2.2."""
        request = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line.split(":")[1].strip() for line in request.splitlines() if "Sec-WebSocket-Key" in line)
        accepted = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False)
        accept = base64.b64encode(accepted.digest())
        await self.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    async def opcode(self) -> Opcode:
        """Reads the next frame, a short one of a client, and says of what kind it is."""
        kind, size = await self.reader.readexactly(2)
        await self.reader.readexactly(4 + (size & 0x7F))  # the mask, the payload
        return Opcode(kind & 0x0F)

    async def joins(self) -> None:
        """Both texts with which `Observed` subscribes."""
        assert [await self.opcode(), await self.opcode()] == [Opcode.TEXT, Opcode.TEXT]

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def text(self, payload: bytes) -> None:
        await self.write(frame_bytes(payload))

    def cut(self) -> None:
        """FIN, in the middle of whatever was being said."""
        self.writer.close()

    def reset(self) -> None:
        """RST."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def silence(self) -> None:
        """Reads and says nothing."""
        while await self.reader.read(65_536):
            pass


def frame_bytes(payload: bytes, opcode: int = 1) -> bytes:
    """One unmasked frame, as a server sends it."""
    if len(payload) < 126:
        head = bytes([0x80 | opcode, len(payload)])
    else:
        head = bytes([0x80 | opcode, 127]) + len(payload).to_bytes(8, "big")
    return head + payload


@asynccontextmanager
async def raw_server(behave: Callable[[RawPeer], Awaitable[None]]) -> AsyncIterator[str]:
    """Every connection is given to `behave`, then closed. Gives the ws:// address."""
    tasks: set[asyncio.Task[Any]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await behave(RawPeer(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"ws://127.0.0.1:{port}/"
    finally:
        server.close()
        for task in tasks.copy():
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def observe() -> type[Observed]:
    return Observed


@pytest.fixture
def serve_raw() -> Callable[[Callable[[RawPeer], Awaitable[None]]], Any]:
    return raw_server


@pytest.fixture
def left_behind() -> Callable[[set[asyncio.Task[Any]]], list[str]]:
    return tasks_left


@pytest.fixture
def one_frame() -> Callable[..., bytes]:
    return frame_bytes


@pytest.fixture
def quick() -> Callable[..., ConnectionSettings]:
    """Settings of the tests with some of them changed."""

    def change(**changes: Any) -> ConnectionSettings:
        return replace(QUICK, **changes)

    return change


@pytest.fixture
def refused_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
