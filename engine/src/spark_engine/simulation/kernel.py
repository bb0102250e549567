# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator"
"""The account, bar by bar: ordinary Python that Cython compiles ahead of time.

Arithmetic is + - * / and comparisons in the order that SEMANTICS prints, so that compiled and uncompiled
agree in every bit. Columns are one-dimensional contiguous buffers: int64 ("q"), float64 ("d"), int8 ("b").
Callers check shapes and ranges; nothing here does. No integer is divided and no float by zero, since C and
Python disagree there.
"""

from __future__ import annotations

from typing import NamedTuple

import cython

SIGNAL = cython.declare(cython.int, 0)
CLOSE_AT_END = cython.declare(cython.int, 8)


class Tally(NamedTuple):
    """Sums over one run. The drawdown's bars are its peak and its last bar; `bankrupt_bar` is -1 for none."""

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
    fills: int
    fees: float
    slippage: float
    turnover: float
    final_equity_liquidated: float
    bankrupt_bar: int


@cython.final
@cython.cclass
class Book:
    """The account and the rows of its fills (SEMANTICS section 4: market fills, AllIn, leverage 1)."""

    cash: cython.double
    position: cython.double
    fees: cython.double
    slippage: cython.double
    turnover: cython.double
    fills: cython.Py_ssize_t
    taker: cython.double
    buy: cython.double
    sell: cython.double
    bar: cython.longlong[::1]
    order: cython.longlong[::1]
    side: cython.schar[::1]
    reason: cython.schar[::1]
    quantity: cython.double[::1]
    price: cython.double[::1]
    fee: cython.double[::1]
    slipped: cython.double[::1]

    def __init__(
        self,
        cash: cython.double,
        taker: cython.double,
        slippage: cython.double,
        bar: cython.longlong[::1],
        order: cython.longlong[::1],
        side: cython.schar[::1],
        reason: cython.schar[::1],
        quantity: cython.double[::1],
        price: cython.double[::1],
        fee: cython.double[::1],
        slipped: cython.double[::1],
    ) -> None:
        self.cash = cash
        self.position = 0.0
        self.fees = 0.0
        self.slippage = 0.0
        self.turnover = 0.0
        self.fills = 0
        self.taker = taker
        self.buy = 1.0 + slippage
        self.sell = 1.0 - slippage
        self.bar = bar
        self.order = order
        self.side = side
        self.reason = reason
        self.quantity = quantity
        self.price = price
        self.fee = fee
        self.slipped = slipped

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def act(
        self, bar: cython.longlong, order: cython.longlong, target: cython.double, base: cython.double
    ) -> cython.void:
        """Brings the position to the sign of `target` at `base`: a reversal is two fills at one price."""
        if (target > 0.0) == (self.position > 0.0) and (target < 0.0) == (self.position < 0.0):
            return
        if self.position != 0.0:
            self.close(bar, order, SIGNAL, base)
        if target != 0.0:
            self.open(bar, order, target, base)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def close(
        self, bar: cython.longlong, order: cython.longlong, reason: cython.int, base: cython.double
    ) -> cython.void:
        side: cython.int = -1 if self.position > 0.0 else 1
        quantity: cython.double = abs(self.position)
        price: cython.double = base * (self.buy if side > 0 else self.sell)
        fee: cython.double = (self.taker * quantity) * price
        self.cash = (self.cash + self.position * price) - fee
        self.position = 0.0
        self.record(bar, order, side, reason, quantity, price, fee, base)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def open(
        self, bar: cython.longlong, order: cython.longlong, target: cython.double, base: cython.double
    ) -> cython.void:
        side: cython.int = 1 if target > 0.0 else -1
        price: cython.double = base * (self.buy if side > 0 else self.sell)
        cost: cython.double = price * (1.0 + self.taker)
        quantity: cython.double
        fee: cython.double
        if self.cash <= 0.0 or cost <= 0.0:
            return
        quantity = self.cash / cost
        fee = (self.taker * quantity) * price
        if quantity == 0.0:
            return
        if side > 0:
            self.cash = 0.0
            self.position = quantity
        else:
            self.cash = (self.cash + quantity * price) - fee
            self.position = -quantity
        self.record(bar, order, side, SIGNAL, quantity, price, fee, base)

    @cython.cfunc
    @cython.exceptval(check=False)
    def liquidated(self, base: cython.double) -> cython.double:
        """The equity if the position were closed at `base`, costs included."""
        price: cython.double = base * (self.sell if self.position > 0.0 else self.buy)
        return (self.cash + self.position * price) - (self.taker * abs(self.position)) * price

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def record(
        self,
        bar: cython.longlong,
        order: cython.longlong,
        side: cython.int,
        reason: cython.int,
        quantity: cython.double,
        price: cython.double,
        fee: cython.double,
        base: cython.double,
    ) -> cython.void:
        row: cython.Py_ssize_t = self.fills
        slipped: cython.double = quantity * abs(price - base)
        self.bar[row] = bar
        self.order[row] = order
        self.side[row] = side
        self.reason[row] = reason
        self.quantity[row] = quantity
        self.price[row] = price
        self.fee[row] = fee
        self.slipped[row] = slipped
        self.fills = row + 1
        self.fees += fee
        self.slippage += slipped
        self.turnover += quantity * price


def run(
    book: Book,
    opens: cython.const[cython.double][::1],
    closes: cython.const[cython.double][::1],
    decision_bar: cython.const[cython.longlong][::1],
    decision_target: cython.const[cython.double][::1],
    at_close: cython.bint,
    close_at_end: cython.bint,
    equity: cython.double[::1],
    cash: cython.double[::1],
    position: cython.double[::1],
) -> Tally:
    """One pass over the n bars of the window: fill, mark, sum (SEMANTICS sections 3, 4 and 8).

    Decisions are in bar order, at most one a bar; each fills at the next bar.
    """
    bars: cython.Py_ssize_t = len(equity)
    decisions: cython.Py_ssize_t = len(decision_bar)
    i: cython.Py_ssize_t
    decision: cython.Py_ssize_t = 0
    now_cash: cython.double = book.cash
    now_position: cython.double = 0.0
    now: cython.double
    before: cython.double = book.cash
    change: cython.double
    square: cython.double
    s1: cython.double = 0.0
    s2: cython.double = 0.0
    s3: cython.double = 0.0
    s4: cython.double = 0.0
    d2: cython.double = 0.0
    peak: cython.double = book.cash
    low: cython.double = book.cash
    lowest: cython.double = book.cash
    drawdown: cython.double = 0.0
    peak_bar: cython.Py_ssize_t = 0
    longest: cython.Py_ssize_t = 0
    longest_from: cython.Py_ssize_t = 0
    in_position: cython.Py_ssize_t = 0
    bankrupt: cython.Py_ssize_t = -1
    with cython.nogil:
        for i in range(bars):
            if decision < decisions and decision_bar[decision] < i:
                book.act(i, decision + 1, decision_target[decision], closes[i] if at_close else opens[i])
                decision += 1
                now_cash = book.cash
                now_position = book.position
            if close_at_end and i == bars - 1 and book.position != 0.0:
                book.close(i, 0, CLOSE_AT_END, closes[i])
                now_cash = book.cash
                now_position = 0.0
            now = now_cash + now_position * closes[i]
            equity[i] = now
            cash[i] = now_cash
            position[i] = now_position
            if now_position != 0.0:
                in_position += 1
            if now != before:  # adding 0.0 is exact, so that skipping it is
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
                # A division a peak, not a bar: rounding is monotone, so that the bits are the same.
                if now > peak:
                    if 1.0 - low / peak > drawdown:
                        drawdown = 1.0 - low / peak
                    if low < lowest:
                        lowest = low
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
        if low < lowest:
            lowest = low
        if bars - 1 - peak_bar > longest:
            longest = bars - 1 - peak_bar
            longest_from = peak_bar
    return Tally(
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
        fills=book.fills,
        fees=book.fees,
        slippage=book.slippage,
        turnover=book.turnover,
        final_equity_liquidated=book.liquidated(closes[bars - 1]),
        bankrupt_bar=bankrupt,
    )


def trades(
    fill_bar: cython.const[cython.longlong][::1],
    fill_side: cython.const[cython.schar][::1],
    fill_reason: cython.const[cython.schar][::1],
    fill_quantity: cython.const[cython.double][::1],
    fill_price: cython.const[cython.double][::1],
    fill_fee: cython.const[cython.double][::1],
    highs: cython.const[cython.double][::1],
    lows: cython.const[cython.double][::1],
    at_close: cython.bint,
    side: cython.schar[::1],
    entry_bar: cython.longlong[::1],
    entry_price: cython.double[::1],
    exit_bar: cython.longlong[::1],
    exit_price: cython.double[::1],
    quantity: cython.double[::1],
    fees: cython.double[::1],
    pnl: cython.double[::1],
    mae: cython.double[::1],
    mfe: cython.double[::1],
    exit_reason: cython.schar[::1],
) -> int:
    """Pairs fills (entry, exit, entry, exit, ...) into trades and returns their number.

    The excursions run over what the position lived through: its entry price, the range of every bar while it
    was open, its exit price. A bar counts whole where it was entered at its open or left at its close.
    """
    count: cython.Py_ssize_t = (len(fill_bar)) >> 1
    row: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    leave: cython.Py_ssize_t
    i: cython.Py_ssize_t
    last: cython.Py_ssize_t
    entered: cython.double
    left: cython.double
    gross: cython.double
    highest: cython.double
    lowest: cython.double
    with cython.nogil:
        for row in range(count):
            entry = 2 * row
            leave = entry + 1
            entered = fill_price[entry]
            left = fill_price[leave]
            side[row] = fill_side[entry]
            entry_bar[row] = fill_bar[entry]
            entry_price[row] = entered
            exit_bar[row] = fill_bar[leave]
            exit_price[row] = left
            quantity[row] = fill_quantity[entry]
            fees[row] = fill_fee[entry] + fill_fee[leave]
            gross = fill_side[entry] * fill_quantity[entry] * (left - entered)
            pnl[row] = (gross - fill_fee[entry]) - fill_fee[leave]
            exit_reason[row] = fill_reason[leave]
            highest = entered if entered > left else left
            lowest = left if entered > left else entered
            last = fill_bar[leave] if at_close or fill_reason[leave] == CLOSE_AT_END else fill_bar[leave] - 1
            for i in range(fill_bar[entry] + (1 if at_close else 0), last + 1):
                highest = highs[i] if highs[i] > highest else highest
                lowest = lows[i] if lows[i] < lowest else lowest
            if fill_side[entry] > 0:
                mae[row] = (entered - lowest) / entered
                mfe[row] = (highest - entered) / entered
            else:
                mae[row] = (highest - entered) / entered
                mfe[row] = (entered - lowest) / entered
    return count
