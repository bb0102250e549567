"""A client of nothing but websockets and urllib, for the tests of the exchange itself."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PATIENCE_SECONDS = 15.0  # with what comes within milliseconds


@dataclass
class PlainSocket:
    """A socket and every frame that it has got."""

    connection: ClientConnection
    texts: list[str]

    async def join(self, channel: str, event: str, *, join: bool = True) -> None:
        model = {"type": 151, "channel": channel, "event": event, "join": join}
        await self.connection.send(json.dumps([151, model], separators=(",", ":")))

    async def next(self, kind: int | None = None, *, timeout: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The model of the next frame (of that type); the frames before it are kept in `texts` only."""
        async with asyncio.timeout(timeout):
            while True:
                text = await self.connection.recv()
                assert isinstance(text, str)
                self.texts.append(text)
                number, model = json.loads(text)
                if kind in (None, number):
                    return dict(model)

    async def sent_so_far(self, kind: int) -> list[dict[str, Any]]:
        """The models of that type that come before the answer to one more join."""
        await self.join("gossip", "now")
        found = []
        while (model := await self.next()).get("message") != "join|gossip:now":
            if model["type"] == kind:
                found.append(model)
        return found

    async def models(self, kind: int, seconds: float) -> list[dict[str, Any]]:
        """Those of that type in so many seconds."""
        found = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found.append(await self.next(kind, timeout=seconds + 1))
        except TimeoutError:
            return found


@asynccontextmanager
async def plain_socket(url: str, **arguments: Any) -> AsyncIterator[PlainSocket]:
    """Past the welcome."""
    arguments = {
        "compression": None,
        "ping_interval": None,
        "close_timeout": 0.2,
        "max_size": 2**24,
        **arguments,
    }
    async with connect(url, proxy=None, **arguments) as connection:
        socket = PlainSocket(connection, [])
        await socket.next(991)
        yield socket


@dataclass(frozen=True)
class Got:
    status: int
    headers: Message
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


async def get(url: str, *, timeout: float = PATIENCE_SECONDS) -> Got:
    """Also where the status is no success."""
    return await asyncio.to_thread(_get, url, timeout)


def _get(url: str, timeout: float) -> Got:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as response:
            return Got(response.status, response.headers, response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Got(error.code, error.headers, error.read().decode())


async def until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
