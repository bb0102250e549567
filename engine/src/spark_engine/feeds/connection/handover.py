"""From the receive loop to whoever decodes: bounded, and never silently lossy."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

Frame = bytes
MIB: Final = 1024 * 1024


class Handover:
    """Frames with the time of their receipt, in order. All of it on one event loop.

    When the consumer is slow, nothing is dropped: at `frames` or `size` bytes it is `full`, and the
    connection reads no more from its socket until `room` (half of it) is there again. TCP then holds the
    venue back, which answers by closing the connection after a while; that is seen as any other close. The
    bound can be passed by what was read already: one chunk of the socket and one frame. `pauses` tells
    afterwards, `full` and `depth` now.
    """

    def __init__(self, *, frames: int = 16_384, size: int = 64 * MIB) -> None:
        self._frames = frames
        self._size = size
        self._waiting: deque[tuple[Frame, int]] = deque()
        self._bytes = 0
        self._closed = False
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.pauses = 0

    @property
    def depth(self) -> int:
        """Frames that wait."""
        return len(self._waiting)

    @property
    def bytes(self) -> int:
        return self._bytes

    @property
    def full(self) -> bool:
        return not self._room.is_set()

    def put(self, frame: Frame, received_ns: int) -> None:
        """Always accepts: to respect `full` is for whoever reads the socket."""
        self._waiting.append((frame, received_ns))
        self._bytes += len(frame)
        if self._room.is_set() and (len(self._waiting) >= self._frames or self._bytes >= self._size):
            self._room.clear()
            self.pauses += 1
        self._something.set()

    async def room(self) -> None:
        """Returns when no more than half of the bounds is taken."""
        await self._room.wait()

    async def take(self, most: int = 4_096) -> list[tuple[Frame, int]]:
        """The oldest frames, at least one; none only when closed and empty. Cancelling it loses nothing."""
        while not self._waiting and not self._closed:
            await self._something.wait()
        return self.take_now(most)

    def take_now(self, most: int = 4_096) -> list[tuple[Frame, int]]:
        """The oldest frames, none where none wait."""
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._bytes -= sum(len(frame) for frame, _ in taken)
        if not self._waiting and not self._closed:
            self._something.clear()
        if len(self._waiting) <= self._frames // 2 and self._bytes <= self._size // 2:
            self._room.set()
        return taken

    def close(self) -> None:
        """Nothing more will be put; `take` gives what is left, then empty lists."""
        self._closed = True
        self._something.set()
