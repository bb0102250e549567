# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator"
"""Passes over candle columns: ordinary Python that Cython compiles ahead of time.

Columns are one-dimensional contiguous buffers: int64 ("q"), float64 ("d"), int8 ("b"). Callers check that
lengths agree; nothing here does. Division keeps Python's meaning (cdivision is off), so that compiled and
uncompiled agree in every bit. An index of -1 means that no row is concerned.
"""

from __future__ import annotations

import cython

COMPILED: bool = cython.compiled
PARTIAL = cython.declare(cython.int, 1)
FEED_DOWN = cython.declare(cython.int, 3)
INFINITY = cython.declare(cython.double, float("inf"))
TOLERANCE = cython.declare(cython.double, 1e-9)
TICK_TOLERANCE = cython.declare(cython.double, 1e-12)
MOST_TICKS = cython.declare(cython.double, 9.2e18)


def unsorted_rows(ts: cython.const[cython.longlong][::1]) -> int:
    """Rows that stand after a row of a later time."""
    rows: cython.Py_ssize_t = len(ts)
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    if rows == 0:
        return 0
    latest: cython.longlong = ts[0]
    for i in range(1, rows):
        if ts[i] < latest:
            count += 1
        else:
            latest = ts[i]
    return count


def fill_nulls(
    values: cython.double[::1],
    validity: cython.const[cython.uchar][::1],
    offset: cython.longlong,
    fill: cython.double,
) -> None:
    """Writes `fill` where the Arrow validity bitmap, read from bit `offset`, holds a 0."""
    i: cython.Py_ssize_t
    bit: cython.longlong
    for i in range(len(values)):
        bit = offset + i
        if ((validity[bit >> 3] >> (bit & 7)) & 1) == 0:
            values[i] = fill


def epochs_to_ms(
    values: cython.longlong[::1],
    earliest: cython.longlong,
    latest: cython.longlong,
    first_date: cython.longlong,
    last_date: cython.longlong,
) -> int:
    """Epoch seconds, ms, us or ns, told apart by magnitude, become ms in place (floored).

    Returns the first row that reads as a date (`first_date` to `last_date`, as 20240131) or lies outside
    [earliest, latest) ms; rows from there on are unchanged.
    """
    i: cython.Py_ssize_t
    value: cython.longlong
    for i in range(len(values)):
        value = values[i]
        if first_date <= value <= last_date:
            return i
        if -100_000_000_000 < value < 100_000_000_000:
            value = value * 1000
        elif -100_000_000_000_000 < value < 100_000_000_000_000:
            pass
        elif -100_000_000_000_000_000 < value < 100_000_000_000_000_000:
            value = value // 1000
        else:
            value = value // 1_000_000
        if value < earliest or value >= latest:
            return i
        values[i] = value
    return -1


def units_to_ms(
    values: cython.longlong[::1],
    multiply: cython.longlong,
    divide: cython.longlong,
    earliest: cython.longlong,
    latest: cython.longlong,
) -> int:
    """value * multiply // divide in place. Returns the first row outside [earliest, latest) ms."""
    i: cython.Py_ssize_t
    value: cython.longlong
    for i in range(len(values)):
        value = values[i]
        if multiply > 1:
            if not -10_000_000_000_000 < value < 10_000_000_000_000:
                return i
            value = value * multiply
        else:
            value = value // divide
        if value < earliest or value >= latest:
            return i
        values[i] = value
    return -1


def steps(ts: cython.const[cython.longlong][::1], asked: cython.longlong) -> tuple[int, int, int, int]:
    """Of the steps above 0 between sorted rows: the one that more than half of them share, if any (the
    vote of Boyer and Moore, 1981), how often it occurs, how often `asked` does, how many steps there are."""
    i: cython.Py_ssize_t
    step: cython.longlong
    elected: cython.longlong = 0
    votes: cython.Py_ssize_t = 0
    of_elected: cython.Py_ssize_t = 0
    of_asked: cython.Py_ssize_t = 0
    count: cython.Py_ssize_t = 0
    for i in range(1, len(ts)):
        step = ts[i] - ts[i - 1]
        if step > 0:
            count += 1
            if step == asked:
                of_asked += 1
            if votes == 0:
                elected = step
                votes = 1
            elif step == elected:
                votes += 1
            else:
                votes -= 1
    for i in range(1, len(ts)):
        if ts[i] - ts[i - 1] == elected and elected > 0:
            of_elected += 1
    return elected, of_elected, of_asked, count


def duplicates(
    ts: cython.const[cython.longlong][::1],
    opens: cython.const[cython.double][::1],
    highs: cython.const[cython.double][::1],
    lows: cython.const[cython.double][::1],
    closes: cython.const[cython.double][::1],
    volumes: cython.const[cython.double][::1],
    quality: cython.const[cython.schar][::1],
    keep: cython.schar[::1],
) -> tuple[int, int, int]:
    """Marks the last row of every time in `keep`; rows are sorted by time, stably.

    Returns how many of the others equal that last row, how many differ from it, and the first that differs.
    """
    rows: cython.Py_ssize_t = len(ts)
    i: cython.Py_ssize_t
    last: cython.Py_ssize_t = rows - 1
    exact: cython.Py_ssize_t = 0
    conflicting: cython.Py_ssize_t = 0
    first: cython.Py_ssize_t = -1
    if rows == 0:
        return 0, 0, -1
    keep[last] = 1
    for i in range(rows - 2, -1, -1):
        if ts[i] != ts[last]:
            last = i
            keep[i] = 1
            continue
        keep[i] = 0
        if (
            same(opens[i], opens[last])
            and same(highs[i], highs[last])
            and same(lows[i], lows[last])
            and same(closes[i], closes[last])
            and same(volumes[i], volumes[last])
            and quality[i] == quality[last]
        ):
            exact += 1
        else:
            conflicting += 1
            first = i
    return exact, conflicting, first


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def same(a: cython.double, b: cython.double) -> cython.bint:
    return a == b or (a != a and b != b)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def usable(o: cython.double, h: cython.double, lo: cython.double, c: cython.double) -> cython.bint:
    return 0.0 < o < INFINITY and 0.0 < h < INFINITY and 0.0 < lo < INFINITY and 0.0 < c < INFINITY


def price_faults(
    opens: cython.const[cython.double][::1],
    highs: cython.const[cython.double][::1],
    lows: cython.const[cython.double][::1],
    closes: cython.const[cython.double][::1],
) -> tuple[int, int, int, int]:
    """Rows with a NaN price, an infinite one, one not above 0 (a row counts once), and the first of them."""
    i: cython.Py_ssize_t
    missing: cython.Py_ssize_t = 0
    infinite: cython.Py_ssize_t = 0
    low: cython.Py_ssize_t = 0
    first: cython.Py_ssize_t = -1
    o: cython.double
    h: cython.double
    lo: cython.double
    c: cython.double
    for i in range(len(opens)):
        o = opens[i]
        h = highs[i]
        lo = lows[i]
        c = closes[i]
        if usable(o, h, lo, c):
            continue
        if first < 0:
            first = i
        if o != o or h != h or lo != lo or c != c:
            missing += 1
        elif o == INFINITY or h == INFINITY or lo == INFINITY or c == INFINITY:
            infinite += 1
        else:
            low += 1
    return missing, infinite, low, first


def order_faults(
    opens: cython.const[cython.double][::1],
    highs: cython.double[::1],
    lows: cython.double[::1],
    closes: cython.const[cython.double][::1],
) -> tuple[int, int, int]:
    """Mends, in place, highs and lows that miss the body by at most 1e-9 of it.

    Returns the mended rows, the rows that miss by more, and the first of those. Rows with a price that is not
    finite and above 0 are neither.
    """
    i: cython.Py_ssize_t
    mended: cython.Py_ssize_t = 0
    broken: cython.Py_ssize_t = 0
    first: cython.Py_ssize_t = -1
    top: cython.double
    bottom: cython.double
    for i in range(len(opens)):
        if not usable(opens[i], highs[i], lows[i], closes[i]):
            continue
        top = opens[i] if opens[i] > closes[i] else closes[i]
        bottom = opens[i] if opens[i] < closes[i] else closes[i]
        if lows[i] <= bottom and highs[i] >= top:
            continue
        if lows[i] - bottom > TOLERANCE * bottom or top - highs[i] > TOLERANCE * top:
            broken += 1
            if first < 0:
                first = i
        elif lows[i] > bottom or highs[i] < top:
            mended += 1
            if lows[i] > bottom:
                lows[i] = bottom
            if highs[i] < top:
                highs[i] = top
    return mended, broken, first


def volume_faults(volumes: cython.double[::1]) -> tuple[int, int, int, int]:
    """Writes 0 for NaN, in place. Returns the NaN rows, the rows at 0 (those too), the negative or infinite
    ones, and the first of these."""
    i: cython.Py_ssize_t
    null: cython.Py_ssize_t = 0
    zero: cython.Py_ssize_t = 0
    bad: cython.Py_ssize_t = 0
    first: cython.Py_ssize_t = -1
    for i in range(len(volumes)):
        if volumes[i] != volumes[i]:
            volumes[i] = 0.0
            null += 1
        if volumes[i] == 0.0:
            zero += 1
        elif not 0.0 < volumes[i] < INFINITY:
            bad += 1
            if first < 0:
                first = i
    return null, zero, bad, first


def off_grid(
    ts: cython.const[cython.longlong][::1], step: cython.longlong, anchor: cython.longlong
) -> tuple[int, int]:
    """Rows that are no whole number of steps from the anchor, and the first of them."""
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    first: cython.Py_ssize_t = -1
    for i in range(len(ts)):
        if (ts[i] - anchor) % step != 0:
            count += 1
            if first < 0:
                first = i
    return count, first


def gaps(ts: cython.const[cython.longlong][::1], step: cython.longlong) -> tuple[int, int, int, int]:
    """Of sorted rows: the places where bars are missing, the bars missing, the longest stretch without bars
    in the unit of ts, and the first row after one."""
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    missing: cython.longlong = 0
    longest: cython.longlong = 0
    first: cython.Py_ssize_t = -1
    absent: cython.longlong
    for i in range(1, len(ts)):
        absent = (ts[i] - ts[i - 1]) // step - 1
        if absent > 0:
            count += 1
            missing += absent
            if absent * step > longest:
                longest = absent * step
            if first < 0:
                first = i
    return count, missing, longest, first


def multiply(values: cython.double[::1], first: cython.double, second: cython.double) -> None:
    """values = (values * first) * second, in place."""
    i: cython.Py_ssize_t
    for i in range(len(values)):
        values[i] = (values[i] * first) * second


def divide(values: cython.double[::1], by: cython.double) -> None:
    """values = values / by, in place; by is not 0."""
    i: cython.Py_ssize_t
    for i in range(len(values)):
        values[i] = values[i] / by


def partial_rows(quality: cython.const[cython.schar][::1], keep: cython.schar[::1]) -> tuple[int, int]:
    """Marks in `keep` the rows flagged neither partial nor feed-down. Returns the flagged and the first."""
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    first: cython.Py_ssize_t = -1
    for i in range(len(quality)):
        keep[i] = 1
        if quality[i] == PARTIAL or quality[i] == FEED_DOWN:
            keep[i] = 0
            count += 1
            if first < 0:
                first = i
    return count, first


def warmup_begin(
    ts: cython.const[cython.longlong][::1],
    quality: cython.const[cython.schar][::1],
    end: cython.Py_ssize_t,
    wanted: cython.longlong,
    step: cython.longlong,
    anchor: cython.longlong,
    whole_only: cython.bint,
) -> int:
    """The row where the last `wanted` buckets before row `end` begin; with `whole_only`, buckets that hold a
    partial or feed-down row do not count."""
    i: cython.Py_ssize_t = end
    counted: cython.longlong = 0
    bucket: cython.longlong
    flawed: cython.bint
    while i > 0 and counted < wanted:
        bucket = (ts[i - 1] - anchor) // step
        flawed = False
        while i > 0 and (ts[i - 1] - anchor) // step == bucket:
            i -= 1
            if quality[i] == PARTIAL or quality[i] == FEED_DOWN:
                flawed = True
        if not (flawed and whole_only):
            counted += 1
    return i


def resample(
    ts: cython.const[cython.longlong][::1],
    opens: cython.const[cython.double][::1],
    highs: cython.const[cython.double][::1],
    lows: cython.const[cython.double][::1],
    closes: cython.const[cython.double][::1],
    volumes: cython.const[cython.double][::1],
    quality: cython.const[cython.schar][::1],
    step: cython.longlong,
    anchor: cython.longlong,
    covered_from: cython.longlong,
    covered_to: cython.longlong,
    to_ts: cython.longlong[::1],
    to_open: cython.double[::1],
    to_high: cython.double[::1],
    to_low: cython.double[::1],
    to_close: cython.double[::1],
    to_volume: cython.double[::1],
    to_quality: cython.schar[::1],
) -> int:
    """Rows in time order into buckets of `step`; returns the number of buckets (SEMANTICS section 1).

    First, max, min, last, sum of volume left to right. A bucket is partial if it reaches beyond
    [covered_from, covered_to) or holds a partial or feed-down row.
    """
    i: cython.Py_ssize_t
    at: cython.Py_ssize_t = -1
    begin: cython.longlong
    for i in range(len(ts)):
        begin = (ts[i] - anchor) // step * step + anchor
        if at < 0 or to_ts[at] != begin:
            at += 1
            to_ts[at] = begin
            to_open[at] = opens[i]
            to_high[at] = highs[i]
            to_low[at] = lows[i]
            to_close[at] = closes[i]
            to_volume[at] = volumes[i]
            to_quality[at] = PARTIAL if begin < covered_from or begin + step > covered_to else 0
        else:
            if highs[i] > to_high[at]:
                to_high[at] = highs[i]
            if lows[i] < to_low[at]:
                to_low[at] = lows[i]
            to_close[at] = closes[i]
            to_volume[at] = to_volume[at] + volumes[i]
        if quality[i] == PARTIAL or quality[i] == FEED_DOWN:
            to_quality[at] = PARTIAL
    return at + 1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def fits(price: cython.double, power: cython.double) -> cython.bint:
    scaled: cython.double = price * power + 0.5
    if scaled >= MOST_TICKS:
        return False
    ticks: cython.longlong = cython.cast(cython.longlong, scaled)
    return abs(ticks / power - price) <= TICK_TOLERANCE * price


def first_misfit(prices: cython.const[cython.double][::1], power: cython.double) -> int:
    """The first price that is no whole number of ticks of 1 / power (SEMANTICS section 2)."""
    i: cython.Py_ssize_t
    for i in range(len(prices)):
        if not fits(prices[i], power):
            return i
    return -1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def ticks_of(price: cython.double, power: cython.double, half_even: cython.bint) -> cython.longlong:
    scaled: cython.double = price * power
    ticks: cython.longlong = cython.cast(cython.longlong, scaled if half_even else scaled + 0.5)
    if half_even and (scaled - ticks > 0.5 or (scaled - ticks == 0.5 and ticks % 2 == 1)):
        ticks += 1
    return ticks


def ticks(
    prices: cython.const[cython.double][::1],
    power: cython.double,
    half_even: cython.bint,
    to: cython.longlong[::1],
) -> None:
    """to[i] = floor(price * power + 0.5), or price * power rounded half to even.

    Prices lie between 0 and 2^63 / power.
    """
    i: cython.Py_ssize_t
    for i in range(len(prices)):
        to[i] = ticks_of(prices[i], power, half_even)


def snap(
    prices: cython.double[::1], power: cython.double, half_even: cython.bint, changed: cython.schar[::1]
) -> None:
    """Replaces prices by ticks / power, in place, and marks in `changed` the rows where that differs."""
    i: cython.Py_ssize_t
    price: cython.double
    for i in range(len(prices)):
        price = ticks_of(prices[i], power, half_even) / power
        if price != prices[i]:
            prices[i] = price
            changed[i] = 1
