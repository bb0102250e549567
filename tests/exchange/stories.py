"""A story told of an exchange with a socket that has joined, for the tests of faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.exchange import FakeExchange
from tests.exchange.plain import PlainSocket, plain_socket

PAIRS = ("BTCTRY", "ETHTRY")
QUIET = {"symbols": PAIRS, "live": False, "ticker_seconds": 0.03, "book_seconds": 0.03, "limits": False}
HELD = 60.0  # seconds; a story lets go of the fault itself
Story = Callable[[FakeExchange, PlainSocket], Awaitable[None]]


def told(story: Story, **options: object) -> FakeExchange:
    """Tells the story with a socket that has joined trades, ticker and changes of the book of BTCTRY."""

    async def tell() -> FakeExchange:
        exchange = FakeExchange(**{**QUIET, **options})
        async with exchange, plain_socket(exchange.websocket_url) as socket:
            for channel, kind in (("trade", 421), ("obdiff", 431), ("ticker", 402)):
                await socket.join(channel, "BTCTRY")
                await socket.next(kind)
            await asyncio.wait_for(story(exchange, socket), 30)
        return exchange

    return asyncio.run(tell())


async def ids_of(socket: PlainSocket, count: int) -> list[str]:
    return [(await socket.next(422))["I"] for _ in range(count)]
