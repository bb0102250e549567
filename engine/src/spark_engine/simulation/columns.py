# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator"
"""Single passes over finished columns (compiled; the rules of `kernel` hold here too)."""

from __future__ import annotations

import cython

DAY_MS = cython.declare(cython.longlong, 86_400_000)
MAGNITUDE = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
EXPONENT = cython.declare(cython.longlong, 0x7FF0000000000000)


def equity_sums(
    ts: cython.const[cython.longlong][::1],
    equity: cython.const[cython.double][::1],
    day_end: cython.longlong,
) -> tuple[float, ...]:
    """Sum of equity in bar order, and of the returns between the last closes of UTC days.

    day_end: ms UTC, where the first bar's day ends. Returns the sum, and number, sum and sum of squares of
    the daily returns.
    """
    bars: cython.Py_ssize_t = len(equity)
    i: cython.Py_ssize_t
    total: cython.double = 0.0
    closed: cython.double = 0.0
    change: cython.double
    s1: cython.double = 0.0
    s2: cython.double = 0.0
    returns: cython.Py_ssize_t = 0
    with cython.nogil:
        for i in range(bars):
            total += equity[i]
            if i + 1 == bars or ts[i + 1] >= day_end:
                if closed > 0.0:
                    change = equity[i] / closed - 1.0
                    s1 += change
                    s2 += change * change
                    returns += 1
                closed = equity[i]
                while i + 1 < bars and ts[i + 1] >= day_end:
                    day_end += DAY_MS
    return total, returns, s1, s2


def trade_sums(
    entry_bar: cython.const[cython.longlong][::1],
    exit_bar: cython.const[cython.longlong][::1],
    pnl: cython.const[cython.double][::1],
) -> tuple[float, ...]:
    """Over at least one trade: wins, losses, their sums of pnl, the sum of all, best, worst, bars held."""
    count: cython.Py_ssize_t = len(pnl)
    row: cython.Py_ssize_t
    wins: cython.Py_ssize_t = 0
    losses: cython.Py_ssize_t = 0
    gained: cython.double = 0.0
    lost: cython.double = 0.0
    total: cython.double = 0.0
    best: cython.double = pnl[0]
    worst: cython.double = pnl[0]
    held: cython.longlong = 0
    with cython.nogil:
        for row in range(count):
            if pnl[row] > 0.0:
                wins += 1
                gained += pnl[row]
            elif pnl[row] < 0.0:
                losses += 1
                lost += pnl[row]
            total += pnl[row]
            best = pnl[row] if pnl[row] > best else best
            worst = pnl[row] if pnl[row] < worst else worst
            held += exit_bar[row] - entry_bar[row]
    return wins, losses, gained, lost, total, best, worst, held


def irregular_bits(bits: cython.const[cython.longlong][::1]) -> tuple[bool, bool]:
    """Of float64 values seen as int64: whether any is NaN or infinite, and whether any is -0.0."""
    i: cython.Py_ssize_t
    infinite: cython.bint = False
    negative_zero: cython.bint = False
    with cython.nogil:
        for i in range(len(bits)):
            infinite |= (bits[i] & EXPONENT) == EXPONENT
            negative_zero |= (bits[i] < 0) & ((bits[i] & MAGNITUDE) == 0)
    return infinite, negative_zero


def without_negative_zeros(bits: cython.const[cython.longlong][::1], mended: cython.longlong[::1]) -> None:
    """Copies float64 values seen as int64, each -0.0 as +0.0."""
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(len(bits)):
            mended[i] = bits[i] if bits[i] & MAGNITUDE else 0


def first_disorder(
    bar: cython.const[cython.longlong][::1], target: cython.const[cython.double][::1], bars: cython.longlong
) -> int:
    """The first decision outside [0, bars), not after its predecessor, or not -1, 0 or +1; -1 for none."""
    i: cython.Py_ssize_t
    found: cython.Py_ssize_t = -1
    after: cython.longlong = -1
    with cython.nogil:
        for i in range(len(bar)):
            if bar[i] <= after or bar[i] >= bars:
                found = i
                break
            if target[i] != 0.0 and target[i] != 1.0 and target[i] != -1.0:
                found = i
                break
            after = bar[i]
    return found
