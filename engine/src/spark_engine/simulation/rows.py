# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, call-overload"
"""The columns that a run leaves, row after row: fills, events and trades. Compiled; see `kernel`.

Rows are added without the interpreter's lock; it is only taken where columns grow. Where memory does not
suffice the row is lost and `exhausted` says so: whoever runs the simulation raises then.
"""

from __future__ import annotations

from typing import Any

import cython

from spark_engine.data.rows import ColumnType, zeros
from spark_engine.simulation.ledger import Events, Fills, Trades


def longer(column: Any, code: ColumnType) -> memoryview:
    """A copy of `column` with twice its room."""
    rows = len(column)
    larger = zeros(code, 2 * rows)
    larger[:rows] = memoryview(column)
    return larger


def cut(column: Any, rows: int) -> memoryview:
    return memoryview(column)[:rows]


@cython.cclass
class FillRows:
    """`bar` of a new row is `now`; the others are those of `ledger.Fills`."""

    def __init__(self, room: int) -> None:
        self.now = -1
        self.rows = 0
        self.room = room
        self.exhausted = False
        self.bar, self.order = zeros("q", room), zeros("q", room)
        self.side, self.liquidity, self.reason = zeros("b", room), zeros("b", room), zeros("b", room)
        self.quantity, self.price = zeros("d", room), zeros("d", room)
        self.fee, self.slippage = zeros("d", room), zeros("d", room)

    def grow(self) -> cython.bint:
        try:
            self.bar, self.order = longer(self.bar, "q"), longer(self.order, "q")
            self.side, self.liquidity = longer(self.side, "b"), longer(self.liquidity, "b")
            self.reason, self.quantity = longer(self.reason, "b"), longer(self.quantity, "d")
            self.price, self.fee = longer(self.price, "d"), longer(self.fee, "d")
            self.slippage = longer(self.slippage, "d")
        except MemoryError:
            self.exhausted = True
            return False
        self.room *= 2
        return True

    def add(
        self,
        order: cython.longlong,
        side: cython.int,
        liquidity: cython.int,
        reason: cython.int,
        quantity: cython.double,
        price: cython.double,
        fee: cython.double,
        slippage: cython.double,
    ) -> cython.void:
        row: cython.Py_ssize_t = self.rows
        if row == self.room and not self.grow():
            return
        self.bar[row] = self.now
        self.order[row] = order
        self.side[row] = side
        self.liquidity[row] = liquidity
        self.reason[row] = reason
        self.quantity[row] = quantity
        self.price[row] = price
        self.fee[row] = fee
        self.slippage[row] = slippage
        self.rows = row + 1

    def row(self, row: cython.Py_ssize_t) -> tuple[int, int, int, int, int, float, float, float]:
        """bar, order, side, liquidity, reason, quantity, price and fee of a fill."""
        if not 0 <= row < self.rows:
            raise IndexError(f"there are {self.rows} fills, not {row + 1}")
        return (
            self.bar[row], self.order[row], self.side[row], self.liquidity[row], self.reason[row],
            self.quantity[row], self.price[row], self.fee[row],
        )  # fmt: skip

    def columns(self) -> Fills:
        rows = self.rows
        return Fills(
            bar=cut(self.bar, rows),
            order=cut(self.order, rows),
            side=cut(self.side, rows),
            liquidity=cut(self.liquidity, rows),
            reason=cut(self.reason, rows),
            quantity=cut(self.quantity, rows),
            price=cut(self.price, rows),
            fee=cut(self.fee, rows),
            slippage=cut(self.slippage, rows),
        )


@cython.cclass
class EventRows:
    """`bar` of a new row is `now`; the others are those of `ledger.Events`."""

    def __init__(self, room: int) -> None:
        self.now = -1
        self.rows = 0
        self.room = room
        self.exhausted = False
        self.bar, self.code = zeros("q", room), zeros("b", room)
        self.order, self.value = zeros("q", room), zeros("d", room)

    def grow(self) -> cython.bint:
        try:
            self.bar, self.code = longer(self.bar, "q"), longer(self.code, "b")
            self.order, self.value = longer(self.order, "q"), longer(self.value, "d")
        except MemoryError:
            self.exhausted = True
            return False
        self.room *= 2
        return True

    def add(self, code: cython.int, order: cython.longlong, value: cython.double) -> cython.void:
        row: cython.Py_ssize_t = self.rows
        if row == self.room and not self.grow():
            return
        self.bar[row] = self.now
        self.code[row] = code
        self.order[row] = order
        self.value[row] = value
        self.rows = row + 1

    def columns(self) -> Events:
        rows = self.rows
        return Events(
            bar=cut(self.bar, rows),
            code=cut(self.code, rows),
            order=cut(self.order, rows),
            value=cut(self.value, rows),
        )


@cython.cclass
class TradeRows:
    """The columns of `ledger.Trades`; `episode` writes them."""

    def __init__(self, room: int) -> None:
        self.rows = 0
        self.room = room
        self.exhausted = False
        self.side, self.exit_reason = zeros("b", room), zeros("b", room)
        self.entry_bar, self.exit_bar, self.fills = zeros("q", room), zeros("q", room), zeros("q", room)
        self.entry_price, self.exit_price = zeros("d", room), zeros("d", room)
        self.quantity, self.fees, self.pnl = zeros("d", room), zeros("d", room), zeros("d", room)
        self.carry, self.mae, self.mfe = zeros("d", room), zeros("d", room), zeros("d", room)

    def grow(self) -> cython.bint:
        try:
            self.side, self.exit_reason = longer(self.side, "b"), longer(self.exit_reason, "b")
            self.entry_bar, self.exit_bar = longer(self.entry_bar, "q"), longer(self.exit_bar, "q")
            self.fills, self.carry = longer(self.fills, "q"), longer(self.carry, "d")
            self.entry_price, self.exit_price = longer(self.entry_price, "d"), longer(self.exit_price, "d")
            self.quantity, self.fees = longer(self.quantity, "d"), longer(self.fees, "d")
            self.pnl, self.mae = longer(self.pnl, "d"), longer(self.mae, "d")
            self.mfe = longer(self.mfe, "d")
        except MemoryError:
            self.exhausted = True
            return False
        self.room *= 2
        return True

    def columns(self) -> Trades:
        rows = self.rows
        return Trades(
            side=cut(self.side, rows),
            entry_bar=cut(self.entry_bar, rows),
            entry_price=cut(self.entry_price, rows),
            exit_bar=cut(self.exit_bar, rows),
            exit_price=cut(self.exit_price, rows),
            quantity=cut(self.quantity, rows),
            fees=cut(self.fees, rows),
            pnl=cut(self.pnl, rows),
            mae=cut(self.mae, rows),
            mfe=cut(self.mfe, rows),
            exit_reason=cut(self.exit_reason, rows),
            carry=cut(self.carry, rows),
            fills=cut(self.fills, rows),
        )
