"""Limits of requests: a period begins with the first request; one too many blocks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """At most `most` in `period_seconds`, else nothing for `block_seconds`. `period` is its spelling."""

    most: int
    period_seconds: float
    block_seconds: float
    period: str


TICKER = Limit(600, 60, 60, "1m")
ORDERBOOK = Limit(180, 60, 60, "1m")
TRADES = Limit(90, 60, 60, "1m")
OHLCS = Limit(120, 60, 60, "1m")
GRAPH = Limit(600, 600, 600, "10m")
CONNECTIONS = Limit(15, 60, 60, "1m")


class Limiter:
    """Counts for one limit. `scale` shortens its period and block alike."""

    def __init__(self, limit: Limit, scale: float = 1.0, now: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.refused = 0
        self._scale = scale
        self._now = now
        self._began = -math.inf
        self._count = 0
        self._blocked_until = -math.inf

    def refuse(self) -> float | None:
        """Counts a request; the seconds still to wait where it is refused, else None."""
        now = self._now()
        if now < self._blocked_until:
            self.refused += 1
            return self._blocked_until - now
        if now - self._began >= self.limit.period_seconds * self._scale:
            self._began, self._count = now, 0
        self._count += 1
        if self._count <= self.limit.most:
            return None
        self.refused += 1
        self._blocked_until = now + self.limit.block_seconds * self._scale
        self._began = -math.inf
        return self._blocked_until - now
