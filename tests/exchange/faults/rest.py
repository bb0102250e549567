"""REST requests that are refused, fail, hang or break off. `path` is how the paths begin that are hit."""

# ruff: noqa: ARG002, ARG003 - one signature for all, used or not

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Self

from tests.exchange.faults.base import Fault, FaultRecord
from tests.exchange.faults.connection import UNAVAILABLE
from tests.exchange.frames import compact
from tests.exchange.hooks import among
from tests.exchange.http_server import Answer, Asked
from tests.exchange.rest import too_many

if TYPE_CHECKING:
    from tests.exchange.server import FakeExchange


@dataclass(frozen=True)
class _RestFault(Fault):
    path: str = "/"

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        async def hook(asked: Asked) -> Answer | None:
            if not asked.path.startswith(self.path):
                return None
            record.counts["requests"] += 1
            return await self.answer(exchange, record, asked)

        with among(exchange.hooks.requests, hook):
            yield

    async def answer(self, exchange: FakeExchange, record: FaultRecord, asked: Asked) -> Answer | None:
        raise NotImplementedError


@dataclass(frozen=True)
class RestTooMany(_RestFault):
    """429 with the documented body and Retry-After in seconds (none: without the header)."""

    retry_after: int | None = 1

    async def answer(self, exchange: FakeExchange, record: FaultRecord, asked: Asked) -> Answer:
        return too_many(120, "1m", self.retry_after)


@dataclass(frozen=True)
class RestError(_RestFault):
    """A status of 500 and above: the venue's SYSTEM_ERROR in JSON, or an edge's page with `html`."""

    status: int = 500
    html: bool = False

    async def answer(self, exchange: FakeExchange, record: FaultRecord, asked: Asked) -> Answer:
        if self.html:
            return Answer(self.status, UNAVAILABLE, "text/html; charset=UTF-8")
        body = {"data": None, "success": False, "message": "SYSTEM_ERROR", "code": 1000, "extensions": None}
        return Answer(self.status, compact(body))

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        status = chance.choice((500, 502, 503, 504))
        return cls(round(chance.uniform(0.3, 2.0), 2), status=status, html=status == 503)


@dataclass(frozen=True)
class RestFailureWith200(_RestFault):
    """`success:false` in an answer of HTTP 200, which the venue does too."""

    async def answer(self, exchange: FakeExchange, record: FaultRecord, asked: Asked) -> Answer:
        body = {"data": None, "success": False, "message": "SYSTEM_ERROR", "code": 1000, "extensions": None}
        return Answer(200, compact(body))


@dataclass(frozen=True)
class RestHang(_RestFault):
    """No answer until the fault ends; the right one then."""

    async def answer(self, exchange: FakeExchange, record: FaultRecord, asked: Asked) -> None:
        await record.ended()


@dataclass(frozen=True)
class RestTruncated(_RestFault):
    """Half of the right body under the Content-Length of all of it, then the connection ends."""

    async def answer(self, exchange: FakeExchange, record: FaultRecord, asked: Asked) -> Answer:
        answer = await exchange.rest.routed(asked)
        return replace(answer, cut=len(answer.body) // 2)


@dataclass(frozen=True)
class UnequalKlines(_RestFault):
    """The arrays of a kline answer differ in length: the last volume is missing."""

    path: str = "/v1/klines"

    async def answer(self, exchange: FakeExchange, record: FaultRecord, asked: Asked) -> Answer:
        answer = await exchange.rest.routed(asked)
        head, _, volumes = answer.body.partition(b'"v":[')
        return replace(answer, body=head + b'"v":[' + b",".join(volumes.split(b",")[:-1]) + b"]}")
