"""Clocks and times that are wrong."""

# ruff: noqa: ARG002, ARG003 - one signature for all, used or not

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, ClassVar, Self

from tests.exchange.clock import next_midnight_ms
from tests.exchange.faults.base import Fault, FaultRecord
from tests.exchange.hooks import among

if TYPE_CHECKING:
    from tests.exchange.server import FakeExchange


@dataclass(frozen=True)
class WrongServerTime(Fault):
    """server/time is off; trades keep the right time."""

    by_ms: int = 90_000

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        def shifted(time_ms: int) -> int:
            record.counts["requests"] += 1
            return time_ms + self.by_ms

        with among(exchange.hooks.server_time, shifted):
            yield

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        return cls(round(chance.uniform(0.5, 2.0), 2), chance.choice((-90_000, -700, 900, 3_600_000)))


@dataclass(frozen=True)
class ClockStep(Fault):
    """The exchange's clock jumps for good, and trades with it."""

    random: ClassVar[bool] = False
    seconds: float = 0.0
    by_ms: int = 400

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        exchange.clock.step(self.by_ms)
        yield


@dataclass(frozen=True)
class ClockDrift(Fault):
    """The exchange's clock drifts while the fault lasts."""

    ppm: float = 200.0

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        exchange.clock.drift(self.ppm)
        yield
        exchange.clock.drift(0.0)


@dataclass(frozen=True)
class _StampedTrades(Fault):
    """Gives the next `count` trades (of `symbol`, if given) another D, in the ledger too."""

    seconds: float = 5.0
    count: int = 3
    by_ms: int = 5000
    symbol: str = ""

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        seen = 0

        def stamp(symbol: str, time_ms: int) -> int:
            nonlocal seen
            if record.full.is_set() or (self.symbol and symbol != self.symbol):
                return time_ms
            seen += 1
            record.counts["trades"] = seen
            if seen == self.count:
                record.full.set()
            return self.stamped(seen, time_ms)

        with among(exchange.hooks.stamps, stamp):
            yield

    def stamped(self, number: int, time_ms: int) -> int:
        raise NotImplementedError

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        by_ms = chance.choice((50, 700, 1900))
        return cls(3.0, chance.randint(1, 6), by_ms, chance.choice(("", *symbols)))


@dataclass(frozen=True)
class FutureTrades(_StampedTrades):
    """D lies in the future."""

    def stamped(self, number: int, time_ms: int) -> int:
        return time_ms + self.by_ms


@dataclass(frozen=True)
class ReorderedTimes(_StampedTrades):
    """D goes back and forth: every first of two trades is older than the one sent before it."""

    count: int = 4
    by_ms: int = 1500

    def stamped(self, number: int, time_ms: int) -> int:
        return time_ms - self.by_ms * (number % 2)


@dataclass(frozen=True)
class Midnight(Fault):
    """The clock is set to just before 00:00 UTC, or `hours_east` of it (Istanbul: 3, in summer too)."""

    random: ClassVar[bool] = False
    seconds: float = 0.0
    before_seconds: float = 1.0
    hours_east: int = 0

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        now_ms = exchange.clock.now_ms()
        midnight = next_midnight_ms(now_ms, hours_east=self.hours_east)
        exchange.clock.step(midnight - self.before_seconds * 1000 - now_ms)
        yield
