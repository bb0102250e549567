"""Ports that are given up for a while and taken again."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable


class Port:
    """Opens when it has been asked to as often as to shut: faults may overlap.

    Shut, it stays bound without listening: connections are refused, and nothing else can take it (a client
    that tries again and again may even connect to itself, from and to one free port).
    """

    def __init__(
        self, host: str, number: int, open_: Callable[[int], Awaitable[int]], close: Callable[[], None]
    ) -> None:
        self.number = number
        self._host = host
        self._open = open_
        self._close = close
        self._times_shut = 1
        self._kept: socket.socket | None = None

    async def listen(self) -> None:
        self._times_shut -= 1
        if self._times_shut == 0:
            self.number = await self._open(self.number)
            self._release()

    async def shut(self) -> None:
        self._times_shut += 1
        if self._times_shut == 1:
            self._close()
            self._kept = await self._bound()

    def give_up(self) -> None:
        """For good."""
        self._close()
        self._release()

    async def _bound(self) -> socket.socket:
        """As soon as the one that listened has let go, which takes a turn of the event loop."""
        kept = socket.socket()
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        async with asyncio.timeout(1):
            while True:
                try:
                    kept.bind((self._host, self.number))
                except OSError:
                    await asyncio.sleep(0.001)
                else:
                    return kept

    def _release(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None
