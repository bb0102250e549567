# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator"
"""Events of the built-in strategies on exact ticks (compiled; the rules of `kernel` hold here too)."""

from __future__ import annotations

import cython

LARGEST = cython.declare(cython.double, 1.7976931348623157e308)


def largest(column: cython.const[cython.longlong][::1]) -> int:
    """The largest of at least one value."""
    i: cython.Py_ssize_t
    most: cython.longlong = column[0]
    with cython.nogil:
        for i in range(len(column)):
            most = column[i] if column[i] > most else most
    return most


def bits_set(column: cython.const[cython.longlong][::1]) -> int:
    """The bits that any value has: of values from 0 on, no less than the largest and less than twice it."""
    i: cython.Py_ssize_t
    bits: cython.longlong = 0
    with cython.nogil:
        for i in range(len(column)):
            bits |= column[i]
    return bits


def smallest(column: cython.const[cython.longlong][::1]) -> int:
    """The smallest of at least one value."""
    i: cython.Py_ssize_t
    least: cython.longlong = column[0]
    with cython.nogil:
        for i in range(len(column)):
            least = column[i] if column[i] < least else least
    return least


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


def ema_cross(
    ticks: cython.const[cython.longlong][::1],
    fast: cython.longlong,
    slow: cython.longlong,
    warmup: cython.Py_ssize_t,
    target_down: cython.double,
    bar: cython.longlong[::1],
    target: cython.double[::1],
) -> int:
    """Writes the events of two exponential moving averages that cross, as `sma_cross` for simple ones.

    EMA_n: at row n-1 the simple average of the first n ticks, an int64 sum divided once; then
    `((t - ema) * k) + ema` with k = 2 / (n + 1), in float64 (the definition and the order of TA-Lib).
    Sums are exact while max(ticks) * slow < 2^63; fast < slow.
    """
    rows: cython.Py_ssize_t = len(ticks)
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    fast_average: cython.double
    slow_average: cython.double
    fast_weight: cython.double = 2.0 / (fast + 1)
    slow_weight: cython.double = 2.0 / (slow + 1)
    tick: cython.double
    difference: cython.double
    before: cython.double
    with cython.nogil:
        if rows > slow:
            slow_average = first_average(ticks, 0, slow)
            fast_average = first_average(ticks, 0, fast)
            for i in range(fast, slow):
                tick = ticks[i]
                fast_average = (tick - fast_average) * fast_weight + fast_average
            before = fast_average - slow_average
            for i in range(slow, rows):
                tick = ticks[i]
                fast_average = (tick - fast_average) * fast_weight + fast_average
                slow_average = (tick - slow_average) * slow_weight + slow_average
                difference = fast_average - slow_average
                if i >= warmup:
                    if difference > 0.0 and before <= 0.0:
                        count = note(bar, target, count, i - warmup, 1.0)
                    elif difference < 0.0 and before >= 0.0:
                        count = note(bar, target, count, i - warmup, target_down)
                before = difference
    return count


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def first_average(
    ticks: cython.const[cython.longlong][::1], begin: cython.Py_ssize_t, length: cython.longlong
) -> cython.double:
    i: cython.Py_ssize_t
    total: cython.longlong = 0
    for i in range(begin, begin + length):
        total += ticks[i]
    return (total * 1.0) / length  # in Python an int by an int would round once, in C twice


def macd(
    ticks: cython.const[cython.longlong][::1],
    fast: cython.longlong,
    slow: cython.longlong,
    signal: cython.longlong,
    warmup: cython.Py_ssize_t,
    target_down: cython.double,
    bar: cython.longlong[::1],
    target: cython.double[::1],
) -> int:
    """Writes the events of the MACD line crossing its signal line (Appel, 1979), seeded as in TA-Lib.

    Line = EMA_fast - EMA_slow, both seeded at row slow-1 with the simple average of the last n ticks; signal
    line = EMA of the line, seeded with the mean of its first `signal` values, summed left to right. Columns,
    result and bounds as `ema_cross`. First possible event: row slow + signal - 1.
    """
    rows: cython.Py_ssize_t = len(ticks)
    i: cython.Py_ssize_t
    first: cython.Py_ssize_t = slow + signal - 2
    count: cython.Py_ssize_t = 0
    fast_average: cython.double
    slow_average: cython.double
    fast_weight: cython.double = 2.0 / (fast + 1)
    slow_weight: cython.double = 2.0 / (slow + 1)
    signal_weight: cython.double = 2.0 / (signal + 1)
    signal_length: cython.double = signal
    smoothed: cython.double
    tick: cython.double
    line: cython.double
    difference: cython.double
    before: cython.double
    with cython.nogil:
        if rows > first + 1:
            slow_average = first_average(ticks, 0, slow)
            fast_average = first_average(ticks, slow - fast, fast)
            line = fast_average - slow_average
            smoothed = line
            for i in range(slow, first + 1):
                tick = ticks[i]
                fast_average = (tick - fast_average) * fast_weight + fast_average
                slow_average = (tick - slow_average) * slow_weight + slow_average
                line = fast_average - slow_average
                smoothed += line
            smoothed = smoothed / signal_length
            before = line - smoothed
            for i in range(first + 1, rows):
                tick = ticks[i]
                fast_average = (tick - fast_average) * fast_weight + fast_average
                slow_average = (tick - slow_average) * slow_weight + slow_average
                line = fast_average - slow_average
                smoothed = (line - smoothed) * signal_weight + smoothed
                difference = line - smoothed
                if i >= warmup:
                    if difference > 0.0 and before <= 0.0:
                        count = note(bar, target, count, i - warmup, 1.0)
                    elif difference < 0.0 and before >= 0.0:
                        count = note(bar, target, count, i - warmup, target_down)
                before = difference
    return count


def bollinger(
    ticks: cython.const[cython.longlong][::1],
    base: cython.longlong,
    period: cython.longlong,
    width: cython.double,
    warmup: cython.Py_ssize_t,
    target_down: cython.double,
    bar: cython.longlong[::1],
    target: cython.double[::1],
) -> int:
    """Writes an up where the close comes back above the lower Bollinger band, a down back below the upper.

    Bands: SMA_n -/+ width * population standard deviation of n closes (Bollinger, 2001). No root and no
    cancellation: with D = n*t - sum(t_j) and P = sum((t_j - t)^2), both exact int64, the close is outside iff
    `(1 + width^2) * D^2 > (width^2 * n) * P`, since n*P = n^2*variance + D^2; below the band where D < 0.
    That is exact while both sides are below 2^53, else within 4 roundings. base: the least tick. Columns and
    result as `sma_cross`; the integers fit while 2 * n * (max(ticks) - base)^2 < 2^63.
    """
    rows: cython.Py_ssize_t = len(ticks)
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    tick: cython.longlong
    gone: cython.longlong
    total: cython.longlong = 0
    squares: cython.longlong = 0
    outside: cython.int
    before: cython.int
    squared: cython.double = width * width
    of_distance: cython.double = 1.0 + squared
    of_spread: cython.double = squared * period
    with cython.nogil:
        if rows > period:
            for i in range(period):
                tick = ticks[i] - base
                total += tick
                squares += tick * tick
            before = side_outside(ticks[period - 1] - base, period, total, squares, of_distance, of_spread)
            for i in range(period, rows):
                tick = ticks[i] - base
                gone = ticks[i - period] - base
                total += tick - gone
                squares += tick * tick - gone * gone
                outside = side_outside(tick, period, total, squares, of_distance, of_spread)
                if i >= warmup:
                    if before < 0 and outside >= 0:
                        count = note(bar, target, count, i - warmup, 1.0)
                    elif before > 0 and outside <= 0:
                        count = note(bar, target, count, i - warmup, target_down)
                before = outside
    return count


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def side_outside(
    tick: cython.longlong,
    period: cython.longlong,
    total: cython.longlong,
    squares: cython.longlong,
    of_distance: cython.double,
    of_spread: cython.double,
) -> cython.int:
    """-1 below the lower band, +1 above the upper one, 0 on or between them."""
    distance: cython.longlong = period * tick - total
    away: cython.double = distance * 1.0
    spread: cython.double = (squares - 2 * tick * total + period * tick * tick) * 1.0
    if of_distance * (away * away) > of_spread * spread:
        return 1 if distance > 0 else -1
    return 0


def donchian(
    high: cython.const[cython.double][::1],
    low: cython.const[cython.double][::1],
    close: cython.const[cython.double][::1],
    entry: cython.Py_ssize_t,
    leave: cython.Py_ssize_t,
    warmup: cython.Py_ssize_t,
    target_down: cython.double,
    highest: cython.double[::1],
    lowest: cython.double[::1],
    bar: cython.longlong[::1],
    target: cython.double[::1],
) -> int:
    """Writes an up where the close first rises above the highs of the `entry` bars before it, a down where it
    first falls below the lows of the `leave` bars before it (Donchian's channel; bar i itself is outside).

    "First": at i-1 the close was not beyond its own channel. Prices are the floats of whole ticks, so the
    comparisons are exact. Extremes of a window are those of the end of one block and the beginning of the
    next (van Herk, 1992), so that the cost does not depend on the windows. highest, lowest: room for `entry`
    and `leave` rows. Columns and result as `sma_cross`.
    """
    rows: cython.Py_ssize_t = len(close)
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    at_high: cython.Py_ssize_t = 0
    at_low: cython.Py_ssize_t = 0
    top: cython.double = 0.0
    bottom: cython.double = LARGEST
    upper: cython.double
    lower: cython.double
    above: cython.bint = False
    below: cython.bint = False
    was_above: cython.bint
    was_below: cython.bint
    with cython.nogil:
        for i in range(rows):
            if at_high == entry:
                highest_to_the_end(high, i - entry, highest)
                at_high = 0
                top = 0.0
            if at_low == leave:
                lowest_to_the_end(low, i - leave, lowest)
                at_low = 0
                bottom = LARGEST
            was_above = above
            was_below = below
            upper = highest[at_high] if highest[at_high] > top else top
            lower = lowest[at_low] if lowest[at_low] < bottom else bottom
            above = i >= entry and close[i] > upper
            below = i >= leave and close[i] < lower
            if i >= warmup:
                if above and not was_above and i > entry:
                    count = note(bar, target, count, i - warmup, 1.0)
                elif below and not was_below and i > leave:
                    count = note(bar, target, count, i - warmup, target_down)
            top = high[i] if high[i] > top else top
            bottom = low[i] if low[i] < bottom else bottom
            at_high += 1
            at_low += 1
    return count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def highest_to_the_end(
    column: cython.const[cython.double][::1], begin: cython.Py_ssize_t, highest: cython.double[::1]
) -> cython.void:
    i: cython.Py_ssize_t
    top: cython.double = 0.0
    for i in range(len(highest) - 1, -1, -1):
        top = column[begin + i] if column[begin + i] > top else top
        highest[i] = top


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def lowest_to_the_end(
    column: cython.const[cython.double][::1], begin: cython.Py_ssize_t, lowest: cython.double[::1]
) -> cython.void:
    i: cython.Py_ssize_t
    bottom: cython.double = LARGEST
    for i in range(len(lowest) - 1, -1, -1):
        bottom = column[begin + i] if column[begin + i] < bottom else bottom
        lowest[i] = bottom
