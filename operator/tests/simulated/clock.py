"""Time that passes only when everybody waits, and choices that are the same in every run."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """Seconds since the start, and what is to happen at which of them."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def timestamp(self) -> str:
        """Now in whole seconds, as Kubernetes writes times."""
        return self.now().isoformat(timespec="seconds").replace("+00:00", "Z")

    def after(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.seconds + delay, next(self._order), action))

    def next_time(self) -> float | None:
        """When something happens next by itself."""
        return self._agenda[0][0] if self._agenda else None

    def advance(self, until: float) -> None:
        """To the next event of the agenda, which then happens; to `until` where that is earlier."""
        due = self.next_time()
        if due is None or due > until:
            self.seconds = max(self.seconds, until)
            return
        self.seconds, _, action = heapq.heappop(self._agenda)
        action()


class Chance:
    """A choice is a function of the seed and of what it is about, never of how many were made before."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def between(self, low: float, high: float, *subject: object) -> float:
        text = "\0".join(map(str, (self._seed, *subject)))
        share = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48
        return low + (high - low) * share
