"""Trades made beforehand and sent as fast as a socket takes them: for measuring a client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.exchange import frames
from tests.exchange.chance import seeded
from tests.exchange.listings import UNIT
from tests.exchange.server import FakeExchange

_CHUNK = 256


@dataclass(frozen=True)
class Flooded:
    """What went out to each socket, and how long the sockets took to take it."""

    frames: int
    bytes: int
    seconds: float


class Flood:
    """`count` frames of type 422, one pair after the other, recorded in the ledger when made. Faults that
    take hold of frames do not see them."""

    def __init__(self, exchange: FakeExchange, count: int, symbols: Sequence[str] = ()) -> None:
        self._exchange = exchange
        self._symbols = tuple(symbols) or tuple(exchange.listings)
        chance = seeded("flood", exchange.seed)
        now_ms = exchange.clock.now_ms()
        self._raw: list[bytes] = []
        for number in range(count):
            listing = exchange.listings[self._symbols[number % len(self._symbols)]]
            price = listing.start_units + chance.randint(-50, 50) * listing.price_step
            amount = chance.randrange(1, UNIT) // 100 * 100 + 100
            made = exchange.ledger.record(listing.symbol, now_ms, price, amount, chance.randrange(2))
            self._raw.append(frames.trade(made).raw)

    async def send(self, per_second: float | None = None) -> Flooded:
        """To every socket that has joined the trades of all the flood's pairs; ValueError without one."""
        wanted = {("trade", symbol) for symbol in self._symbols}
        sessions = [one for one in self._exchange.sessions if wanted <= one.subscriptions.keys()]
        if not sessions:
            raise ValueError("no socket has joined the trades of all pairs of the flood")
        chunk = _CHUNK if per_second is None else max(int(per_second / 100), 1)
        began, sent = time.perf_counter(), 0
        for start in range(0, len(self._raw), chunk):
            block = b"".join(self._raw[start : start + chunk])
            for session in sessions:
                session.transport.write(block)
                await session.connection.drain()
            sent += len(block)
            ahead = (
                0.0 if per_second is None else (start + chunk) / per_second - (time.perf_counter() - began)
            )
            await asyncio.sleep(max(ahead, 0.0))
        return Flooded(len(self._raw), sent, time.perf_counter() - began)
