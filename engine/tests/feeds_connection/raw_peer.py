"""A server that misbehaves byte by byte."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.frames import Opcode


class RawPeer:
    """One accepted connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def shake_hands(self) -> None:
        """RFC 6455, 4.2.2."""
        request = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line.split(":")[1].strip() for line in request.splitlines() if "Sec-WebSocket-Key" in line)
        accepted = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False)
        accept = base64.b64encode(accepted.digest())
        await self.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    async def opcode(self) -> Opcode:
        """Reads the next frame, a short one of a client, and says of what kind it is."""
        kind, size = await self.reader.readexactly(2)
        await self.reader.readexactly(4 + (size & 0x7F))  # the mask, the payload
        return Opcode(kind & 0x0F)

    async def joins(self) -> None:
        """Both texts with which `Observed` subscribes."""
        assert [await self.opcode(), await self.opcode()] == [Opcode.TEXT, Opcode.TEXT]

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def text(self, payload: bytes) -> None:
        await self.write(frame_bytes(payload))

    def cut(self) -> None:
        """FIN, in the middle of whatever was being said."""
        self.writer.close()

    def reset(self) -> None:
        """RST."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def silence(self) -> None:
        """Reads and says nothing."""
        while await self.reader.read(65_536):
            pass


def frame_bytes(payload: bytes, opcode: int = 1) -> bytes:
    """One unmasked frame, as a server sends it."""
    if len(payload) < 126:
        head = bytes([0x80 | opcode, len(payload)])
    else:
        head = bytes([0x80 | opcode, 127]) + len(payload).to_bytes(8, "big")
    return head + payload


@asynccontextmanager
async def raw_server(behave: Callable[[RawPeer], Awaitable[None]]) -> AsyncIterator[str]:
    """Every connection is given to `behave`, then closed. Gives the ws:// address."""
    tasks: set[asyncio.Task[Any]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await behave(RawPeer(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"ws://127.0.0.1:{port}/"
    finally:
        server.close()
        for task in tasks.copy():
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
