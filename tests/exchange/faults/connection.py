"""Sockets that break, go silent, crawl or do not open."""

# ruff: noqa: ARG003 - one signature for all, used or not

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Self

from websockets.datastructures import Headers
from websockets.http11 import Response

from tests.exchange.faults.base import Fault, FaultRecord
from tests.exchange.faults.targets import substitute, substituted
from tests.exchange.frames import Message
from tests.exchange.hooks import among
from tests.exchange.transports import Dripping, Swallowing, reset

if TYPE_CHECKING:
    from tests.exchange.server import FakeExchange
    from tests.exchange.sockets import Session

UNAVAILABLE = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body></body></html>"


@dataclass(frozen=True)
class CutMidFrame(Fault):
    """Half of the next frame (of type `kind`, if given) reaches each open socket, then a TCP reset."""

    seconds: float = 5.0
    kind: int = 0

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        whole = set(exchange.sessions)
        if not whole:
            record.full.set()

        def cut(session: Session, message: Message) -> Iterable[Message]:
            if session not in whole or (self.kind and message.kind != self.kind):
                return [message]
            whole.discard(session)
            _tear(session, message.raw)
            record.counts["sockets"] += 1
            if message.trade_id:
                record.trades.append((message.event, message.trade_id))
            if not whole:
                record.full.set()
            return []

        with among(exchange.hooks.frames, cut):
            yield

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        return cls(seconds=3.0, kind=chance.choice((0, 402, 422)))


def _tear(session: Session, raw: bytes) -> None:
    """The reset waits for a moment: it would overtake the half frame."""
    transport = session.transport
    session.write(raw[: max(len(raw) // 2, 1)])
    substitute(session, Swallowing(transport))
    asyncio.get_running_loop().call_later(0.02, reset, transport)


@dataclass(frozen=True)
class CleanClose(Fault):
    """A close frame to every socket."""

    seconds: float = 0.0
    code: int = 1000
    reason: str = ""

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        for session in exchange.sessions:
            exchange.run(session.connection.close(self.code, self.reason))
            record.counts["sockets"] += 1
        yield

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        return cls(code=chance.choice((1000, 1001, 1011, 1012)))


@dataclass(frozen=True)
class DropWithoutClose(Fault):
    """The TCP connection of every socket ends (FIN, or RST) without a close frame."""

    seconds: float = 0.0
    with_reset: bool = False

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        for session in exchange.sessions:
            record.counts["sockets"] += 1
            if self.with_reset:
                reset(session.transport)
            else:
                session.transport.close()
        yield

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        return cls(with_reset=chance.random() < 0.5)


@dataclass(frozen=True)
class Silence(Fault):
    """The open sockets get no data and no answers, but pings and pongs go on."""

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        silent = set(exchange.sessions)

        def nothing(session: Session, message: Message) -> Iterable[Message]:
            if session not in silent:
                return [message]
            record.counts["frames"] += 1
            return []

        with among(exchange.hooks.frames, nothing):
            yield


@dataclass(frozen=True)
class HalfOpen(Fault):
    """The open sockets' peer is gone and did not say so: no data, no pings, no pongs, no FIN. New
    sockets are served. What is left of the old ones at the end is reset."""

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        sessions = exchange.sessions
        with substituted([(session, Swallowing(session.transport)) for session in sessions]):
            for session in sessions:
                session.transport.pause_reading()
                record.counts["sockets"] += 1
            yield
        for session in sessions:
            reset(session.transport)


@dataclass(frozen=True)
class SlowDrip(Fault):
    """The open sockets' bytes come a few at a time, in order; what is left comes at once at the end."""

    bytes_per_second: float = 400.0

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        pairs = [
            (session, Dripping(session.transport, self.bytes_per_second)) for session in exchange.sessions
        ]
        record.counts["sockets"] += len(pairs)
        with substituted(list(pairs)):
            drips = [exchange.run(stand_in.drip()) for _, stand_in in pairs]
            yield
        for drip in drips:
            drip.cancel()
        for _, stand_in in pairs:
            stand_in.flush()

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        return cls(round(chance.uniform(0.5, 2.0), 2), float(chance.choice((50, 400, 4000))))


@dataclass(frozen=True)
class StopsReading(Fault):
    """The exchange reads nothing from its open sockets: joins and pongs wait."""

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        sessions = exchange.sessions
        for session in sessions:
            session.transport.pause_reading()
            record.counts["sockets"] += 1
        yield
        for session in sessions:
            if not session.transport.is_closing():
                session.transport.resume_reading()


@dataclass(frozen=True)
class HandshakeTooMany(Fault):
    """429 to every handshake, with Retry-After or, as reported of the venue, without."""

    retry_after: int | None = 1

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        headers = {"Content-Length": "0"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)

        def refuse() -> Response:
            record.counts["handshakes"] += 1
            return Response(429, "Too Many Requests", Headers(headers), b"")

        with among(exchange.hooks.doors, refuse):
            yield


@dataclass(frozen=True)
class HandshakeUnavailable(Fault):
    """503 with an HTML page to every handshake, as an edge does."""

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        def refuse() -> Response:
            record.counts["handshakes"] += 1
            return unavailable()

        with among(exchange.hooks.doors, refuse):
            yield


def unavailable() -> Response:
    length = str(len(UNAVAILABLE))
    headers = Headers({"Content-Type": "text/html; charset=UTF-8", "Content-Length": length})
    return Response(503, "Service Unavailable", headers, UNAVAILABLE)


@dataclass(frozen=True)
class Refused(Fault):
    """The WebSocket port is closed (with `rest`, the HTTP port too) and every socket is dropped."""

    rest: bool = False

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        record.counts["sockets"] += len(exchange.sessions)
        await exchange.sockets.shut()
        exchange.sockets.drop_all()
        if self.rest:
            await exchange.http.shut()
        yield
        await exchange.sockets.listen()
        if self.rest:
            await exchange.http.listen()
