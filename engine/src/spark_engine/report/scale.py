"""Axes: where a value lies between 0 and 1, and which round values are worth a line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Protocol

from spark_engine.report.formatting import EPOCH, moment, number, scientific

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SHORT_STEPS = (
    1_000, 5_000, 15_000, 30_000, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE,
    HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 10 * DAY,
)  # fmt: skip
MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600)
LEAST_LOGARITHMIC = 1e-100  # what is less has no ratio to an ordinary amount that a float could hold


@dataclass(frozen=True, slots=True)
class Tick:
    """`at` is a fraction of the axis: from the left, or from the bottom."""

    at: float
    label: str


class Scale(Protocol):
    def place(self, value: float) -> float:
        """The fraction of the axis at which `value` lies; 0 is `low`, 1 is `high`."""

    def ticks(self) -> list[Tick]:
        """Round values in ascending order."""


@dataclass(frozen=True, slots=True)
class LinearScale:
    low: float
    high: float
    as_percent: bool = False

    def place(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[Tick]:
        factor = 100 if self.as_percent else 1
        values = _round_values(self.low * factor, self.high * factor)
        unit = "%" if self.as_percent else ""
        return [Tick(self.place(value / factor), label + unit) for value, label in _labelled(values)]


@dataclass(frozen=True, slots=True)
class LogScale:
    """Both ends must be positive, and far from the least and the greatest float."""

    low: float
    high: float

    def place(self, value: float) -> float:
        return math.log(value / self.low) / math.log(self.high / self.low)

    def ticks(self) -> list[Tick]:
        values = self._decade_values()
        if len(values) < 3:
            values = [value for value in _round_values(self.low, self.high) if value > 0]
        return [Tick(self.place(value), _axis_label(value, value)) for value in values]

    def _decade_values(self) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        steps = (1, 2, 5) if last - first <= 3 else (1,)
        stride = max(1, (last - first) // 6)
        values = (step * 10.0**decade for decade in range(first, last + 1, stride) for step in steps)
        return [value for value in values if self.low <= value <= self.high]


def padded(values: Iterable[float], *, log: bool = False, margin: float = 0.05) -> Scale:
    """A scale that holds all finite values with some air; a flat series lies in the middle."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if log and low >= LEAST_LOGARITHMIC:
        ratio = max(high / low, 1.001) ** margin
        return LogScale(low / ratio, high * ratio)
    room = (high - low) * margin
    smallest = max(abs(low), abs(high)) * 1e-3 or 1.0
    if high - low < smallest * 1e-3:
        room = smallest
    return LinearScale(low - room, high + room)


@dataclass(frozen=True, slots=True)
class TimeScale:
    """ms UTC, `start` < `stop`."""

    start: float
    stop: float

    def place(self, ts: float) -> float:
        return (ts - self.start) / (self.stop - self.start)

    def ticks(self, limit: int = 9) -> list[Tick]:
        first, last = moment(self.start), moment(self.stop)
        if first is None or last is None:
            return []
        for step in SHORT_STEPS:
            if (self.stop - self.start) / step <= limit:
                return self._short_ticks(step)
        for months in MONTH_STEPS:
            ticks = self._month_ticks(first, last, months)
            if len(ticks) <= limit:
                return ticks
        return []

    def _short_ticks(self, step: int) -> list[Tick]:
        start = math.ceil(self.start / step) * step
        stamps = [start + step * k for k in range(int((self.stop - start) // step) + 1)]
        return [Tick(self.place(ts), _short_label(ts, step)) for ts in stamps]

    def _month_ticks(self, first: datetime, last: datetime, months: int) -> list[Tick]:
        start = (first.year * 12 + first.month - 1) // months * months
        ticks = []
        for month in range(start, last.year * 12 + last.month, months):
            year, index = divmod(month, 12)
            if not 1 <= year <= 9999:
                continue
            at = EPOCH.replace(year=year, month=index + 1)
            place = self.place((at - EPOCH).total_seconds() * 1000)
            if 0 <= place <= 1:
                ticks.append(Tick(place, f"{year:04}" if months >= 12 else at.strftime("%b %Y")))
        return ticks


def _short_label(ts: float, step: int) -> str:
    at = moment(ts)
    if at is None:
        return ""
    if step >= DAY or ts % DAY == 0:
        return f"{at.day} {at.strftime('%b')}"
    return at.strftime("%H:%M:%S" if step < MINUTE else "%H:%M")


def _round_values(low: float, high: float, count: int = 5) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within [low, high], about `count` of them."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return []
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next((factor for factor in (1, 2, 5) if factor * power >= rough), 10)
    first = math.ceil(low / step)
    return [(first + k) * step for k in range(count + 2) if (first + k) * step <= high]


def _labelled(values: list[float]) -> list[tuple[float, str]]:
    alone = abs(values[0]) if values else 1.0
    step = min((after - before for before, after in pairwise(values)), default=alone)
    return [(value, _axis_label(value, step)) for value in values]


def _axis_label(value: float, step: float) -> str:
    """As short as tells neighbours apart: 0.25, 1,500, 12.5M, 3e−8."""
    magnitude = abs(value)
    if value == 0 or step == 0 or magnitude < step * 1e-6:
        return "0"
    for threshold, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if threshold <= magnitude < threshold * 1e3:
            return number(value / threshold, _decimals(step / threshold)) + suffix
    if magnitude >= 1e15 or magnitude < 1e-5:
        digits = 1 + max(0, math.floor(math.log10(magnitude)) - math.floor(math.log10(step)))
        return scientific(value, min(digits, 6))
    return number(value, _decimals(step))


def _decimals(step: float) -> int:
    return max(0, min(12, -math.floor(math.log10(step) + 1e-9)))
