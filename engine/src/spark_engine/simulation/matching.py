# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# ruff: noqa: A001, A002 - `type`, `id` and `open` are the words of the field
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, call-overload"
"""The path of a bar and what happens along it (SEMANTICS section 5). Compiled; see `kernel`."""

from __future__ import annotations

import cython

from spark_engine.data.candles import Candles
from spark_engine.simulation.bars import Bars, FinerBars
from spark_engine.simulation.execution import Execution
from spark_engine.simulation.ledger import Account

MARKET_ORDER = cython.declare(cython.int, 0)
STOP_LIMIT_ORDER = cython.declare(cython.int, 3)
TRAILING_ORDER = cython.declare(cython.int, 4)
TARGET_EVENT = cython.declare(cython.int, 5)
STOP = cython.declare(cython.int, 2)  # what an order waits for, and its state: those of `order_book`
FRESH = cython.declare(cython.int, 1)
TAKER = cython.declare(cython.int, 0)
MAKER = cython.declare(cython.int, 1)
GATE = cython.declare(cython.int, 7)


@cython.cclass
class Matching:
    """Takes the price from point to point: what has a level there triggers, what arrives there fills."""

    def __init__(self, candles: Candles, account: Account, bars: Bars, execution: Execution) -> None:
        self.bars, self.finer = bars, FinerBars(candles)
        self.execution, self.holding = execution, execution.holding
        self.book, self.sizing, self.guardrails = execution.book, execution.sizing, execution.guardrails
        self.next_close, self.worst = account.fill_next_close, account.worst_path
        self.ambiguous_bars = self.unresolved_bars = 0

    # One bar.

    def is_idle(self, i: cython.Py_ssize_t) -> cython.bint:
        """Whether nothing can act on bar i: no arrival, no level, no expiry, no liquidation, no gate."""
        low: cython.double = self.bars.low[i]
        high: cython.double = self.bars.high[i]
        if self.book.rising.lowest <= high or -self.book.falling.lowest >= low:
            return False
        if self.book.submitted.first != 0 or self.book.trailing.first != 0 or self.guardrails.flatten:
            return False
        if self.finer.present or (self.book.has_deadlines and self.book.is_due(self.bars, i)):
            return False
        return not self.holding.isolated or not self.holding.is_called(low, high)

    def match(self, i: cython.Py_ssize_t) -> cython.void:
        """Expiry, the open, the path, and with NextClose what comes to the close."""
        price: cython.double = self.bars.open[i]
        resolved: cython.bint = False
        if self.finer.present:
            resolved = self.finer.cover(self.bars, i)
            self.unresolved_bars += not resolved
        if self.book.has_deadlines and self.book.is_due(self.bars, i):
            self.book.expire(self.bars, i)
        self.settle(i, price, not self.next_close)
        if self.guardrails.flatten:
            self.guardrails.flatten = False
            if self.holding.position != 0.0:
                self.holding.close_whole(GATE, price, self.sizing.taker)
        self.pass_point(price)
        if resolved:
            self.walk_finer(i, price)
        else:
            self.walk_bar(
                i, price, self.bars.high[i], self.bars.low[i], self.bars.close[i], self.is_low_first(i)
            )
        if self.next_close:
            self.settle(i, self.bars.close[i], True)

    def is_low_first(self, i: cython.Py_ssize_t) -> cython.bint:
        """The convention of the path, with `worst` against the position where the bar is ambiguous."""
        if self.is_ambiguous(i):
            self.ambiguous_bars += 1
            if self.worst:
                return self.holding.position > 0.0
        return self.bars.close[i] >= self.bars.open[i]

    def is_ambiguous(self, i: cython.Py_ssize_t) -> cython.bint:
        """Whether a stop and a limit of the position's exits are both within the bar."""
        high: cython.double = self.bars.high[i]
        low: cython.double = self.bars.low[i]
        side: cython.int = -1 if self.holding.position > 0.0 else 1
        called: cython.bint
        if self.holding.position == 0.0 or not self.book.has_limit_within(low, high, side):
            return False
        called = self.holding.isolated and low <= self.holding.liquidation_price() <= high
        return self.book.has_exits_within(low, high, side, called)

    def walk_bar(
        self,
        i: cython.Py_ssize_t,
        open: cython.double,
        high: cython.double,
        low: cython.double,
        close: cython.double,
        low_first: cython.bint,
    ) -> cython.void:
        if low_first:
            self.walk(i, open, low)
            self.walk(i, low, high)
            self.walk(i, high, close)
        else:
            self.walk(i, open, high)
            self.walk(i, high, low)
            self.walk(i, low, close)

    def walk_finer(self, i: cython.Py_ssize_t, price: cython.double) -> cython.void:
        """The chain of the finer bars' paths; from a close to the next open is a segment too."""
        j: cython.Py_ssize_t
        for j in range(self.finer.begin, self.finer.end):
            self.walk(i, price, self.finer.open[j])
            self.walk_bar(
                i, self.finer.open[j], self.finer.high[j], self.finer.low[j], self.finer.close[j],
                self.finer.close[j] >= self.finer.open[j],
            )  # fmt: skip
            price = self.finer.close[j]

    # One segment and one point.

    def walk(self, i: cython.Py_ssize_t, price: cython.double, end: cython.double) -> cython.void:
        """From `price` to `end`: orders trigger as the price meets them."""
        order: cython.longlong
        while price != end:
            order = self.book.next_met(price, end)
            if self.is_called_first(order, price, end):
                price = self.call_price(price, end)
                self.holding.liquidate(price)
            elif order != 0:
                price = self.book.meeting
                self.trigger(order, price)
            else:
                break
            self.settle(i, price, False)
        self.pass_point(end)

    def call_price(self, price: cython.double, end: cython.double) -> cython.double:
        """Where the segment meets the liquidation stop: a level behind the price acts where the price is."""
        level: cython.double = self.holding.liquidation_price()
        return max(level, price) if end > price else min(level, price)

    def is_called_first(
        self, order: cython.longlong, price: cython.double, end: cython.double
    ) -> cython.bint:
        """Whether the segment meets the liquidation stop, and no later than `order`."""
        rising: cython.bint = end > price
        at: cython.double
        if not self.holding.isolated or self.holding.position == 0.0:
            return False
        if (self.holding.position < 0.0) != rising:
            return False
        at = self.call_price(price, end)
        if at > end if rising else at < end:
            return False
        return order == 0 or (at <= self.book.meeting if rising else at >= self.book.meeting)

    def settle(self, i: cython.Py_ssize_t, price: cython.double, arriving: cython.bint) -> cython.void:
        """All that acts at one point of the path, looked at again from the start after each fill."""
        order: cython.longlong
        while True:
            if self.holding.is_called(price, price):
                self.holding.liquidate(price)
                continue
            order = self.book.first_met(price)
            if order != 0:
                self.trigger(order, price)
            elif not arriving or not self.let_in(i, price):
                break
        self.book.settle_down()

    def let_in(self, i: cython.Py_ssize_t, price: cython.double) -> cython.bint:
        """Submitted orders come to the market up to the first that acts; whether there was one."""
        order: cython.longlong = self.book.submitted.first
        while order != 0:
            if self.arrive(order, i, price):
                return True
            order = self.book.submitted.first
        return False

    def arrive(self, order: cython.longlong, i: cython.Py_ssize_t, price: cython.double) -> cython.bint:
        """A submitted order comes to the market at `price`; whether it acts there, or only rests."""
        type: cython.int = self.book.type[order]
        if type == TARGET_EVENT:
            self.book.remove(order)
            self.execution.reach(self.book.id[order], self.book.quantity[order], price)
            self.book.release(order)
            return True
        if type == MARKET_ORDER:
            self.execution.execute(order, price, self.sizing.slipped(price, self.book.side[order]), TAKER)
            return True
        self.book.activate(order, self.bars.day(i))
        if type == TRAILING_ORDER:
            self.book.ratchet(order, price)
        return self.book.is_met(order, price)

    def trigger(self, order: cython.longlong, price: cython.double) -> cython.void:
        """What an order does that the path has reached at `price`."""
        side: cython.int = self.book.side[order]
        level: cython.double = self.book.level[order]
        taken: cython.double = self.sizing.slipped(price, side)
        if self.book.waits[order] == STOP:
            if self.book.type[order] != STOP_LIMIT_ORDER:
                self.execution.execute(order, price, taken, TAKER)
                return
            self.book.become_limit(order)
            if self.book.is_met(order, price):
                self.execution.execute(order, price, price, TAKER)
        elif self.book.state[order] == FRESH:
            taken = min(level, taken) if side > 0 else max(level, taken)
            self.execution.execute(order, price, taken, TAKER)
        else:
            self.execution.execute(order, price, price, MAKER)

    def pass_point(self, price: cython.double) -> cython.void:
        """Trailing stops ratchet, and the open trade has seen this price."""
        self.book.pass_point(price)
        if self.holding.position != 0.0:
            self.holding.trade.see(price)
