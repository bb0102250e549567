"""A server of HTTP that answers byte by byte as it is told, and a client whose waits take no time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from spark_engine.feeds.provider import Malformed, RateLimit, Request
from spark_engine.feeds.rest.client import RestClient, RestSettings

ROOMY = RateLimit("roomy", requests=1_000, seconds=60, block_seconds=60)
PATIENT = RestSettings(connect_seconds=30.0, read_seconds=30.0, whole_seconds=30.0, most_bytes=100_000)


class Clock:
    """Monotonic seconds that run on by what is slept, and by nothing else."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


class Server:
    """Answers the n-th request with the n-th of `replies`, the last one again and again.

    A reply is the bytes to write, or a coroutine function that is given the writer.
    """

    def __init__(self, *replies: bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]) -> None:
        self.replies = list(replies)
        self.requests: list[str] = []
        self.connections = 0
        self.url = ""

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
                reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                if isinstance(reply, bytes):
                    writer.write(reply)
                    await writer.drain()
                else:
                    await reply(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def answering(*replies: Any) -> AsyncIterator[Server]:
    server = Server(*replies)
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/api/v2/thing"
    try:
        yield server
    finally:
        listening.close()


def reply_bytes(body: bytes = b"1", head: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def whole_number(body: bytes) -> int:
    try:
        return msgspec.json.decode(body, type=int)
    except msgspec.DecodeError as error:
        raise Malformed(f"not a number ({error})") from error


def request_of(url: str, limit: RateLimit = ROOMY, **parameters: str) -> Request[int]:
    return Request(url, parameters, limit, whole_number, {"x-extra": "yes"})


class Asking:
    """A client with what it counted and how long it would have waited."""

    def __init__(self, **options: Any) -> None:
        self.events: Counter[str] = Counter()
        self.clock = Clock()
        options.setdefault("settings", PATIENT)
        options.setdefault("clock", self.clock)
        self.client = RestClient(
            user_agent="spark/1",
            sleep=self.clock.sleep,
            jitter=lambda: 0.5,
            on_event=self.count,
            **options,
        )

    def count(self, kind: str) -> None:
        self.events[kind] += 1

    async def __aenter__(self) -> Asking:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()


@pytest.fixture
def serving() -> Callable[..., Any]:
    return answering


@pytest.fixture
def reply() -> Callable[..., bytes]:
    return reply_bytes


@pytest.fixture
def number() -> Callable[..., Request[int]]:
    return request_of


@pytest.fixture
def asking() -> type[Asking]:
    return Asking
