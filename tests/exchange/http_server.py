"""An HTTP/1.1 server for GET and POST, small enough to break in every way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from tests.exchange.listening import Port

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Asked:
    """A request: `path` without query; `query` keeps the last of a name given twice."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """`cut` sends only so many bytes of the body and breaks off."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


class HttpServer:
    """Serves `answer` on loopback, with connections kept alive."""

    def __init__(
        self,
        answer: Callable[[Asked], Awaitable[Answer]],
        host: str,
        port: int,
        now_seconds: Callable[[], float] | None = None,
    ) -> None:
        self._port = Port(host, port, self._open, self._stop)
        self._answer = answer
        self._host = host
        self._now_seconds = now_seconds
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        return self._port.number

    async def listen(self) -> None:
        """On the same port again after `shut`."""
        await self._port.listen()

    async def _open(self, port: int) -> int:
        self._server = await asyncio.start_server(self._serve, self._host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def shut(self) -> None:
        """Closes the port and drops every connection."""
        await self._port.shut()

    def close(self) -> None:
        self._port.give_up()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        gone = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        with contextlib.suppress(*gone):
            while (asked := await _read(reader)) is not None:
                if not await self._respond(writer, asked, await self._answer(asked)):
                    break
        self._writers.discard(writer)
        writer.close()

    async def _respond(self, writer: asyncio.StreamWriter, asked: Asked, answer: Answer) -> bool:
        keep = asked.headers.get("connection", "").lower() != "close" and answer.cut is None
        now = self._now_seconds() if self._now_seconds else None
        headers = {
            "Date": formatdate(now, usegmt=True),
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            "Connection": "keep-alive" if keep else "close",
            **answer.headers,
        }
        head = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(head.encode() + b"\r\n" + answer.body[: answer.cut])
        await writer.drain()
        return keep


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, *_ = [*first.split(" "), "", ""]
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length") or 0))
    parts = urlsplit(target)
    return Asked(method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)
