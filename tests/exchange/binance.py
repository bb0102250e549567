"""A small Binance: replays recorded frames over a real socket, and answers REST from the same trades."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.exchange.binance_rest import BinanceRest
from tests.exchange.http_server import HttpServer
from tests.exchange.recording import Recorded, load

_TIMES = re.compile(r'"([ET])":(\d{13})')


class BinanceReplay:
    """From `async with` on. The replay begins with the first subscription, `speed` times as fast as it was
    recorded (`inf`: as fast as the socket takes it). `rebase` moves all times of the venue so that the
    recording begins now; without it frames are sent byte for byte."""

    def __init__(
        self, path: Path, *, speed: float = 1.0, rebase: bool = False, limit: int | None = None
    ) -> None:
        self.recording = load(path, limit)
        self.finished = asyncio.Event()
        self.sent = 0
        self._speed = speed
        self._rebase = rebase
        self._began = asyncio.Event()
        self._began_at = 0.0
        self._position_ns = self.recording.frames[0].received_ns
        self._shift_ms = 0
        self._subscriptions: dict[ServerConnection, set[str]] = {}
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.rest = BinanceRest(
            self.recording, self.now_ms, lambda: self._position_ns, lambda: self._shift_ms
        )
        self.http = HttpServer(self.rest.answer, "127.0.0.1", 0)

    async def __aenter__(self) -> BinanceReplay:
        self._server = await serve(
            self._serve, "127.0.0.1", 0, compression=None, ping_interval=20, server_header=None
        )
        await self.http.listen()
        self._task = asyncio.create_task(self._replay())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._server is not None:
            self._server.close(close_connections=False)
        for connection in tuple(self._subscriptions):
            connection.transport.abort()
        self.http.close()
        await asyncio.sleep(0)

    @property
    def websocket_url(self) -> str:
        """Without a path: `/ws`, `/ws/<stream>` and `/stream?streams=<stream>/<stream>` are served."""
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.http.port}"

    def now_ms(self) -> int:
        """The venue's clock: where the replay is, by the time of the recorded trades."""
        position = self._position_ns
        if self._began.is_set() and self._speed != float("inf") and not self.finished.is_set():
            elapsed = (time.monotonic() - self._began_at) * self._speed
            position = self.recording.frames[0].received_ns + int(elapsed * 1e9)
        return (position + self.recording.behind_ns) // 1_000_000 + self._shift_ms

    async def _replay(self) -> None:
        await self._began.wait()
        first_ns = self.recording.frames[0].received_ns
        for frame in self.recording.frames:
            due = self._began_at + (frame.received_ns - first_ns) / 1e9 / self._speed
            if due > time.monotonic():
                await asyncio.sleep(due - time.monotonic())
            self._position_ns = frame.received_ns
            await self._send(frame)
        self.finished.set()

    async def _send(self, frame: Recorded) -> None:
        for connection, streams in tuple(self._subscriptions.items()):
            if frame.stream not in streams:
                continue
            raw = _path(connection).startswith("/ws")
            text = frame.data if raw else frame.text
            try:
                await connection.send(self._rebased(text) if self._rebase else text)
            except ConnectionClosed:
                continue
            self.sent += 1

    def _rebased(self, text: str) -> str:
        return _TIMES.sub(lambda found: f'"{found[1]}":{int(found[2]) + self._shift_ms}', text)

    def _begin(self) -> None:
        if self._began.is_set():
            return
        if self._rebase:
            self._shift_ms = time.time_ns() // 1_000_000 - self.now_ms()
        self._began_at = time.monotonic()
        self._began.set()

    async def _serve(self, connection: ServerConnection) -> None:
        streams = self._subscriptions[connection] = _streams_of(connection)
        if streams:
            self._begin()
        try:
            async for frame in connection:
                answer = self._asked(frame, streams)
                await connection.send(json.dumps(answer, separators=(",", ":")))
                if streams:
                    self._begin()
        except ConnectionClosed:
            pass
        finally:
            del self._subscriptions[connection]

    def _asked(self, frame: str | bytes, streams: set[str]) -> dict[str, Any]:
        try:
            wish = json.loads(frame)
            method, names = wish["method"], wish.get("params", [])
        except (ValueError, KeyError, TypeError):
            return {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}}
        match method:
            case "SUBSCRIBE":
                streams.update(names)
            case "UNSUBSCRIBE":
                streams.difference_update(names)
            case "LIST_SUBSCRIPTIONS":
                return {"result": sorted(streams), "id": wish.get("id")}
            case _:
                message = f"Invalid request: unknown variant `{method}`"
                return {"error": {"code": 2, "msg": message}, "id": wish.get("id")}
        return {"result": None, "id": wish.get("id")}


def _path(connection: ServerConnection) -> str:
    return connection.request.path if connection.request else "/"


def _streams_of(connection: ServerConnection) -> set[str]:
    parts = urlsplit(_path(connection))
    if parts.path == "/stream":
        return {name for names in parse_qs(parts.query).get("streams", []) for name in names.split("/")}
    return {name for name in parts.path.removeprefix("/ws").split("/") if name}
