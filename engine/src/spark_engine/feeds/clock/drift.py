"""How fast the local clock loses or gains, from the quickest trades of each window.

A transit is receive time minus exchange time: the network's delay and the clocks' difference in one number.
Bursts delay thousands of trades at once, which ruins a plain regression; the quickest trade of a window was
delayed by hardly anything, so the line goes through those (reference/feeds.md 2.5).
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Final

WINDOW_NS: Final = 10_000_000_000
WINDOWS: Final = 60  # ten minutes
FEWEST_WINDOWS: Final = 6  # a line through less than a minute says nothing
MOST_PPM: Final = 100.0  # beyond it the clock is being moved, which is no drift


class QuickestTransits:
    """The quickest transit of each window of ten seconds, ten minutes of them, and the line through them."""

    __slots__ = ("_at", "_begin", "_closed", "_drift", "_highest", "_highest_at", "_quickest")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begins anew: the local clock was set, what was measured before says nothing any more."""
        self._closed: deque[tuple[int, int]] = deque(maxlen=WINDOWS)  # receive time, transit
        self._begin: int | None = None  # of the open window; None: no transit yet
        self._at = 0
        self._quickest = 0
        self._highest_at = 0
        self._highest = 0
        self._drift: float | None = None

    @property
    def empty(self) -> bool:
        return self._begin is None

    @property
    def drift_ppm(self) -> float | None:
        """Slope of receive minus exchange time, in millionths: negative where the local clock is slow.

        The median of the slopes between all pairs of windows (Theil 1950, Sen 1968): a window in which only
        delayed trades came does not move it. None for less than six windows, or for more than 100 ppm.
        """
        return self._drift

    def add(self, received_ns: int, transit_ns: int) -> None:
        if self._begin is None:
            self._open(received_ns, transit_ns)
            self._highest_at, self._highest = received_ns, -transit_ns
        elif not 0 <= received_ns - self._begin < WINDOW_NS:
            self._closed.append((self._at, self._quickest))
            self._open(received_ns, transit_ns)
            self._fit()
        elif transit_ns < self._quickest:
            self._at, self._quickest = received_ns, transit_ns
        if -transit_ns > self.floor_ns(received_ns):
            self._highest_at, self._highest = received_ns, -transit_ns

    def floor_ns(self, now_ns: int) -> int:
        """The least that the offset (exchange minus local time) can be, carried to `now_ns` by the drift.

        No trade arrives before it happens. ValueError without a transit.
        """
        if self._begin is None:
            raise ValueError("no transit was measured yet")
        if self._drift is None:
            return self._highest
        return self._highest - round((now_ns - self._highest_at) * self._drift / 1e6)

    def _open(self, received_ns: int, transit_ns: int) -> None:
        self._begin = received_ns if self._begin is None else _aligned(self._begin, received_ns)
        self._at, self._quickest = received_ns, transit_ns

    def _fit(self) -> None:
        self._drift = _slope_ppm(self._closed)
        slope = (self._drift or 0.0) / 1e6
        points = [*self._closed, (self._at, self._quickest)]
        highest = min(points, key=lambda point: point[1] - (point[0] - self._at) * slope)
        self._highest_at, self._highest = highest[0], -highest[1]


def _aligned(begin_ns: int, received_ns: int) -> int:
    """The begin of the window in which `received_ns` is."""
    return received_ns - (received_ns - begin_ns) % WINDOW_NS


def _slope_ppm(points: deque[tuple[int, int]]) -> float | None:
    if len(points) < FEWEST_WINDOWS:
        return None
    known = list(points)
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for place, earlier in enumerate(known)
        for later in known[place + 1 :]
        if later[0] != earlier[0]
    ]
    ppm = median(slopes) * 1e6 if slopes else 0.0
    return ppm if abs(ppm) <= MOST_PPM else None
