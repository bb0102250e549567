# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator"
"""Single passes over the columns of a finished run (compiled; the rules of `simulation.columns` hold here).

A bucket is `size` consecutive bars, the last one maybe fewer. Sums carry their rounding errors along (Knuth,
The Art of Computer Programming 2, section 4.2.2, theorem B), so that they agree with `math.fsum`.
"""

from __future__ import annotations

import cython

COMPILED: bool = cython.compiled
NAN = cython.declare(cython.double, float("nan"))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def lost(total: cython.double, value: cython.double) -> cython.double:
    """What `total + value` loses by rounding."""
    rounded: cython.double = total + value
    part: cython.double = rounded - total
    return (total - (rounded - part)) + (value - part)


def lowest(
    values: cython.const[cython.double][::1], size: cython.Py_ssize_t, low: cython.double[::1]
) -> None:
    """The least value of each bucket."""
    i: cython.Py_ssize_t
    bucket: cython.Py_ssize_t
    least: cython.double
    with cython.nogil:
        for bucket in range(len(low)):
            least = values[bucket * size]
            for i in range(bucket * size + 1, min((bucket + 1) * size, len(values))):
                if values[i] < least:
                    least = values[i]
            low[bucket] = least


def highest(
    values: cython.const[cython.double][::1], size: cython.Py_ssize_t, high: cython.double[::1]
) -> None:
    """The greatest value of each bucket."""
    i: cython.Py_ssize_t
    bucket: cython.Py_ssize_t
    greatest: cython.double
    with cython.nogil:
        for bucket in range(len(high)):
            greatest = values[bucket * size]
            for i in range(bucket * size + 1, min((bucket + 1) * size, len(values))):
                if values[i] > greatest:
                    greatest = values[i]
            high[bucket] = greatest


def drawdowns(
    equity: cython.const[cython.double][::1], initial_cash: cython.double, drawdown: cython.double[::1]
) -> None:
    """`1 - E/peak` at each bar; the peak starts at `initial_cash` > 0 (SEMANTICS section 8)."""
    i: cython.Py_ssize_t
    peak: cython.double = initial_cash
    with cython.nogil:
        for i in range(len(equity)):
            if equity[i] > peak:
                peak = equity[i]
            drawdown[i] = 1.0 - equity[i] / peak


def episodes(
    equity: cython.const[cython.double][::1],
    initial_cash: cython.double,
    peaks: cython.longlong[::1],
    troughs: cython.longlong[::1],
    recoveries: cython.longlong[::1],
    depths: cython.double[::1],
) -> int:
    """The falls below a peak, `statistics.risk_drawdowns`: their number; a recovery of -1 is none."""
    i: cython.Py_ssize_t
    found: cython.Py_ssize_t = 0
    peak: cython.double = initial_cash
    low: cython.double = initial_cash
    peak_bar: cython.Py_ssize_t = 0
    low_bar: cython.Py_ssize_t = 0
    with cython.nogil:
        for i in range(len(equity)):
            if equity[i] >= peak:
                if low < peak:
                    peaks[found] = peak_bar
                    troughs[found] = low_bar
                    recoveries[found] = i
                    depths[found] = 1.0 - low / peak
                    found += 1
                peak = equity[i]
                low = equity[i]
                peak_bar = i
            elif equity[i] < low:
                low = equity[i]
                low_bar = i
        if low < peak:
            peaks[found] = peak_bar
            troughs[found] = low_bar
            recoveries[found] = -1
            depths[found] = 1.0 - low / peak
            found += 1
    return found


def bucket_exposures(
    position: cython.const[cython.double][::1],
    close: cython.const[cython.double][::1],
    equity: cython.const[cython.double][::1],
    size: cython.Py_ssize_t,
    long: cython.double[::1],
    short: cython.double[::1],
) -> None:
    """Mean of |q*C|/E over each bucket's bars, long and short apart; NaN where equity is 0 or less."""
    i: cython.Py_ssize_t
    bucket: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    weight: cython.double
    net: cython.double
    net_lost: cython.double
    gross: cython.double
    gross_lost: cython.double
    sound: cython.bint
    with cython.nogil:
        for bucket in range(len(long)):
            stop = min((bucket + 1) * size, len(equity))
            net = net_lost = gross = gross_lost = 0.0
            sound = True
            for i in range(bucket * size, stop):
                if equity[i] <= 0.0:
                    sound = False
                elif position[i] != 0.0:
                    weight = position[i] * close[i] / equity[i]
                    net_lost += lost(net, weight)
                    net += weight
                    weight = abs(weight)
                    gross_lost += lost(gross, weight)
                    gross += weight
            net += net_lost
            gross += gross_lost
            long[bucket] = (gross + net) / 2.0 / (stop - bucket * size) if sound else NAN
            short[bucket] = (gross - net) / 2.0 / (stop - bucket * size) if sound else NAN


def running_sums(
    equity: cython.const[cython.double][::1],
    size: cython.Py_ssize_t,
    s1: cython.double[::1],
    s2: cython.double[::1],
    unsound: cython.longlong[::1],
) -> None:
    """Sums of the returns and of their squares up to the begin of each bucket, and up to the end.

    Outputs are one longer than there are buckets. A bucket with a return on equity of 0 or less adds 1 to
    `unsound` and nothing else.
    """
    i: cython.Py_ssize_t
    bucket: cython.Py_ssize_t
    change: cython.double
    sum1: cython.double
    sum2: cython.double
    lost1: cython.double
    lost2: cython.double
    sound: cython.bint
    with cython.nogil:
        s1[0] = s2[0] = 0.0
        unsound[0] = 0
        for bucket in range(len(s1) - 1):
            sum1 = sum2 = lost1 = lost2 = 0.0
            sound = True
            for i in range(max(1, bucket * size), min((bucket + 1) * size, len(equity))):
                if equity[i - 1] <= 0.0:
                    sound = False
                elif equity[i] != equity[i - 1]:
                    change = equity[i] / equity[i - 1] - 1.0
                    lost1 += lost(sum1, change)
                    sum1 += change
                    change *= change
                    lost2 += lost(sum2, change)
                    sum2 += change
            s1[bucket + 1] = s1[bucket] + (sum1 + lost1 if sound else 0.0)
            s2[bucket + 1] = s2[bucket] + (sum2 + lost2 if sound else 0.0)
            unsound[bucket + 1] = unsound[bucket] + (0 if sound else 1)


def day_ends(
    times: cython.const[cython.longlong][::1],
    day_end: cython.longlong,
    day_length: cython.longlong,
    rows: cython.longlong[::1],
) -> int:
    """The last bar of each day, and how many; times and days as in `columns.equity_sums`."""
    bars: cython.Py_ssize_t = len(times)
    i: cython.Py_ssize_t
    found: cython.Py_ssize_t = 0
    with cython.nogil:
        for i in range(bars):
            if i + 1 == bars or times[i + 1] >= day_end:
                rows[found] = i
                found += 1
                while i + 1 < bars and times[i + 1] >= day_end:
                    day_end += day_length
    return found


def take(
    values: cython.const[cython.double][::1],
    rows: cython.const[cython.longlong][::1],
    taken: cython.double[::1],
) -> None:
    """The values of `rows`."""
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(rows)):
            taken[i] = values[rows[i]]


def take_whole(
    values: cython.const[cython.longlong][::1],
    rows: cython.const[cython.longlong][::1],
    taken: cython.longlong[::1],
) -> None:
    """The values of `rows`."""
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(rows)):
            taken[i] = values[rows[i]]


def count_up(rows: cython.longlong[::1]) -> None:
    """0, 1, 2, ..."""
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(rows)):
            rows[i] = i


def ratios(values: cython.const[cython.double][::1], growth: cython.double[::1]) -> None:
    """Each value over the one before it: one fewer than values."""
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(growth)):
            growth[i] = values[i + 1] / values[i]


def sort(bits: cython.longlong[::1], spare: cython.longlong[::1]) -> None:
    """float64 values of 0 and more, seen as int64, into ascending order: byte by byte from the last one."""
    source: cython.longlong[::1] = bits
    target: cython.longlong[::1] = spare
    begins = cython.declare(cython.Py_ssize_t[256])
    rows: cython.Py_ssize_t = len(bits)
    i: cython.Py_ssize_t
    digit: cython.Py_ssize_t
    begin: cython.Py_ssize_t
    count: cython.Py_ssize_t
    shift: cython.int
    alike: cython.bint
    moved: cython.bint = False
    for shift in range(0, 64, 8):
        with cython.nogil:
            for digit in range(256):
                begins[digit] = 0
            for i in range(rows):
                begins[(source[i] >> shift) & 255] += 1
            alike = False
            begin = 0
            for digit in range(256):
                count = begins[digit]
                alike |= count == rows
                begins[digit] = begin
                begin += count
            if not alike:
                for i in range(rows):
                    digit = (source[i] >> shift) & 255
                    target[begins[digit]] = source[i]
                    begins[digit] += 1
        if not alike:
            source, target = target, source
            moved = not moved
    if moved:
        bits[:] = source


def returns_from(growth: cython.double[::1]) -> None:
    """Ratios become returns, in place."""
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(growth)):
            growth[i] = growth[i] - 1.0


def negate(values: cython.const[cython.double][::1], negated: cython.double[::1]) -> None:
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(values)):
            negated[i] = -values[i]


def total(values: cython.const[cython.double][::1]) -> float:
    i: cython.Py_ssize_t
    whole: cython.double = 0.0
    rest: cython.double = 0.0
    with cython.nogil:
        for i in range(len(values)):
            rest += lost(whole, values[i])
            whole += values[i]
    return whole + rest


def central_sums(values: cython.const[cython.double][::1], mean: cython.double) -> tuple[float, ...]:
    """Sums of the second, third and fourth powers of the distance from `mean`."""
    i: cython.Py_ssize_t
    distance: cython.double
    square: cython.double
    third: cython.double
    fourth: cython.double
    c2: cython.double = 0.0
    c3: cython.double = 0.0
    c4: cython.double = 0.0
    lost2: cython.double = 0.0
    lost3: cython.double = 0.0
    lost4: cython.double = 0.0
    with cython.nogil:
        for i in range(len(values)):
            distance = values[i] - mean
            square = distance * distance
            third = square * distance
            fourth = square * square
            lost2 += lost(c2, square)
            c2 += square
            lost3 += lost(c3, third)
            c3 += third
            lost4 += lost(c4, fourth)
            c4 += fourth
    return c2 + lost2, c3 + lost3, c4 + lost4


def least_rows(values: cython.const[cython.double][::1], rows: cython.longlong[::1]) -> int:
    """The rows of the least values, the least first (equals: the earlier); how many there are."""
    i: cython.Py_ssize_t
    at: cython.Py_ssize_t
    found: cython.Py_ssize_t = 0
    most: cython.Py_ssize_t = len(rows)
    with cython.nogil:
        for i in range(len(values)):
            if found == most:
                if most == 0 or not values[i] < values[rows[most - 1]]:
                    continue
                found -= 1
            at = found
            while at > 0 and values[i] < values[rows[at - 1]]:
                rows[at] = rows[at - 1]
                at -= 1
            rows[at] = i
            found += 1
    return found


def exposure_sums(
    equity: cython.const[cython.double][::1],
    cash: cython.const[cython.double][::1],
    position: cython.const[cython.double][::1],
) -> tuple[float, ...]:
    """Bars long and short, least equity, and of `(E - cash)/E` the sum, the sum of sizes, and the row and
    value of the greatest size. All ratios count only where equity stays above 0."""
    i: cython.Py_ssize_t
    long: cython.Py_ssize_t = 0
    short: cython.Py_ssize_t = 0
    row: cython.Py_ssize_t = 0
    least: cython.double = equity[0]
    weight: cython.double
    most: cython.double = -1.0
    net: cython.double = 0.0
    net_lost: cython.double = 0.0
    gross: cython.double = 0.0
    gross_lost: cython.double = 0.0
    with cython.nogil:
        for i in range(len(equity)):
            long += position[i] > 0.0
            short += position[i] < 0.0
            if equity[i] < least:
                least = equity[i]
            if least <= 0.0:
                continue
            weight = (equity[i] - cash[i]) / equity[i]
            net_lost += lost(net, weight)
            net += weight
            weight = abs(weight)
            gross_lost += lost(gross, weight)
            gross += weight
            if weight > most:
                most = weight
                row = i
    return long, short, least, net + net_lost, gross + gross_lost, row, most
