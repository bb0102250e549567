"""How long to stay away after a failure. Pure but for the chance it is given."""

from __future__ import annotations

import random
from collections.abc import Callable

from spark_engine.feeds.rest.retries import full_jitter


class Backoff:
    """Exponential with full jitter; forgets its failures only after `stable_seconds` of healthy data.

    A venue that accepts and then drops is a failing venue: neither connecting nor subscribing resets.
    `jitter`: uniform in [0, 1). Times are seconds of a clock that never steps back.
    """

    def __init__(
        self,
        *,
        first: float = 1.0,
        factor: float = 2.0,
        cap: float = 60.0,
        stable_seconds: float = 30.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._first = first
        self._factor = factor
        self._cap = cap
        self._stable_seconds = stable_seconds
        self._jitter = jitter
        self._healthy_since: float | None = None
        self._attempt = 0

    @property
    def attempt(self) -> int:
        """Failures in a row."""
        return self._attempt

    def healthy(self, now: float) -> None:
        """Market data that could be read has come over this connection."""
        if self._healthy_since is None:
            self._healthy_since = now
        elif now - self._healthy_since >= self._stable_seconds:
            self._attempt = 0

    def delay(self, *, floor: float = 0.0) -> float:
        """The connection ended or was refused: seconds until the next attempt.

        Uniform in [floor, floor + min(cap, first * factor**(failures - 1))): also those who were all told
        to stay away for a minute must not come back together.
        """
        self._healthy_since = None
        self._attempt += 1
        bound = full_jitter(
            self._attempt, first=self._first, factor=self._factor, cap=self._cap, chance=self._jitter()
        )
        return floor + bound
