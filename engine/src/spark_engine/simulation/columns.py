# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator"
"""Single passes over finished columns (compiled; the rules of `kernel` hold here too)."""

from __future__ import annotations

from typing import NamedTuple

import cython

from spark_engine.simulation.ledger import Submissions

MAGNITUDE = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
EXPONENT = cython.declare(cython.longlong, 0x7FF0000000000000)
INFINITY = cython.declare(cython.double, float("inf"))

# Actions and order types, as in `ledger`.
ORDER = cython.declare(cython.int, 0)
TARGET = cython.declare(cython.int, 1)
CANCEL = cython.declare(cython.int, 2)
LIMIT = cython.declare(cython.int, 1)
STOP = cython.declare(cython.int, 2)
STOP_LIMIT = cython.declare(cython.int, 3)
TRAILING_STOP = cython.declare(cython.int, 4)


def equity_sums(
    ts: cython.const[cython.longlong][::1],
    equity: cython.const[cython.double][::1],
    day_end: cython.longlong,
    day_length: cython.longlong,
) -> tuple[float, ...]:
    """Sum of equity in bar order, and of the returns between the last closes of days.

    ts: ms UTC with days of 86400000, or numbers of sessions with days of 1. day_end: where the first bar's
    day ends. Returns the sum, and number, sum and sum of squares of the daily returns.
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
                    day_end += day_length
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
    """The first decision outside [0, bars), not after its predecessor, or not in [-1, 1]; -1 for none."""
    i: cython.Py_ssize_t
    found: cython.Py_ssize_t = -1
    after: cython.longlong = -1
    with cython.nogil:
        for i in range(len(bar)):
            if bar[i] <= after or bar[i] >= bars or not -1.0 <= target[i] <= 1.0:
                found = i
                break
            after = bar[i]
    return found


def kinds(target: cython.const[cython.double][::1]) -> tuple[int, int]:
    """How many targets are none of -1, 0 and +1, and how many are below 0."""
    i: cython.Py_ssize_t
    fractional: cython.Py_ssize_t = 0
    negative: cython.Py_ssize_t = 0
    with cython.nogil:
        for i in range(len(target)):
            fractional += (target[i] != 0.0) & (target[i] != 1.0) & (target[i] != -1.0)
            negative += target[i] < 0.0
    return fractional, negative


def take_targets(
    action: cython.const[cython.schar][::1],
    bar: cython.const[cython.longlong][::1],
    quantity: cython.const[cython.double][::1],
    target_bar: cython.longlong[::1],
    target: cython.double[::1],
) -> int:
    """Copies bar and quantity of the submissions that are targets, and returns how many there are."""
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    with cython.nogil:
        for i in range(len(action)):
            if action[i] == TARGET:
                target_bar[count] = bar[i]
                target[count] = quantity[i]
                count += 1
    return count


def first_unsound(script: Submissions, bars: cython.longlong) -> int:
    """The first submission that an exchange cannot take; -1 for none. The rules are those of `checks`."""
    i: cython.Py_ssize_t
    after: cython.longlong = 0
    bar: cython.const[cython.longlong][::1] = script.bar
    action: cython.const[cython.schar][::1] = script.action
    kind: cython.const[cython.schar][::1] = script.type
    side: cython.const[cython.schar][::1] = script.side
    tif: cython.const[cython.schar][::1] = script.tif
    quantity: cython.const[cython.double][::1] = script.quantity
    limit: cython.const[cython.double][::1] = script.limit
    stop: cython.const[cython.double][::1] = script.stop
    trail: cython.const[cython.double][::1] = script.trail
    trail_rate: cython.const[cython.double][::1] = script.trail_rate
    oco: cython.const[cython.longlong][::1] = script.oco
    take_profit: cython.const[cython.double][::1] = script.take_profit
    stop_loss: cython.const[cython.double][::1] = script.stop_loss
    stop_trail: cython.const[cython.double][::1] = script.stop_trail
    stop_trail_rate: cython.const[cython.double][::1] = script.stop_trail_rate
    for i in range(len(bar)):
        if not after <= bar[i] < bars:
            return i
        after = bar[i]
        if action[i] == CANCEL:
            continue
        if action[i] == TARGET:
            if not -1.0 <= quantity[i] <= 1.0:
                return i
            continue
        if action[i] != ORDER or not 0 <= kind[i] <= TRAILING_STOP or not 0 <= tif[i] <= 2 or oco[i] < 0:
            return i
        if (side[i] != 1 and side[i] != -1) or not 0.0 < quantity[i] < INFINITY:
            return i
        if not (0.0 <= limit[i] < INFINITY and 0.0 <= stop[i] < INFINITY and 0.0 <= trail[i] < INFINITY):
            return i
        if not (0.0 <= take_profit[i] < INFINITY and 0.0 <= stop_loss[i] < INFINITY):
            return i
        if not (0.0 <= stop_trail[i] < INFINITY and 0.0 <= stop_trail_rate[i] < 1.0):
            return i
        if not 0.0 <= trail_rate[i] < 1.0:
            return i
        if (kind[i] == LIMIT or kind[i] == STOP_LIMIT) and limit[i] == 0.0:
            return i
        if (kind[i] == STOP or kind[i] == STOP_LIMIT) and stop[i] == 0.0:
            return i
        if kind[i] == TRAILING_STOP and (trail[i] > 0.0) == (trail_rate[i] > 0.0):
            return i
    return -1


class ReturnSums(NamedTuple):
    """The sums of `kernel.Tally` that the equity alone decides, under the same names."""

    s1: float
    s2: float
    s3: float
    s4: float
    d2: float
    min_equity: float
    max_drawdown: float
    drawdown_peak_bar: int
    drawdown_last_bar: int
    bars_in_position: int
    bankrupt_bar: int


def return_sums(
    equity: cython.const[cython.double][::1],
    position: cython.const[cython.double][::1],
    initial_cash: cython.double,
) -> ReturnSums:
    """The sums of SEMANTICS section 8 over n >= 1 bars, in bar order, with the operations of `kernel.run`."""
    bars: cython.Py_ssize_t = len(equity)
    i: cython.Py_ssize_t
    now: cython.double
    before: cython.double = initial_cash
    change: cython.double
    square: cython.double
    s1: cython.double = 0.0
    s2: cython.double = 0.0
    s3: cython.double = 0.0
    s4: cython.double = 0.0
    d2: cython.double = 0.0
    peak: cython.double = initial_cash
    low: cython.double = initial_cash
    lowest: cython.double = initial_cash
    drawdown: cython.double = 0.0
    peak_bar: cython.Py_ssize_t = 0
    longest: cython.Py_ssize_t = 0
    longest_from: cython.Py_ssize_t = 0
    in_position: cython.Py_ssize_t = 0
    bankrupt: cython.Py_ssize_t = -1
    with cython.nogil:
        for i in range(bars):
            now = equity[i]
            in_position += position[i] != 0.0
            if now != before:
                if before > 0.0:
                    change = now / before - 1.0
                    square = change * change
                    s1 += change
                    s2 += square
                    s3 += square * change
                    s4 += square * square
                    if change < 0.0:
                        d2 += square
                before = now
            if now >= peak:
                if now > peak:
                    if 1.0 - low / peak > drawdown:
                        drawdown = 1.0 - low / peak
                    lowest = min(lowest, low)
                    peak = now
                    low = now
                if i - 1 - peak_bar > longest:
                    longest = i - 1 - peak_bar
                    longest_from = peak_bar
                peak_bar = i
            elif now < low:
                low = now
                if now <= 0.0 and bankrupt < 0:
                    bankrupt = i
        if 1.0 - low / peak > drawdown:
            drawdown = 1.0 - low / peak
        lowest = min(lowest, low)
        if bars - 1 - peak_bar > longest:
            longest = bars - 1 - peak_bar
            longest_from = peak_bar
    return ReturnSums(
        s1=s1,
        s2=s2,
        s3=s3,
        s4=s4,
        d2=d2,
        min_equity=lowest,
        max_drawdown=drawdown,
        drawdown_peak_bar=longest_from,
        drawdown_last_bar=longest_from + longest,
        bars_in_position=in_position,
        bankrupt_bar=bankrupt,
    )
