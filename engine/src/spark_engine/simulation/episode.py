# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, untyped-decorator, assignment, call-overload"
"""The open trade: from flat to flat, or to the turn of the position's sign. Compiled; see `kernel`."""

from __future__ import annotations

import cython

from spark_engine.simulation.rows import TradeRows


@cython.cclass
class Episode:
    """What its fills and the prices that it lived through add up to."""

    def __init__(self) -> None:
        self.side = 0
        self.entry_bar = 0
        self.entry_price = self.entry_fee = 0.0
        self.begin(0, 0, 0.0)

    def begin(self, bar: cython.longlong, side: cython.int, price: cython.double) -> cython.void:
        self.side = side
        self.entry_bar = bar
        self.entries = 0
        self.exits = 0
        self.entered = 0.0
        self.entered_value = 0.0
        self.left = 0.0
        self.left_value = 0.0
        self.fees = 0.0
        self.flow = 0.0
        self.carry = 0.0
        self.highest = price
        self.lowest = price

    def fill(
        self, side: cython.int, quantity: cython.double, price: cython.double, fee: cython.double
    ) -> cython.void:
        if side == self.side:
            if self.entries == 0:
                self.entry_price = price
                self.entry_fee = fee
            self.entries += 1
            self.entered += quantity
            self.entered_value += quantity * price
        else:
            self.exits += 1
            self.left += quantity
            self.left_value += quantity * price
        self.fees += fee
        self.flow = (self.flow - side * quantity * price) - fee
        self.see(price)

    def see(self, price: cython.double) -> cython.void:
        if price > self.highest:
            self.highest = price
        if price < self.lowest:
            self.lowest = price

    def see_bar(self, high: cython.double, low: cython.double) -> cython.void:
        if high > self.highest:
            self.highest = high
        if low < self.lowest:
            self.lowest = low

    def pay(self, amount: cython.double) -> cython.void:
        self.carry += amount
        self.flow -= amount

    def end(
        self,
        trades: TradeRows,
        bar: cython.longlong,
        price: cython.double,
        fee: cython.double,
        reason: cython.int,
    ) -> cython.void:
        """Writes the trade that a last fill at `price` has closed."""
        row: cython.Py_ssize_t = trades.rows
        entry: cython.double = self.entry_price
        gross: cython.double
        if row == trades.room and not trades.grow():
            return
        if self.entries == 1 and self.exits == 1:
            gross = self.side * self.entered * (price - entry)
            trades.pnl[row] = ((gross - self.entry_fee) - fee) - self.carry
        else:
            trades.pnl[row] = self.flow
        if self.entries > 1:
            entry = self.entered_value / self.entered
        trades.side[row] = self.side
        trades.entry_bar[row] = self.entry_bar
        trades.entry_price[row] = entry
        trades.exit_bar[row] = bar
        trades.exit_price[row] = price if self.exits == 1 else self.left_value / self.left
        trades.quantity[row] = self.entered
        trades.fees[row] = self.fees
        trades.exit_reason[row] = reason
        trades.carry[row] = self.carry
        trades.fills[row] = self.entries + self.exits
        if entry > 0.0:
            trades.mae[row] = (entry - self.lowest if self.side > 0 else self.highest - entry) / entry
            trades.mfe[row] = (self.highest - entry if self.side > 0 else entry - self.lowest) / entry
        trades.rows = row + 1
