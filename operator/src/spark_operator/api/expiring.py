"""A bounded map whose entries are forgotten after a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Expiring(Generic[Key, Value]):
    """Answers by key, kept `seconds` long and at most `size` of them; the oldest go first."""

    def __init__(self, seconds: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[Key, tuple[float, Value]] = OrderedDict()

    async def get(self, key: Key, ask: Callable[[], Awaitable[Value]]) -> Value:
        """The kept answer, or a new one. A question that fails is not kept."""
        kept = self._entries.get(key)
        if kept and self._clock() < kept[0]:
            return kept[1]
        answer = await ask()
        self._entries.pop(key, None)
        self._entries[key] = (self._clock() + self._seconds, answer)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)
        return answer
