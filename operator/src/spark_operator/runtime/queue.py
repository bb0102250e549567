"""A work queue as client-go's: an object is in it once, and with one worker at a time."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from spark_operator.runtime.metrics import QueueMetrics

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds: `first`, doubled with each failure in a row up to `longest`; chance leaves out up to half."""

    first: float = 0.25
    longest: float = 60.0

    def delay(self, failures: int, chance: float) -> float:
        """`failures` counts from 1; `chance` is in [0, 1)."""
        whole = min(self.longest, self.first * 2.0 ** min(failures - 1, 32))
        return whole * (1 - chance / 2)


class WorkQueue(Generic[K]):
    """All methods belong to one event loop, whose clock is used. `chance` gives numbers in [0, 1) for jitter.

    A key that is added while a worker has it is handed out again after that worker is done.
    """

    def __init__(self, chance: Callable[[], float], metrics: QueueMetrics, backoff: Backoff) -> None:
        self._chance = chance
        self._metrics = metrics
        self._backoff = backoff
        self._ready: deque[K] = deque()
        self._queued_at: dict[K, float] = {}
        self._taken_at: dict[K, float] = {}
        self._again: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._sequence = 0
        self._timer: asyncio.TimerHandle | None = None
        self._failures: dict[K, int] = {}
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._closed = False
        metrics.follow(depth=self.__len__, taken_at=self._taken_at.values, now=self._now)

    def __len__(self) -> int:
        """Keys that wait for a worker now."""
        return len(self._ready)

    def add(self, key: K) -> None:
        """At once; nothing when it waits already."""
        if self._closed or key in self._queued_at or key in self._again:
            return
        self._metrics.adds.inc()
        if key in self._taken_at:
            self._again.add(key)
        else:
            self._put(key)

    def add_after(self, key: K, seconds: float) -> None:
        """After some seconds; the earlier of two appointments holds. Handing the key out cancels it."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key)
            return
        due = self._now() + seconds
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            self._sequence += 1
            heapq.heappush(self._heap, (due, self._sequence, key))
            self._set_timer()

    def retry(self, key: K, at_least: float = 0.0) -> float:
        """After a failure: later with each one in a row, `at_least` so many seconds. Returns the delay."""
        self._failures[key] = self._failures.get(key, 0) + 1
        self._metrics.retries.inc()
        delay = max(at_least, self._backoff.delay(self._failures[key], self._chance()))
        self.add_after(key, delay)
        return delay

    def retry_at_once(self, key: K) -> None:
        """After a first failure that another look mends; it counts as one."""
        self._failures[key] = self._failures.get(key, 0) + 1
        self._metrics.retries.inc()
        self.add(key)

    def failures(self, key: K) -> int:
        """Failures in a row."""
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """No failures any more."""
        self._failures.pop(key, None)

    async def get(self) -> K | None:
        """The next key, to be given back with `done`. None: the queue is closed."""
        while not self._ready:
            if self._closed:
                return None
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                self._abandon(waiter)
                raise
        if self._closed:
            return None
        return self._take()

    def done(self, key: K) -> None:
        self._metrics.work_seconds.observe(self._now() - self._taken_at.pop(key))
        if key in self._again:
            self._again.discard(key)
            self._put(key)

    def close(self) -> None:
        """Nothing is handed out or accepted any more; workers finish what they have."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
        while self._waiters:
            self._wake()

    def _take(self) -> K:
        key, now = self._ready.popleft(), self._now()
        self._metrics.queue_seconds.observe(now - self._queued_at.pop(key))
        self._taken_at[key] = now
        self._due.pop(key, None)
        return key

    def _put(self, key: K) -> None:
        if self._closed:
            return
        self._ready.append(key)
        self._queued_at[key] = self._now()
        self._wake()

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _abandon(self, waiter: asyncio.Future[None]) -> None:
        """A cancelled worker hands its wake-up on."""
        if waiter.done() and not waiter.cancelled() and self._ready:
            self._wake()

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = (
            asyncio.get_running_loop().call_at(self._heap[0][0], self._release_due) if self._heap else None
        )

    def _release_due(self) -> None:
        now = self._now()
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)
        self._set_timer()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
