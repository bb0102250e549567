"""How often one may ask. Pure: times are arguments, seconds of a clock that never steps back."""

from __future__ import annotations

from collections import deque
from typing import Final

RATES_DIFFER: Final = 1.001  # twice 500 ppm: the server's clock may run slower than ours
SHORTEST_WAIT: Final = 0.001  # so that a wait always moves a clock of floating point seconds


class Window:
    """At most `requests` in any span of `seconds`, as the server counts them.

    A request reaches the server somewhere between its start and its end, so it counts from its start until
    `seconds` after its END. Then no span of the server's own clock holds more, wherever the server lets its
    windows begin. (A bucket that refills while it is drained would let almost twice as many into one span.)
    """

    def __init__(self, requests: int, seconds: float) -> None:
        if requests < 1 or seconds <= 0:
            raise ValueError(
                f"a limit needs at least 1 request in more than 0 s, not {requests} in {seconds} s"
            )
        self._requests = requests
        self._seconds = seconds * RATES_DIFFER
        self._under_way = 0
        self._ended: deque[float] = deque()
        self._blocked_until: float | None = None

    def wait(self, now: float) -> float:
        """Seconds until another request may start, as far as is known; 0: now."""
        if self._blocked_until is not None and now < self._blocked_until:
            return max(self._blocked_until - now, SHORTEST_WAIT)
        while self._ended and self._ended[0] + self._seconds <= now:
            self._ended.popleft()
        if self._under_way + len(self._ended) < self._requests:
            return 0.0
        if self._ended:
            return max(self._ended[0] + self._seconds - now, SHORTEST_WAIT)
        return self._seconds  # all of them are under way, and none can end before now

    def start(self, now: float) -> None:
        """A request starts. Only when `wait` is 0."""
        if self.wait(now) > 0:
            raise ValueError("the limit has no room")
        self._under_way += 1

    def end(self, now: float) -> None:
        """A request that started is over, however it went."""
        self._under_way -= 1
        self._ended.append(max(now, self._ended[-1]) if self._ended else now)

    def block(self, until: float) -> None:
        """Nothing may start before `until`: the server said that the limit was overrun."""
        self._blocked_until = until if self._blocked_until is None else max(until, self._blocked_until)
