"""A thread with an event loop of its own, for what is awaited and yet blocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

T = TypeVar("T")
PATIENCE_SECONDS: Final = 10.0  # for what cannot be cancelled, at the end


class Aside:
    """What it runs shares one loop, as clients of HTTP want it, and never holds up the caller's."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    async def __call__(self, work: Coroutine[Any, Any, T]) -> T:
        """Raises what `work` raises. Cancelled, `work` is cancelled where it awaits next."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Runs `last`. Where something blocks for too long, the thread is left to end with the process."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self(last)
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, PATIENCE_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()
