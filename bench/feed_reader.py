"""What feed_load is measured beside, a process: reads the same socket, json and pydantic, and keeps nothing.

python -m bench.feed_reader WEBSOCKET SECONDS SYMBOL ...
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence

from websockets.asyncio.client import ClientConnection, connect

from bench.feed_decode import plain

WARM_UP_SECONDS = 5.0
KINDS = (402, 421, 422, 431, 432)
CHANNELS = ("trade", "ticker", "obdiff")


async def run(url: str, seconds: float, symbols: Sequence[str]) -> None:
    """Prints frames, and seconds of one core and of the wall that they took; RSS in bytes."""
    async with connect(url, proxy=None, compression=None, ping_interval=None, max_size=None) as socket:
        for symbol in symbols:
            for channel in CHANNELS:
                join = {"type": 151, "channel": channel, "event": symbol, "join": True}
                await socket.send(json.dumps([151, join]))
        await _read(socket, WARM_UP_SECONDS)
        began, cpu = time.perf_counter(), time.process_time()
        frames = await _read(socket, seconds)
        used, took = time.process_time() - cpu, time.perf_counter() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"frames": frames, "cpu": used, "seconds": took, "rss": most}))


async def _read(socket: ClientConnection, seconds: float) -> int:
    until = time.perf_counter() + seconds
    frames = 0
    while time.perf_counter() < until:
        text = await socket.recv()
        assert isinstance(text, str)
        if text.startswith("[4"):
            plain(text)
            frames += 1
    return frames


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], float(sys.argv[2]), sys.argv[3:]))
