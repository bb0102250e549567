"""Trades and books that come twice, in another order or not at all, on a socket that stays up."""

# ruff: noqa: ARG002 - one signature for all, used or not

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Self

from tests.exchange.faults.base import Fault, FaultRecord
from tests.exchange.frames import Message
from tests.exchange.hooks import among

if TYPE_CHECKING:
    from tests.exchange.server import FakeExchange
    from tests.exchange.sockets import Session


@dataclass(frozen=True)
class _Trades(Fault):
    """Hits the next `count` trades (of `symbol`, if given), on every socket alike."""

    seconds: float = 5.0
    count: int = 3
    symbol: str = ""

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        hit: set[tuple[str, str]] = set()

        def hook(session: Session, message: Message) -> Iterable[Message]:
            if message.kind != 422 or (self.symbol and message.event != self.symbol):
                return [message]
            key = (message.event, message.trade_id)
            if key not in hit and len(hit) == self.count:
                return [message]
            if key not in hit:
                hit.add(key)
                record.trades.append(key)
            if len(hit) == self.count:
                record.full.set()
            return self.instead(message)

        with among(exchange.hooks.frames, hook):
            yield

    def instead(self, message: Message) -> Iterable[Message]:
        raise NotImplementedError

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        return cls(3.0, chance.randint(1, 8), chance.choice(("", *symbols)))


@dataclass(frozen=True)
class MissingTrades(_Trades):
    """The trades are in the ledger, in REST and in the next 421, but their 422 is never sent."""

    def instead(self, message: Message) -> Iterable[Message]:
        return []


@dataclass(frozen=True)
class DuplicateTrades(_Trades):
    """Each 422 is sent twice."""

    def instead(self, message: Message) -> Iterable[Message]:
        return [message, message]


@dataclass(frozen=True)
class ReorderedTrades(Fault):
    """The next `count` 422s of each pair are kept back on each socket and sent newest first; the fault's
    end sends what is still kept, also newest first. It lasts all its `seconds`: each pair has its turn."""

    seconds: float = 2.0
    count: int = 3
    symbol: str = ""

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        kept: dict[tuple[Session, str], list[Message]] = {}
        done: set[tuple[Session, str]] = set()

        def keep(session: Session, message: Message) -> Iterable[Message]:
            key = (session, message.event)
            if message.kind != 422 or (self.symbol and message.event != self.symbol) or key in done:
                return [message]
            waiting = kept.setdefault(key, [])
            waiting.append(message)
            record.trades.append((message.event, message.trade_id))
            if len(waiting) < self.count:
                return []
            done.add(key)
            return kept.pop(key)[::-1]

        with among(exchange.hooks.frames, keep):
            yield
        for (session, _), waiting in kept.items():
            for message in reversed(waiting):
                session.write(message.raw)

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        return cls(round(chance.uniform(0.5, 2.0), 2), chance.randint(2, 6), chance.choice(("", *symbols)))


@dataclass(frozen=True)
class DeadTradeChannel(Fault):
    """Trades stop on the open sockets under a live ticker. `heals_on`: 'join' (leaving and joining again
    revives a pair), 'socket' (only a new socket) or 'time' (new sockets get no trades either)."""

    symbol: str = ""
    heals_on: str = "socket"

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        dead = set(exchange.sessions)
        revived: set[tuple[Session, str]] = set()

        def stop(session: Session, message: Message) -> Iterable[Message]:
            hit = message.kind in (421, 422) and self.symbol in ("", message.event)
            old = session in dead or self.heals_on == "time"
            if not hit or not old or (session, message.event) in revived:
                return [message]
            record.counts["frames"] += 1
            if message.trade_id:
                record.trades.append((message.event, message.trade_id))
            return []

        def joined(session: Session, channel: str, event: str) -> None:
            if channel == "trade" and self.heals_on == "join":
                revived.add((session, event))

        with among(exchange.hooks.frames, stop), among(exchange.hooks.joins, joined):
            yield

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        heals_on = chance.choice(("join", "socket", "time"))
        return cls(round(chance.uniform(1.0, 4.0), 2), chance.choice(("", *symbols)), heals_on)


@dataclass(frozen=True)
class _Books(Fault):
    """Hits the next `count` frames of type 432 (of `symbol`, if given) on any socket."""

    seconds: float = 5.0
    count: int = 1
    symbol: str = ""

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        def hook(session: Session, message: Message) -> Iterable[Message]:
            hit = message.kind == 432 and self.symbol in ("", message.event)
            if not hit or record.full.is_set():
                return [message]
            record.counts["frames"] += 1
            if record.counts["frames"] == self.count:
                record.full.set()
            return self.instead(message)

        with among(exchange.hooks.frames, hook):
            yield

    def instead(self, message: Message) -> Iterable[Message]:
        raise NotImplementedError


@dataclass(frozen=True)
class BookSkip(_Books):
    """A 432 is lost: the next one's CS is two above the last."""

    def instead(self, message: Message) -> Iterable[Message]:
        return []


@dataclass(frozen=True)
class BookDuplicate(_Books):
    """A 432 comes twice with one CS."""

    def instead(self, message: Message) -> Iterable[Message]:
        return [message, message]
