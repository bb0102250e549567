"""Percentiles of lag over the last minutes, in bounded memory and at a price that does not grow with them."""

from __future__ import annotations

from array import array
from math import ceil, exp, log
from typing import Final

RATIO: Final = 1.04  # of neighbouring bins: a percentile is read within 2 %
SMALLEST_MS: Final = 0.05  # what is less counts as this
LARGEST_MS: Final = 600_000.0  # what is more counts as this
SLICES: Final = 30
_STEP: Final = log(RATIO)
_BINS: Final = ceil(log(LARGEST_MS / SMALLEST_MS) / _STEP) + 1


class LagWindow:
    """Lags of the last `seconds` (to a thirtieth of that), in bins that grow by 4 %.

    `add` costs the same for any rate; a percentile is the geometric middle of its bin, so within 2 % of the
    true one between 0.05 ms and ten minutes. 50 KiB. Time that runs backwards counts as the newest slice.
    """

    def __init__(self, seconds: float = 300.0) -> None:
        self._slice_ns = max(1, round(seconds * 1e9 / SLICES))
        self._slices = [array("I", bytes(4 * _BINS)) for _ in range(SLICES)]
        self._total = array("Q", bytes(8 * _BINS))
        self._newest: int | None = None
        self._count = 0

    def add(self, now_ns: int, lag_ms: float) -> None:
        """One sample; what is below 0 counts as the smallest, what is not a number is refused: ValueError."""
        if lag_ms != lag_ms:
            raise ValueError("a lag must be a number")
        place = self._advance(now_ns)
        number = 0
        if lag_ms > SMALLEST_MS:
            number = min(_BINS - 1, round(log(min(lag_ms, LARGEST_MS) / SMALLEST_MS) / _STEP))
        self._slices[place][number] += 1
        self._total[number] += 1
        self._count += 1

    def count(self, now_ns: int) -> int:
        """Samples within the window."""
        self._advance(now_ns)
        return self._count

    def percentiles(
        self, now_ns: int, of: tuple[float, ...] = (50.0, 95.0, 99.0)
    ) -> tuple[float, ...] | None:
        """In ms: of each the smallest lag that so many percent do not exceed; None without samples."""
        self._advance(now_ns)
        if not self._count:
            return None
        return tuple(self._percentile(percent) for percent in of)

    def _percentile(self, percent: float) -> float:
        wanted = max(1, ceil(self._count * percent / 100))
        seen = 0
        for number, count in enumerate(self._total):
            seen += count
            if seen >= wanted:
                return SMALLEST_MS * exp(number * _STEP)
        raise AssertionError("the bins hold every sample")

    def _advance(self, now_ns: int) -> int:
        """Empties the slices that are over; the place of the newest one."""
        number = now_ns // self._slice_ns
        if self._newest is None:
            self._newest = number
        for over in range(max(self._newest, number - SLICES) + 1, number + 1):
            self._empty(over % SLICES)
        self._newest = max(self._newest, number)
        return self._newest % SLICES

    def _empty(self, place: int) -> None:
        slice_ = self._slices[place]
        for number, count in enumerate(slice_):
            if count:
                self._total[number] -= count
                self._count -= count
        self._slices[place] = array("I", bytes(4 * _BINS))
