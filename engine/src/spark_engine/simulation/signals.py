# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator"
"""Events of the built-in strategies on exact ticks (compiled; the rules of `kernel` hold here too)."""

from __future__ import annotations

import cython


def largest(column: cython.const[cython.longlong][::1]) -> int:
    """The largest of at least one value."""
    i: cython.Py_ssize_t
    most: cython.longlong = column[0]
    with cython.nogil:
        for i in range(len(column)):
            most = column[i] if column[i] > most else most
    return most


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def note(
    bar: cython.longlong[::1],
    target: cython.double[::1],
    count: cython.Py_ssize_t,
    at: cython.longlong,
    value: cython.double,
) -> cython.Py_ssize_t:
    if count < len(bar):
        bar[count] = at
        target[count] = value
    return count + 1


def sma_cross(
    ticks: cython.const[cython.longlong][::1],
    fast: cython.longlong,
    slow: cython.longlong,
    warmup: cython.Py_ssize_t,
    target_down: cython.double,
    bar: cython.longlong[::1],
    target: cython.double[::1],
) -> int:
    """Writes the events of a simple moving average crossing (SEMANTICS section 2); returns their number.

    ticks: warm-up and window. bar, target: filled with window indices and +1 or `target_down`; events beyond
    their length are counted only. Exact while max(ticks) * fast * slow < 2^63, with fast < slow.
    """
    rows: cython.Py_ssize_t = len(ticks)
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    fast_sum: cython.longlong = 0
    slow_sum: cython.longlong = 0
    difference: cython.longlong
    before: cython.longlong
    with cython.nogil:
        if rows > slow:
            for i in range(slow):
                slow_sum += ticks[i]
                if i >= slow - fast:
                    fast_sum += ticks[i]
            before = fast_sum * slow - slow_sum * fast
            for i in range(slow, rows):
                fast_sum += ticks[i] - ticks[i - fast]
                slow_sum += ticks[i] - ticks[i - slow]
                difference = fast_sum * slow - slow_sum * fast
                if i >= warmup:
                    if difference > 0 and before <= 0:
                        count = note(bar, target, count, i - warmup, 1.0)
                    elif difference < 0 and before >= 0:
                        count = note(bar, target, count, i - warmup, target_down)
                before = difference
    return count


def rsi(
    ticks: cython.const[cython.longlong][::1],
    period: cython.Py_ssize_t,
    lower: cython.double,
    upper: cython.double,
    warmup: cython.Py_ssize_t,
    target_down: cython.double,
    bar: cython.longlong[::1],
    target: cython.double[::1],
) -> int:
    """Writes the events of the relative strength index (Wilder, 1978; SEMANTICS section 2).

    Columns and result as `sma_cross`. Exact while max(ticks) * period < 2^63.
    """
    rows: cython.Py_ssize_t = len(ticks)
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    move: cython.longlong
    gains: cython.longlong = 0
    losses: cython.longlong = 0
    length: cython.double = period
    kept: cython.double = period - 1
    gain: cython.double
    loss: cython.double
    before: cython.double
    value: cython.double
    with cython.nogil:
        if rows > period:
            for i in range(1, period + 1):
                move = ticks[i] - ticks[i - 1]
                if move > 0:
                    gains += move
                else:
                    losses -= move
            gain = gains / length
            loss = losses / length
            before = strength(gain, loss)
            for i in range(period + 1, rows):
                move = ticks[i] - ticks[i - 1]
                gain = (gain * kept + (move if move > 0 else 0)) / length
                loss = (loss * kept + (-move if move < 0 else 0)) / length
                value = strength(gain, loss)
                if i >= warmup:
                    if value < lower and before >= lower:
                        count = note(bar, target, count, i - warmup, 1.0)
                    elif value > upper and before <= upper:
                        count = note(bar, target, count, i - warmup, target_down)
                before = value
    return count


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def strength(gain: cython.double, loss: cython.double) -> cython.double:
    if gain + loss == 0.0:
        return 50.0
    return (100.0 * gain) / (gain + loss)
