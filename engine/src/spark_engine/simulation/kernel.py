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
BLOCK = cython.declare(cython.int, 128)  # bars: little enough for the first cache
INFINITY = cython.declare(cython.double, float("inf"))
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
    equity_sum: float
    daily_returns: int
    daily_s1: float
    daily_s2: float


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


@cython.final
@cython.cclass
class Sums:
    """Sums over the equity (SEMANTICS section 8), a block of bars at a time, in bar order.

    days: a time for each bar, a day being `day_length` of it, the first ending at `day_end`.
    """

    days: cython.const[cython.longlong][::1]
    day_end: cython.longlong
    day_length: cython.longlong
    before: cython.double
    s1: cython.double
    s2: cython.double
    s3: cython.double
    s4: cython.double
    d2: cython.double
    total: cython.double
    closed: cython.double
    daily_s1: cython.double
    daily_s2: cython.double
    daily_returns: cython.Py_ssize_t
    peak: cython.double
    low: cython.double
    lowest: cython.double
    drawdown: cython.double
    peak_bar: cython.Py_ssize_t
    longest: cython.Py_ssize_t
    longest_from: cython.Py_ssize_t
    bankrupt: cython.Py_ssize_t

    def __init__(
        self,
        cash: cython.double,
        days: cython.const[cython.longlong][::1],
        day_end: cython.longlong,
        day_length: cython.longlong,
    ) -> None:
        self.days = days
        self.day_end = day_end
        self.day_length = day_length
        self.before = cash
        self.peak = cash
        self.low = cash
        self.lowest = cash
        self.s1 = self.s2 = self.s3 = self.s4 = self.d2 = self.total = 0.0
        self.closed = self.daily_s1 = self.daily_s2 = self.drawdown = 0.0
        self.daily_returns = self.peak_bar = self.longest = self.longest_from = 0
        self.bankrupt = -1

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def add(
        self,
        equity: cython.const[cython.double][::1],
        begin: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        top: cython.double,
        bottom: cython.double,
    ) -> cython.void:
        """The bars [begin, end), whose equity is within `bottom` and `top`."""
        if bottom > 0.0 and self.before > 0.0 and top < INFINITY:
            self.add_returns(equity, begin, end)
        else:
            self.add_defined_returns(equity, begin, end)
        if top < self.peak and bottom > 0.0:
            self.low = bottom if bottom < self.low else self.low
        else:
            self.find_peaks(equity, begin, end)
        if end == len(equity) or self.days[end] >= self.day_end:
            self.close_days(equity, begin, end)

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def add_returns(
        self, equity: cython.const[cython.double][::1], begin: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> cython.void:
        """Without a branch, where every return is defined: one of 0.0 adds nothing, exactly."""
        i: cython.Py_ssize_t
        now: cython.double
        before: cython.double = self.before
        change: cython.double
        square: cython.double
        s1: cython.double = self.s1
        s2: cython.double = self.s2
        s3: cython.double = self.s3
        s4: cython.double = self.s4
        d2: cython.double = self.d2
        total: cython.double = self.total
        # Looked up, not chosen: losses come at random, and compilers make a branch of every other form.
        downside = cython.declare(cython.double[2])
        if not cython.compiled:
            downside = [0.0, 0.0]
        downside[0] = 0.0
        for i in range(begin, end):
            now = equity[i]
            change = now / before - 1.0
            before = now
            square = change * change
            s1 += change
            s2 += square
            s3 += square * change
            s4 += square * square
            downside[1] = square
            d2 += downside[change < 0.0]
            total += now
        self.before = before
        self.s1 = s1
        self.s2 = s2
        self.s3 = s3
        self.s4 = s4
        self.d2 = d2
        self.total = total

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def add_defined_returns(
        self, equity: cython.const[cython.double][::1], begin: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> cython.void:
        """Where equity may be 0, negative or infinite: returns on a positive equity alone."""
        i: cython.Py_ssize_t
        now: cython.double
        change: cython.double
        square: cython.double
        for i in range(begin, end):
            now = equity[i]
            self.total += now
            if now == self.before:
                continue
            if self.before > 0.0:
                change = now / self.before - 1.0
                square = change * change
                self.s1 += change
                self.s2 += square
                self.s3 += square * change
                self.s4 += square * square
                if change < 0.0:
                    self.d2 += square
            self.before = now

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def find_peaks(
        self, equity: cython.const[cython.double][::1], begin: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> cython.void:
        i: cython.Py_ssize_t
        now: cython.double
        for i in range(begin, end):
            now = equity[i]
            if now >= self.peak:
                # A division a peak, not a bar: rounding is monotone, so that the bits are the same.
                if now > self.peak:
                    self.leave_peak()
                    self.peak = now
                    self.low = now
                self.end_drawdown(i)
            elif now < self.low:
                self.low = now
                if now <= 0.0 and self.bankrupt < 0:
                    self.bankrupt = i

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def leave_peak(self) -> cython.void:
        if 1.0 - self.low / self.peak > self.drawdown:
            self.drawdown = 1.0 - self.low / self.peak
        if self.low < self.lowest:
            self.lowest = self.low

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def end_drawdown(self, bar: cython.Py_ssize_t) -> cython.void:
        """At `bar` equity is at the peak again, or the run is over."""
        if bar - 1 - self.peak_bar > self.longest:
            self.longest = bar - 1 - self.peak_bar
            self.longest_from = self.peak_bar
        self.peak_bar = bar

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def close_days(
        self, equity: cython.const[cython.double][::1], begin: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> cython.void:
        bars: cython.Py_ssize_t = len(equity)
        i: cython.Py_ssize_t
        change: cython.double
        for i in range(begin, end):
            if i + 1 < bars and self.days[i + 1] < self.day_end:
                continue
            if self.closed > 0.0:
                change = equity[i] / self.closed - 1.0
                self.daily_s1 += change
                self.daily_s2 += change * change
                self.daily_returns += 1
            self.closed = equity[i]
            while i + 1 < bars and self.days[i + 1] >= self.day_end:
                self.day_end += self.day_length


def run(
    book: Book,
    sums: Sums,
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
    """Over the n bars of the window, block by block: fill, mark, sum (SEMANTICS sections 3, 4 and 8).

    Decisions are in bar order, at most one a bar; each fills at the next bar. Every row of `equity`, `cash`
    and `position` is written.
    """
    bars: cython.Py_ssize_t = len(equity)
    decisions: cython.Py_ssize_t = len(decision_bar)
    i: cython.Py_ssize_t
    begin: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t
    at: cython.Py_ssize_t
    until: cython.Py_ssize_t
    decision: cython.Py_ssize_t = 0
    in_position: cython.Py_ssize_t = 0
    now: cython.double
    top: cython.double
    bottom: cython.double
    with cython.nogil:
        while begin < bars:
            end = begin + BLOCK if begin + BLOCK < bars else bars
            at = begin
            while at < end:
                if decision < decisions and decision_bar[decision] < at:
                    book.act(
                        at, decision + 1, decision_target[decision], closes[at] if at_close else opens[at]
                    )
                    decision += 1
                until = end
                if decision < decisions and decision_bar[decision] + 1 < end:
                    until = decision_bar[decision] + 1
                hold(cash, at, until, book.cash)
                hold(position, at, until, book.position)
                if book.position != 0.0:
                    in_position += until - at
                at = until
            if close_at_end and end == bars and book.position != 0.0:
                book.close(bars - 1, 0, CLOSE_AT_END, closes[bars - 1])
                cash[bars - 1] = book.cash
                position[bars - 1] = 0.0
                in_position -= 1
            top = cash[begin] + position[begin] * closes[begin]
            bottom = top
            for i in range(begin, end):
                now = cash[i] + position[i] * closes[i]
                equity[i] = now
                top = now if now > top else top
                bottom = now if now < bottom else bottom
            sums.add(equity, begin, end, top, bottom)
            begin = end
        sums.leave_peak()
        sums.end_drawdown(bars)
    return Tally(
        s1=sums.s1,
        s2=sums.s2,
        s3=sums.s3,
        s4=sums.s4,
        d2=sums.d2,
        min_equity=sums.lowest,
        max_drawdown=sums.drawdown,
        drawdown_peak_bar=sums.longest_from,
        drawdown_last_bar=sums.longest_from + sums.longest,
        bars_in_position=in_position,
        fills=book.fills,
        fees=book.fees,
        slippage=book.slippage,
        turnover=book.turnover,
        final_equity_liquidated=book.liquidated(closes[bars - 1]),
        bankrupt_bar=sums.bankrupt,
        equity_sum=sums.total,
        daily_returns=sums.daily_returns,
        daily_s1=sums.daily_s1,
        daily_s2=sums.daily_s2,
    )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def hold(
    column: cython.double[::1], begin: cython.Py_ssize_t, end: cython.Py_ssize_t, value: cython.double
) -> cython.void:
    i: cython.Py_ssize_t
    for i in range(begin, end):
        column[i] = value


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
