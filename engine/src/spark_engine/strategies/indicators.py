# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator"
"""Incremental indicators for event strategies (compiled): `update` with each new value, then read `value`.

`value` is NaN until `ready`. float64 throughout, in a fixed order of operations, so that every machine gives
the same bits. Windows cost the same whatever their length; sums are made anew once a window, so that rounding
errors do not pile up.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

import cython

from spark_engine.data.rows import zeros

NAN = cython.declare(cython.double, float("nan"))


def checked_length(name: str, length: int, least: int) -> int:
    if isinstance(length, bool) or not isinstance(length, int) or length < least:
        raise ValueError(f"{name}: length must be a whole number of at least {least}, is {length!r}")
    return length


@cython.final
@cython.cclass
class SMA:
    """Simple moving average of the last `length` values."""

    length = cython.declare(cython.Py_ssize_t, visibility="readonly")
    value = cython.declare(cython.double, visibility="readonly")
    ready = cython.declare(cython.bint, visibility="readonly")
    _ring: cython.double[::1]
    _at: cython.Py_ssize_t
    _sum: cython.double

    def __init__(self, length: int) -> None:
        self.length = checked_length("SMA", length, 1)
        self.value = NAN
        self.ready = False
        self._ring = zeros("d", length)
        self._at = 0
        self._sum = 0.0

    def update(self, value: cython.double) -> float:
        i: cython.Py_ssize_t
        self._sum += value - self._ring[self._at]
        self._ring[self._at] = value
        self._at += 1
        if self._at == self.length:
            self._at = 0
            self.ready = True
            self._sum = 0.0
            for i in range(self.length):
                self._sum += self._ring[i]
        if self.ready:
            self.value = self._sum / self.length
        return self.value

    def feed(self, values: Iterable[float]) -> None:
        """`update` with each of them, as in `on_start` with the warm-up."""
        for value in values:
            self.update(value)


@cython.final
@cython.cclass
class EMA:
    """Exponential moving average, weight 2 / (length + 1), from the mean of `length` values on (TA-Lib)."""

    length = cython.declare(cython.Py_ssize_t, visibility="readonly")
    value = cython.declare(cython.double, visibility="readonly")
    ready = cython.declare(cython.bint, visibility="readonly")
    _seen: cython.Py_ssize_t
    _sum: cython.double
    _weight: cython.double

    def __init__(self, length: int) -> None:
        self.length = checked_length("EMA", length, 1)
        self.value = NAN
        self.ready = False
        self._seen = 0
        self._sum = 0.0
        self._weight = 2.0 / (length + 1)

    def update(self, value: cython.double) -> float:
        if self.ready:
            self.value = (value - self.value) * self._weight + self.value
            return self.value
        self._sum += value
        self._seen += 1
        if self._seen == self.length:
            self.ready = True
            self.value = self._sum / self.length
        return self.value

    def feed(self, values: Iterable[float]) -> None:
        """`update` with each of them, as in `on_start` with the warm-up."""
        for value in values:
            self.update(value)


@cython.final
@cython.cclass
class RSI:
    """Relative strength index (Wilder, 1978), as the built-in `rsi`; ready after `length` + 1 values."""

    length = cython.declare(cython.Py_ssize_t, visibility="readonly")
    value = cython.declare(cython.double, visibility="readonly")
    ready = cython.declare(cython.bint, visibility="readonly")
    _seen: cython.Py_ssize_t
    _last: cython.double
    _gain: cython.double
    _loss: cython.double

    def __init__(self, length: int = 14) -> None:
        self.length = checked_length("RSI", length, 1)
        self.value = NAN
        self.ready = False
        self._seen = 0
        self._last = 0.0
        self._gain = 0.0
        self._loss = 0.0

    def update(self, value: cython.double) -> float:
        move: cython.double = value - self._last
        gain: cython.double = move if move > 0.0 else 0.0
        loss: cython.double = -move if move < 0.0 else 0.0
        self._last = value
        self._seen += 1
        if self._seen == 1:
            return self.value
        if self.ready:
            self._gain = (self._gain * (self.length - 1) + gain) / self.length
            self._loss = (self._loss * (self.length - 1) + loss) / self.length
        else:
            self._gain += gain
            self._loss += loss
            if self._seen <= self.length:
                return self.value
            self.ready = True
            self._gain = self._gain / self.length
            self._loss = self._loss / self.length
        if self._gain + self._loss == 0.0:
            self.value = 50.0
        else:
            self.value = (100.0 * self._gain) / (self._gain + self._loss)
        return self.value

    def feed(self, values: Iterable[float]) -> None:
        """`update` with each of them, as in `on_start` with the warm-up."""
        for value in values:
            self.update(value)


@cython.final
@cython.cclass
class ATR:
    """Average true range (Wilder, 1978), in the price's unit; ready after `length` + 1 bars (TA-Lib)."""

    length = cython.declare(cython.Py_ssize_t, visibility="readonly")
    value = cython.declare(cython.double, visibility="readonly")
    ready = cython.declare(cython.bint, visibility="readonly")
    _seen: cython.Py_ssize_t
    _close: cython.double
    _sum: cython.double

    def __init__(self, length: int = 14) -> None:
        self.length = checked_length("ATR", length, 1)
        self.value = NAN
        self.ready = False
        self._seen = 0
        self._close = 0.0
        self._sum = 0.0

    def update(self, high: cython.double, low: cython.double, close: cython.double) -> float:
        top: cython.double = high if high > self._close else self._close
        bottom: cython.double = low if low < self._close else self._close
        self._close = close
        self._seen += 1
        if self._seen == 1:
            return self.value
        if self.ready:
            self.value = (self.value * (self.length - 1) + (top - bottom)) / self.length
            return self.value
        self._sum += top - bottom
        if self._seen > self.length:
            self.ready = True
            self.value = self._sum / self.length
        return self.value

    def feed(self, high: Iterable[float], low: Iterable[float], close: Iterable[float]) -> None:
        """`update` with each bar, as in `on_start` with the warm-up."""
        for bar in zip(high, low, close, strict=True):
            self.update(bar[0], bar[1], bar[2])


@cython.final
@cython.cclass
class Highest:
    """The largest of the last `length` values."""

    length = cython.declare(cython.Py_ssize_t, visibility="readonly")
    value = cython.declare(cython.double, visibility="readonly")
    ready = cython.declare(cython.bint, visibility="readonly")
    _ends: Extremes

    def __init__(self, length: int) -> None:
        self.length = checked_length("Highest", length, 1)
        self.value = NAN
        self.ready = False
        self._ends = Extremes(length)

    def update(self, value: cython.double) -> float:
        largest: cython.double = -self._ends.push(-value)
        if self._ends.seen >= self.length:
            self.ready = True
            self.value = largest
        return self.value

    def feed(self, values: Iterable[float]) -> None:
        """`update` with each of them, as in `on_start` with the warm-up."""
        for value in values:
            self.update(value)


@cython.final
@cython.cclass
class Lowest:
    """The smallest of the last `length` values."""

    length = cython.declare(cython.Py_ssize_t, visibility="readonly")
    value = cython.declare(cython.double, visibility="readonly")
    ready = cython.declare(cython.bint, visibility="readonly")
    _ends: Extremes

    def __init__(self, length: int) -> None:
        self.length = checked_length("Lowest", length, 1)
        self.value = NAN
        self.ready = False
        self._ends = Extremes(length)

    def update(self, value: cython.double) -> float:
        smallest: cython.double = self._ends.push(value)
        if self._ends.seen >= self.length:
            self.ready = True
            self.value = smallest
        return self.value

    def feed(self, values: Iterable[float]) -> None:
        """`update` with each of them, as in `on_start` with the warm-up."""
        for value in values:
            self.update(value)


@cython.final
@cython.cclass
class Extremes:
    """A ring of the values that may still become the smallest of the window, rising from the smallest."""

    seen: cython.Py_ssize_t
    _length: cython.Py_ssize_t
    _values: cython.double[::1]
    _places: cython.longlong[::1]
    _head: cython.Py_ssize_t
    _size: cython.Py_ssize_t

    def __init__(self, length: int) -> None:
        self.seen = 0
        self._length = length
        self._values = zeros("d", length)
        self._places = zeros("q", length)
        self._head = 0
        self._size = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def push(self, value: cython.double) -> cython.double:
        last: cython.Py_ssize_t
        if self._size > 0 and self._places[self._head] <= self.seen - self._length:
            self._head = self._head + 1 if self._head + 1 < self._length else 0
            self._size -= 1
        while self._size > 0:
            last = self._head + self._size - 1
            if self._values[last if last < self._length else last - self._length] < value:
                break
            self._size -= 1
        last = self._head + self._size
        last = last if last < self._length else last - self._length
        self._values[last] = value
        self._places[last] = self.seen
        self._size += 1
        self.seen += 1
        return self._values[self._head]


@cython.final
@cython.cclass
class StandardDeviation:
    """Standard deviation of the last `length` values: of the population, or of a sample with `ddof=1`."""

    length = cython.declare(cython.Py_ssize_t, visibility="readonly")
    value = cython.declare(cython.double, visibility="readonly")
    ready = cython.declare(cython.bint, visibility="readonly")
    _ring: cython.double[::1]
    _at: cython.Py_ssize_t
    _ddof: cython.Py_ssize_t
    _middle: cython.double  # values are summed as distances from here: no cancellation
    _sum: cython.double
    _squares: cython.double

    def __init__(self, length: int, ddof: int = 0) -> None:
        if ddof not in (0, 1):
            raise ValueError(f"StandardDeviation: ddof must be 0 or 1, is {ddof!r}")
        self.length = checked_length("StandardDeviation", length, 1 + ddof)
        self.value = NAN
        self.ready = False
        self._ring = zeros("d", length)
        self._at = 0
        self._ddof = ddof
        self._middle = 0.0
        self._sum = 0.0
        self._squares = 0.0

    def update(self, value: cython.double) -> float:
        entering: cython.double = value - self._middle
        leaving: cython.double = self._ring[self._at] - self._middle
        squares: cython.double
        self._ring[self._at] = value
        self._sum += entering - leaving
        self._squares += entering * entering - leaving * leaving
        self._at += 1
        if self._at == self.length:
            self._at = 0
            self.ready = True
            self._settle()
        if self.ready:
            squares = self._squares - self._sum * self._sum / self.length
            self.value = sqrt(squares / (self.length - self._ddof)) if squares > 0.0 else 0.0
        return self.value

    @cython.cfunc
    @cython.exceptval(check=False)
    def _settle(self) -> cython.void:
        i: cython.Py_ssize_t
        total: cython.double = 0.0
        distance: cython.double
        for i in range(self.length):
            total += self._ring[i]
        self._middle = total / self.length
        self._sum = 0.0
        self._squares = 0.0
        for i in range(self.length):
            distance = self._ring[i] - self._middle
            self._sum += distance
            self._squares += distance * distance

    def feed(self, values: Iterable[float]) -> None:
        """`update` with each of them, as in `on_start` with the warm-up."""
        for value in values:
            self.update(value)
