# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# ruff: noqa: A002 - `type`, `id` and `open` are the words of the field
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, call-overload"
"""The guardrails of a run (SEMANTICS section 7): whether they let a leg pass and whether they are open.

Compiled; see `kernel`.
"""

from __future__ import annotations

import cython

from spark_engine.simulation.ledger import Gates
from spark_engine.simulation.order_book import OrderBook

INFINITY = cython.declare(cython.double, float("inf"))
NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)

REJECTED_MAX_NOTIONAL = cython.declare(cython.int, 14)
REJECTED_MAX_LEVERAGE = cython.declare(cython.int, 15)
REJECTED_MAX_OPEN_ORDERS = cython.declare(cython.int, 16)
REJECTED_GATE_CLOSED = cython.declare(cython.int, 17)
REJECTED_MAX_POSITION = cython.declare(cython.int, 18)
CANCELLED_GATE = cython.declare(cython.int, 23)
CANCELLED_DEFICIT = cython.declare(cython.int, 24)
BREACH_MAX_DRAWDOWN = cython.declare(cython.int, 40)
BREACH_MAX_DAILY_LOSS = cython.declare(cython.int, 41)
HALTED_DEFICIT = cython.declare(cython.int, 50)


@cython.cclass
class Guardrails:
    """The limits, and which of the gates on the equity has closed."""

    def __init__(self, gates: Gates, initial_cash: float, book: OrderBook) -> None:
        none = float("inf")
        self.book = book
        self.max_notional = none if gates.max_notional is None else gates.max_notional
        self.max_position = none if gates.max_position is None else gates.max_position
        self.max_leverage = none if gates.max_leverage is None else gates.max_leverage
        self.max_open_orders = NEVER if gates.max_open_orders is None else gates.max_open_orders
        self.max_drawdown = none if gates.max_drawdown is None else gates.max_drawdown
        self.max_daily_loss = none if gates.max_daily_loss is None else gates.max_daily_loss
        self.judges = gates.max_drawdown is not None or gates.max_daily_loss is not None
        self.fail = gates.fail
        self.flatten = self.halted = self.stopped = self.drawdown_closed = self.daily_closed = False
        self.peak = self.day_start = initial_cash
        self.today = -NEVER

    def turns_away(self, id: cython.longlong, is_order: cython.bint) -> cython.bint:
        """Whether a submission is rejected at once, with its event."""
        if self.halted or self.drawdown_closed or self.daily_closed:
            self.book.events.add(REJECTED_GATE_CLOSED, id, 0.0)
            return True
        if is_order and self.book.open_count >= self.max_open_orders:
            self.book.events.add(REJECTED_MAX_OPEN_ORDERS, id, self.book.open_count + 1.0)
            return True
        return False

    def lets_pass(
        self, id: cython.longlong, after: cython.double, price: cython.double, money: cython.double
    ) -> cython.bint:
        """Tests an open leg that makes the position `after`, with `money` before it; adds the event."""
        notional: cython.double = after * price
        if notional > self.max_notional:
            self.book.events.add(REJECTED_MAX_NOTIONAL, id, notional)
            return False
        if after > self.max_position:
            self.book.events.add(REJECTED_MAX_POSITION, id, after)
            return False
        if self.max_leverage != INFINITY:
            if money <= 0.0:
                self.book.events.add(REJECTED_MAX_LEVERAGE, id, 0.0)
                return False
            if notional / money > self.max_leverage:
                self.book.events.add(REJECTED_MAX_LEVERAGE, id, notional / money)
                return False
        return True

    def judge(
        self,
        equity: cython.double,
        before: cython.double,
        day: cython.longlong,
        held: cython.bint,
        last: cython.bint,
    ) -> cython.void:
        """Tests the equity of a close; `before` is that of the close before, `last` the last bar."""
        loss: cython.double
        if equity > self.peak:
            self.peak = equity
        if self.max_daily_loss != INFINITY and day != self.today:
            self.today = day
            self.day_start = before
            self.daily_closed = False
        if not self.drawdown_closed:
            loss = 1.0 - equity / self.peak
            if loss >= self.max_drawdown:
                self.drawdown_closed = self.breach(BREACH_MAX_DRAWDOWN, loss, held, last)
        if not self.stopped and not self.daily_closed and self.day_start > 0.0:
            loss = 1.0 - equity / self.day_start
            if loss >= self.max_daily_loss:
                self.daily_closed = self.breach(BREACH_MAX_DAILY_LOSS, loss, held, last)

    def breach(
        self, code: cython.int, loss: cython.double, held: cython.bint, last: cython.bint
    ) -> cython.bint:
        """Records it and, unless the run ends here, cancels and flattens; whether the gate closes."""
        self.book.events.add(code, 0, loss)
        if self.fail:
            self.stopped = True
            return False
        if last:
            return False
        self.book.drop_orders(CANCELLED_GATE)
        self.flatten = self.flatten or held
        return True

    def halt(self) -> cython.void:
        """A liquidation has left a deficit: nothing trades any more."""
        self.halted = True
        self.book.events.add(HALTED_DEFICIT, 0, 0.0)
        self.book.drop_orders(CANCELLED_DEFICIT)
