"""What a fault is, and its line in the journal."""

# ruff: noqa: ARG003 - one signature for all, used or not

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from tests.exchange.server import FakeExchange


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong for `seconds` at most.

    One that counts (so many frames, trades or sockets) ends when its count is full, if that is earlier.
    `random` says whether `random_script` may choose it.
    """

    seconds: float = 1.0
    random: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return type(self).__name__

    def active(self, exchange: FakeExchange, record: FaultRecord) -> AbstractAsyncContextManager[None]:
        """Takes hold on entering, lets go on leaving."""
        raise NotImplementedError

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        """One with figures by chance."""
        return cls(seconds=round(chance.uniform(0.3, 2.0), 2))


@dataclass(eq=False)
class FaultRecord:
    """When a fault began and ended, by the exchange's clock (ms) and by the host's (ns).

    `trades` are the (symbol, id) that it touched: withheld, doubled, reordered or given another time.
    `counts` are what it did: frames, sockets, requests, by a word.
    """

    fault: Fault
    began_ms: int
    began_ns: int
    ended_ms: int | None = None
    ended_ns: int | None = None
    trades: list[tuple[str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    full: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def ended(self) -> None:
        await self._over.wait()

    async def let_go(self) -> None:
        """Ends the fault now, whatever is left of its seconds."""
        self.full.set()
        await self.ended()

    def end(self, now_ms: int) -> None:
        self.ended_ms, self.ended_ns = now_ms, time.time_ns()
        self._over.set()

    def told(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "fault": self.fault.name,
            "with": asdict(self.fault),
            "began_ms": self.began_ms,
            "began_ns": self.began_ns,
            "ended_ms": self.ended_ms,
            "ended_ns": self.ended_ns,
            "trades": self.trades,
            "counts": dict(self.counts),
        }


async def begin(exchange: FakeExchange, fault: Fault, record: FaultRecord) -> Coroutine[Any, Any, None]:
    """Takes hold; what is returned waits for the end and lets go."""
    active = fault.active(exchange, record)
    await active.__aenter__()

    async def hold() -> None:
        try:
            await asyncio.wait_for(record.full.wait(), fault.seconds)
        except TimeoutError:
            pass
        finally:
            try:
                await active.__aexit__(None, None, None)
            finally:
                record.end(exchange.clock.now_ms())

    return hold()
