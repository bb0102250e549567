"""An asyncio loop on the simulated clock: where a real one would sleep, time jumps to what happens next."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from simulated.clock import Clock

T = TypeVar("T")


class NothingWillHappen(RuntimeError):
    """Everybody waits, nothing is on the agenda."""


class _Selector(selectors.SelectSelector):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            due = self._clock.next_time()
            if due is None:
                raise NothingWillHappen
            self._clock.advance(due)
        elif timeout > 0:
            self._clock.advance(self._clock.seconds + timeout)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Threads are not served: nothing wakes this loop from outside."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(_Selector(clock))
        self._simulated = clock

    def time(self) -> float:
        return self._simulated.seconds


def run(clock: Clock, main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, in simulated time."""
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(clock)) as runner:
        return runner.run(main)
