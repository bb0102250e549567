# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# ruff: noqa: A002 - `type`, `id` and `open` are the words of the field
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, call-overload"
"""Cash and position, and the legs that move them (SEMANTICS sections 4 and 6). Compiled; see `kernel`."""

from __future__ import annotations

import cython

from spark_engine.simulation.episode import Episode
from spark_engine.simulation.guardrails import Guardrails
from spark_engine.simulation.ledger import Account
from spark_engine.simulation.order_book import OrderBook
from spark_engine.simulation.rows import FillRows, TradeRows
from spark_engine.simulation.sizing import Sizing

LIQUIDATION = cython.declare(cython.int, 6)
TAKER = cython.declare(cython.int, 0)


@cython.cclass
class Holding:
    """What the account holds, the open trade, and the sums over its fills."""

    def __init__(
        self,
        account: Account,
        sizing: Sizing,
        book: OrderBook,
        guardrails: Guardrails,
        fills: FillRows,
        trades: TradeRows,
    ) -> None:
        self.sizing, self.book, self.guardrails = sizing, book, guardrails
        self.fills, self.trades, self.trade = fills, trades, Episode()
        self.cash = account.initial_cash
        self.position = 0.0
        self.isolated = account.maintenance_margin is not None
        self.maintenance = account.maintenance_margin or 0.0
        self.liquidation_rate = account.liquidation_rate
        self.fees = self.slippage = self.turnover = 0.0

    def leg(
        self,
        id: cython.longlong,
        group: cython.longlong,
        side: cython.int,
        liquidity: cython.int,
        reason: cython.int,
        quantity: cython.double,
        price: cython.double,
        rate: cython.double,
        base: cython.double,
        all_cash: cython.bint,
    ) -> cython.void:
        """One fill, and what it cancels: its OCO siblings, then, when flat, every reduce-only order."""
        moved: cython.double = quantity if side > 0 else -quantity
        fee: cython.double = (rate * quantity) * price
        slippage: cython.double = quantity * abs(price - base)
        if self.position == 0.0:
            self.trade.begin(self.fills.now, side, price)
        self.cash = 0.0 if all_cash else (self.cash - moved * price) - fee
        self.position = self.position + moved
        self.fills.add(id, side, liquidity, reason, quantity, price, fee, slippage)
        self.fees += fee
        self.slippage += slippage
        self.turnover += quantity * price
        self.trade.fill(side, quantity, price, fee)
        if group != 0:
            self.book.drop_siblings(group)
        if self.position == 0.0:
            self.trade.end(self.trades, self.fills.now, price, fee, reason)
            self.book.drop_reduce_only()

    def close_whole(self, reason: cython.int, base: cython.double, rate: cython.double) -> cython.void:
        """The engine's own market fill of the whole position."""
        side: cython.int = -1 if self.position > 0.0 else 1
        price: cython.double = self.sizing.slipped(base, side)
        self.leg(0, 0, side, TAKER, reason, abs(self.position), price, rate, base, False)

    def pay(self, amount: cython.double) -> cython.void:
        """Funding or borrow interest."""
        self.cash -= amount
        self.trade.pay(amount)

    def liquidation_price(self) -> cython.double:
        if self.position > 0.0:
            return -self.cash / (self.position * (1.0 - self.maintenance))
        return self.cash / (abs(self.position) * (1.0 + self.maintenance))

    def is_called(self, low: cython.double, high: cython.double) -> cython.bint:
        """Whether prices from `low` to `high` reach or pass the liquidation stop."""
        if not self.isolated or self.position == 0.0:
            return False
        if self.position > 0.0:
            return low <= self.liquidation_price()
        return high >= self.liquidation_price()

    def liquidate(self, base: cython.double) -> cython.void:
        self.close_whole(LIQUIDATION, base, self.sizing.taker + self.liquidation_rate)
        if self.cash < 0.0:
            self.guardrails.halt()

    def liquidated(self, base: cython.double) -> cython.double:
        """The equity if the position were closed at `base`, costs included."""
        price: cython.double = self.sizing.slipped(base, -1 if self.position > 0.0 else 1)
        value: cython.double = self.cash + self.position * price
        return value - (self.sizing.taker * abs(self.position)) * price
