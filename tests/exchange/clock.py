"""The exchange's own clock: off, drifting, stepped, or standing still until told to move."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MILLISECOND = 1_000_000


class Clock:
    """Exchange time in UTC.

    Running, it is the host's time plus `offset_ms`, drifting by `drift_ppm` from now on. With `manual` it
    stands still until `advance` or `step`. `at` sets the first reading, whatever the host says.
    """

    def __init__(
        self,
        *,
        offset_ms: float = 0.0,
        drift_ppm: float = 0.0,
        at: datetime | None = None,
        manual: bool = False,
        host: Callable[[], int] = time.time_ns,
    ) -> None:
        self._host = host
        self._origin_ns = host()
        self._base_ns = self._origin_ns if at is None else _nanoseconds(at)
        self._base_ns += round(offset_ms * MILLISECOND)
        self._drift_ppm = drift_ppm
        self.manual = manual

    def now_ns(self) -> int:
        return self._at(self._host())

    def _at(self, host_ns: int) -> int:
        if self.manual:
            return self._base_ns
        elapsed = host_ns - self._origin_ns
        return self._base_ns + elapsed + round(elapsed * self._drift_ppm / 1e6)

    def now_ms(self) -> int:
        return self.now_ns() // MILLISECOND

    def offset_ms(self) -> float:
        """How far this clock is ahead of the host's at this moment."""
        host_ns = self._host()
        return (self._at(host_ns) - host_ns) / MILLISECOND

    def step(self, milliseconds: float) -> None:
        """Jumps, forwards or backwards."""
        self._base_ns += round(milliseconds * MILLISECOND)

    def drift(self, ppm: float) -> None:
        """Drifts at another rate from now on; the reading of now does not change."""
        host_ns = self._host()
        self._base_ns, self._origin_ns = self._at(host_ns), host_ns
        self._drift_ppm = ppm

    def advance_to(self, now_ns: int) -> None:
        """Moves a clock that stands still; it never goes back this way."""
        if not self.manual:
            raise ValueError("this clock runs by itself: use step, or Clock(manual=True)")
        self._base_ns = max(self._base_ns, now_ns)


def next_midnight_ms(now_ms: int, *, hours_east: int = 0) -> int:
    """The first 00:00 after `now_ms` where the day begins `hours_east` of UTC (Istanbul: 3, all year)."""
    local = datetime.fromtimestamp(now_ms / 1000, UTC) + timedelta(hours=hours_east)
    tomorrow = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return round((tomorrow - timedelta(hours=hours_east)).timestamp() * 1000)


def _nanoseconds(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("the clock's first reading needs a time zone")
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
