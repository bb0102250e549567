# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, call-overload"
"""Funding and borrow interest at the close of a bar (SEMANTICS section 6). Compiled; see `kernel`."""

from __future__ import annotations

import cython

from spark_engine.data.candles import Candles
from spark_engine.data.rows import zeros
from spark_engine.simulation.bars import Bars
from spark_engine.simulation.holding import Holding
from spark_engine.simulation.rows import cut

YEAR_MS = cython.declare(cython.double, 31_536_000_000.0)


@cython.cclass
class Carry:
    """`present` where a run can have any; the column is then one row a bar."""

    def __init__(self, candles: Candles, borrow_rate: float, bars: Bars, holding: Holding) -> None:
        self.bars, self.holding = bars, holding
        self.borrow_rate = borrow_rate
        self.row = self.rows = 0
        if candles.funding is not None:
            self.rows = len(candles.funding)
            self.ts, self.rate = candles.funding.ts, candles.funding.rate
        self.present = self.rows > 0 or borrow_rate > 0.0
        self.column = zeros("d", bars.count if self.present else 0)
        self.funding = self.borrow = 0.0

    def charge(self, i: cython.Py_ssize_t) -> cython.void:
        """Funding in order of time, then borrow interest."""
        close: cython.double = self.bars.close[i]
        closes: cython.longlong = self.bars.close_time(i)
        position: cython.double = self.holding.position
        paid: cython.double = 0.0
        amount: cython.double
        while self.row < self.rows and self.ts[self.row] <= closes:
            amount = (position * close) * self.rate[self.row]
            self.row += 1
            if position != 0.0:
                self.funding += amount
                paid += amount
                self.holding.pay(amount)
        if position < 0.0 and self.borrow_rate > 0.0:
            amount = ((abs(position) * close) * self.borrow_rate * self.bars.timeframe) / YEAR_MS
            self.borrow += amount
            paid += amount
            self.holding.pay(amount)
        self.column[i] = paid

    def paid(self, rows: int) -> memoryview | None:
        return cut(self.column, rows) if self.present else None
