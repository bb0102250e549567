"""What the venue does on purpose: maintenance, delisting, joins that lead to nothing."""

# ruff: noqa: ARG002, ARG003 - one signature for all, used or not

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, ClassVar, Self

from websockets.http11 import Response

from tests.exchange.faults.base import Fault, FaultRecord
from tests.exchange.faults.connection import UNAVAILABLE, unavailable
from tests.exchange.hooks import among
from tests.exchange.http_server import Answer, Asked

if TYPE_CHECKING:
    from tests.exchange.server import FakeExchange
    from tests.exchange.sockets import Session


@dataclass(frozen=True)
class Maintenance(Fault):
    """503 everywhere and sockets closed. Trading stops, unless `trading`."""

    trading: bool = False
    code: int = 1001

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        def door() -> Response:
            record.counts["handshakes"] += 1
            return unavailable()

        async def page(asked: Asked) -> Answer:
            record.counts["requests"] += 1
            return Answer(503, UNAVAILABLE, "text/html; charset=UTF-8")

        stopped = () if self.trading else tuple(exchange.listings)
        exchange.halted.update(stopped)
        with among(exchange.hooks.doors, door), among(exchange.hooks.requests, page):
            for session in exchange.sessions:
                exchange.run(session.connection.close(self.code, ""))
                record.counts["sockets"] += 1
            yield
        exchange.halted.subtract(stopped)

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        return cls(round(chance.uniform(0.5, 2.0), 2), trading=chance.random() < 0.5)


@dataclass(frozen=True)
class Delisted(Fault):
    """The pair's status changes in exchangeinfo and it gives no more data; joins still get ok:true.
    After `seconds` it is listed again (sockets that joined before get data again)."""

    random: ClassVar[bool] = False
    seconds: float = float("inf")
    symbol: str = "BTCTRY"
    status: str = "DELISTED"

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        exchange.statuses[self.symbol] = self.status
        yield
        exchange.statuses.pop(self.symbol, None)

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        return cls(round(chance.uniform(0.5, 2.0), 2), chance.choice(symbols))


@dataclass(frozen=True)
class _Joins(Fault):
    """Hits joins of `channel` and `symbol` (any, where empty) while it lasts."""

    channel: str = ""
    symbol: str = ""
    verdict: ClassVar[str]

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        def hook(session: Session, channel: str, event: str) -> str | None:
            if self.channel not in ("", channel) or self.symbol not in ("", event):
                return None
            record.counts["joins"] += 1
            return self.verdict

        with among(exchange.hooks.joins, hook):
            yield

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        channel = chance.choice(("", "trade", "ticker"))
        return cls(round(chance.uniform(0.5, 2.0), 2), channel, chance.choice(("", *symbols)))


@dataclass(frozen=True)
class SubscriptionIgnored(_Joins):
    """ok:true, then nothing."""

    verdict: ClassVar[str] = "ignored"


@dataclass(frozen=True)
class SubscriptionRefused(_Joins):
    """ok:false, then nothing."""

    verdict: ClassVar[str] = "refused"
