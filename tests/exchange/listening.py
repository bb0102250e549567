"""Ports that are given up for a while and taken again."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable


class Port:
    """Opens when it has been asked to as often as to shut: faults may overlap.

    Shut, it stays bound without listening: connections are refused, and nothing else can take it (a client
    that tries again and again may even connect to itself, from and to one free port).
    """

    def __init__(self, host: str, number: int, open_: Callable[[int], Awaitable[int]]) -> None:
        self.number = number
        self._host = host
        self._open = open_
        self._shut = 1
        self._kept: socket.socket | None = None

    async def listen(self) -> None:
        self._shut -= 1
        if self._shut:
            return
        self.number = await self._open(self.number)
        self.release()

    def shut(self, close: Callable[[], None]) -> None:
        self._shut += 1
        if self._shut > 1:
            return
        close()
        self._kept = socket.socket()
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept.bind((self._host, self.number))

    def release(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None
