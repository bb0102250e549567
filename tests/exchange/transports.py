"""What stands between a WebSocket connection and its TCP transport while a fault lasts."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any


class Substitute:
    """Passes everything on to the real transport but what is written."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)


class Swallowing(Substitute):
    """Nothing that is written gets out: no data, no pong, no close frame, no FIN of a half-close."""

    def write(self, data: bytes) -> None:
        del data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        return None


class Dripping(Substitute):
    """Writes a few bytes at a time, in order, pings and pongs among them."""

    def __init__(self, transport: asyncio.Transport, bytes_per_second: float) -> None:
        super().__init__(transport)
        self._waiting = bytearray()
        self._bytes_per_second = bytes_per_second
        self._ends = False

    def write(self, data: bytes) -> None:
        self._waiting += data

    def get_write_buffer_size(self) -> int:
        return len(self._waiting) + self.transport.get_write_buffer_size()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self._ends = True

    async def drip(self) -> None:
        """For ever, in steps of 20 ms."""
        step = 0.02
        allowed = 0.0
        while True:
            allowed += self._bytes_per_second * step
            count = min(int(allowed), len(self._waiting))
            allowed -= int(allowed)
            self._pass_on(count)
            await asyncio.sleep(step)

    def flush(self) -> None:
        self._pass_on(len(self._waiting))
        if self._ends and not self.transport.is_closing():
            self.transport.write_eof()

    def _pass_on(self, count: int) -> None:
        if count and not self.transport.is_closing():
            self.transport.write(bytes(self._waiting[:count]))
            del self._waiting[:count]


def reset(transport: asyncio.Transport) -> None:
    """Ends the TCP connection with RST: what the peer has not read yet may be gone."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None and not transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
