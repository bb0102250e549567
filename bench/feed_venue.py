"""The venue of feed_load, a process: the fake exchange, whose trades carry the moment of their sending."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

from tests.exchange import Activity, FakeExchange
from tests.exchange.listings import many_symbols


async def run(symbols: int, trades: float, tickers: float, books: float) -> None:
    """Rates are of each symbol, a second. The first line of the output tells the addresses."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with FakeExchange(
        many_symbols(symbols),
        seed=42,
        activity=Activity(trades * 60, quiet=0, burst=0, same_millisecond=0),
        history_minutes=1,
        ticker_seconds=1 / tickers,
        book_seconds=1 / books,
        limits=False,
    ) as exchange:
        print(json.dumps({"websocket": exchange.websocket_url, "rest": exchange.rest_url}), flush=True)
        await told.wait()


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), *map(float, sys.argv[2:])))
