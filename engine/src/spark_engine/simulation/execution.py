# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# ruff: noqa: A002 - `type`, `id` and `open` are the words of the field
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, call-overload"
"""Orders and targets that fill: quantities, tests, legs and children (SEMANTICS section 4).

Compiled; see `kernel`.
"""

from __future__ import annotations

import cython

from spark_engine.simulation.holding import Holding
from spark_engine.simulation.ledger import Account

NEGLIGIBLE = cython.declare(cython.double, 1e-9)

LIMIT_ORDER = cython.declare(cython.int, 1)
STOP_ORDER = cython.declare(cython.int, 2)
TRAILING_ORDER = cython.declare(cython.int, 4)
FRESH = cython.declare(cython.int, 1)  # a state of `order_book`
TAKER = cython.declare(cython.int, 0)
MAKER = cython.declare(cython.int, 1)
SIGNAL = cython.declare(cython.int, 0)
TAKE_PROFIT = cython.declare(cython.int, 3)
STOP_LOSS = cython.declare(cython.int, 4)
TRAILING = cython.declare(cython.int, 5)

REJECTED_LOT_SIZE = cython.declare(cython.int, 10)
REJECTED_SHORT_NOT_ALLOWED = cython.declare(cython.int, 11)
REJECTED_INSUFFICIENT_FUNDS = cython.declare(cython.int, 12)
REJECTED_MIN_NOTIONAL = cython.declare(cython.int, 13)
CANCELLED_REDUCE_ONLY = cython.declare(cython.int, 22)


@cython.cclass
class Execution:
    """Turns an order or a target that has met its price into legs of the holding."""

    def __init__(self, account: Account, holding: Holding) -> None:
        self.holding, self.sizing = holding, holding.sizing
        self.book, self.guardrails = holding.book, holding.guardrails
        self.allow_short, self.min_notional = account.allow_short, account.min_notional
        self.last_target = 0.0

    # Tests of a leg that opens.

    def reject(self, id: cython.longlong, code: cython.int) -> cython.double:
        self.book.events.add(code, id, 0.0)
        return 0.0

    def admit(
        self,
        id: cython.longlong,
        side: cython.int,
        asked: cython.double,
        price: cython.double,
        rate: cython.double,
        explicit: cython.bint,
    ) -> cython.double:
        """What an open leg may fill: the quantity in lots, or 0 where a test rejects it (with its event)."""
        position: cython.double = self.holding.position
        quantity: cython.double = self.sizing.in_lots(asked)
        after: cython.double
        if quantity == 0.0:
            return self.reject(id, REJECTED_LOT_SIZE) if self.sizing.lot != 0.0 else 0.0
        if side < 0 and not self.allow_short:
            return self.reject(id, REJECTED_SHORT_NOT_ALLOWED)
        if explicit:
            quantity = self.afford(id, quantity, price, rate)
            if quantity == 0.0:
                return 0.0
        if quantity * price < self.min_notional:
            return self.reject(id, REJECTED_MIN_NOTIONAL)
        after = abs(position + (quantity if side > 0 else -quantity))
        if not self.guardrails.lets_pass(id, after, price, self.holding.cash + position * price):
            return 0.0
        return quantity

    def afford(
        self, id: cython.longlong, quantity: cython.double, price: cython.double, rate: cython.double
    ) -> cython.double:
        most: cython.double
        if price <= 0.0:
            return self.reject(id, REJECTED_INSUFFICIENT_FUNDS)
        most = self.sizing.affordable(self.holding.cash, self.holding.position, price, rate)
        if quantity <= most:
            return quantity
        if quantity > most * (1.0 + NEGLIGIBLE):
            return self.reject(id, REJECTED_INSUFFICIENT_FUNDS)
        most = self.sizing.in_lots(most)
        return most if most > 0.0 else self.reject(id, REJECTED_LOT_SIZE)

    # Orders.

    def execute(
        self, order: cython.longlong, base: cython.double, price: cython.double, liquidity: cython.int
    ) -> cython.void:
        """The whole order at one price: the leg against the position, the leg that opens, its children."""
        side: cython.int = self.book.side[order]
        position: cython.double = self.holding.position
        against: cython.bint = (side > 0 and position < 0.0) or (side < 0 and position > 0.0)
        rest: cython.double
        if self.book.reduce_only[order] and not against:
            self.book.drop(order, CANCELLED_REDUCE_ONLY)
            return
        self.book.remove(order)
        rest = self.sizing.in_lots(self.book.quantity[order])
        if rest == 0.0:
            self.reject(self.book.id[order], REJECTED_LOT_SIZE)
        elif against:
            rest = self.reduce(order, rest, base, price, liquidity)
        if rest > 0.0:
            self.enter(order, rest, base, price, liquidity)
        self.book.release(order)

    def reduce(
        self,
        order: cython.longlong,
        quantity: cython.double,
        base: cython.double,
        price: cython.double,
        liquidity: cython.int,
    ) -> cython.double:
        """The leg against the position; what is left of the order."""
        held: cython.double = abs(self.holding.position)
        rest: cython.double = 0.0
        if abs(quantity - held) <= NEGLIGIBLE * held:
            quantity = held
        elif quantity > held:
            rest = 0.0 if self.book.reduce_only[order] else quantity - held
            quantity = held
        self.leg_of(order, quantity, base, price, liquidity, False)
        return rest

    def enter(
        self,
        order: cython.longlong,
        asked: cython.double,
        base: cython.double,
        price: cython.double,
        liquidity: cython.int,
    ) -> cython.void:
        side: cython.int = self.book.side[order]
        rate: cython.double = self.sizing.maker if liquidity == MAKER else self.sizing.taker
        quantity: cython.double = self.admit(self.book.id[order], side, asked, price, rate, True)
        plain: cython.bint = self.sizing.lot == 0.0 and self.sizing.leverage == 1.0
        if quantity == 0.0:
            return
        plain = plain and quantity < asked and side > 0 and self.holding.position == 0.0
        self.leg_of(order, quantity, base, price, liquidity, plain)
        self.bracket(order, quantity, price)

    def leg_of(
        self,
        order: cython.longlong,
        quantity: cython.double,
        base: cython.double,
        price: cython.double,
        liquidity: cython.int,
        all_cash: cython.bint,
    ) -> cython.void:
        side: cython.int = self.book.side[order]
        rate: cython.double = self.sizing.maker if liquidity == MAKER else self.sizing.taker
        self.holding.leg(
            self.book.id[order], self.book.oco[order], side, liquidity, self.book.reason[order],
            quantity, price, rate, base, all_cash,
        )  # fmt: skip

    def bracket(self, parent: cython.longlong, quantity: cython.double, price: cython.double) -> cython.void:
        """The children of an entry at `price`: live from this path point on."""
        profit: cython.double = self.book.take_profit[parent]
        loss: cython.double = self.book.stop_loss[parent]
        trail: cython.double = self.book.stop_trail[parent]
        rate: cython.double = self.book.stop_trail_rate[parent]
        side: cython.int = -self.book.side[parent]
        group: cython.longlong = 0
        if profit > 0.0 and (loss > 0.0 or trail > 0.0 or rate > 0.0):
            group = -self.book.next_id
        if profit > 0.0:
            self.bear(LIMIT_ORDER, side, quantity, group, TAKE_PROFIT, profit, 0.0, 0.0, price)
        if loss > 0.0:
            self.bear(STOP_ORDER, side, quantity, group, STOP_LOSS, loss, 0.0, 0.0, price)
        elif trail > 0.0 or rate > 0.0:
            self.bear(TRAILING_ORDER, side, quantity, group, TRAILING, 0.0, trail, rate, price)

    def bear(
        self,
        type: cython.int,
        side: cython.int,
        quantity: cython.double,
        group: cython.longlong,
        reason: cython.int,
        level: cython.double,
        trail: cython.double,
        trail_rate: cython.double,
        price: cython.double,
    ) -> cython.void:
        child: cython.longlong = self.book.accept(type, side, quantity)
        self.book.state[child] = FRESH
        self.book.reduce_only[child] = 1
        self.book.oco[child] = group
        self.book.reason[child] = reason
        self.book.level[child] = level
        if type == LIMIT_ORDER:
            self.book.limit[child] = level
        self.book.trail[child] = trail
        self.book.trail_rate[child] = trail_rate
        if type == TRAILING_ORDER:
            self.book.ratchet(child, price)
        self.book.append(child)

    # Targets.

    def reach(self, id: cython.longlong, weight: cython.double, base: cython.double) -> cython.void:
        """Brings the position to a target: legs where its sign changes, one delta where only its size."""
        position: cython.double = self.holding.position
        sign: cython.int = (1 if weight > 0.0 else 0) - (1 if weight < 0.0 else 0)
        held: cython.int = (1 if position > 0.0 else 0) - (1 if position < 0.0 else 0)
        rows: cython.Py_ssize_t = self.holding.fills.rows
        if sign != held:
            if held != 0:
                self.close_held(id, -held, base)
            if sign != 0:
                self.open_target(id, sign, abs(weight), base)
        elif abs(weight) != abs(self.last_target) and held != 0:
            self.resize(id, sign, abs(weight), base)
        if self.holding.fills.rows > rows:
            self.last_target = weight

    def close_held(self, id: cython.longlong, side: cython.int, base: cython.double) -> cython.void:
        price: cython.double = self.sizing.slipped(base, side)
        quantity: cython.double = abs(self.holding.position)
        self.holding.leg(id, 0, side, TAKER, SIGNAL, quantity, price, self.sizing.taker, base, False)

    def open_target(
        self, id: cython.longlong, side: cython.int, weight: cython.double, base: cython.double
    ) -> cython.void:
        price: cython.double = self.sizing.slipped(base, side)
        taker: cython.double = self.sizing.taker
        asked: cython.double
        quantity: cython.double
        all_cash: cython.bint
        if self.holding.cash <= 0.0 or price <= 0.0:
            return
        asked = self.sizing.sized(weight, self.holding.cash, price)
        quantity = self.admit(id, side, asked, price, taker, self.sizing.explicit)
        if quantity == 0.0:
            return
        all_cash = side > 0 and self.sizing.lot == 0.0
        if self.sizing.explicit:
            all_cash = all_cash and quantity < asked and self.sizing.leverage == 1.0
        elif self.sizing.exposure(weight) != 1.0:
            all_cash = False
        self.holding.leg(id, 0, side, TAKER, SIGNAL, quantity, price, taker, base, all_cash)

    def resize(
        self, id: cython.longlong, sign: cython.int, weight: cython.double, base: cython.double
    ) -> cython.void:
        """One delta to the new size: a buy if it is above 0 at the buy price, else a sell if below 0."""
        change: cython.double = self.change(1, sign, weight, base)
        if change > 0.0:
            self.shift(id, 1, change, sign, base)
            return
        change = self.change(-1, sign, weight, base)
        if change < 0.0:
            self.shift(id, -1, -change, sign, base)

    def change(
        self, side: cython.int, sign: cython.int, weight: cython.double, base: cython.double
    ) -> cython.double:
        """What the new size differs by, at the price of a buy or of a sell; 0 where there is no money."""
        position: cython.double = self.holding.position
        price: cython.double = self.sizing.slipped(base, side)
        money: cython.double = self.holding.cash + position * price
        if price <= 0.0 or money <= 0.0:
            return 0.0
        return self.sizing.sized(weight, money, price) * sign - position

    def shift(
        self,
        id: cython.longlong,
        side: cython.int,
        quantity: cython.double,
        sign: cython.int,
        base: cython.double,
    ) -> cython.void:
        price: cython.double = self.sizing.slipped(base, side)
        taker: cython.double = self.sizing.taker
        if side == sign:
            quantity = self.admit(id, side, quantity, price, taker, self.sizing.explicit)
        else:
            quantity = self.sizing.in_lots(quantity)
            if quantity == 0.0:
                self.reject(id, REJECTED_LOT_SIZE)
        if quantity > 0.0:
            self.holding.leg(id, 0, side, TAKER, SIGNAL, quantity, price, taker, base, False)
