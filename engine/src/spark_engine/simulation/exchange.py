# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# ruff: noqa: A001, A002 - `type`, `id` and `open` are the words of the field
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, call-overload"
"""One account on one symbol, bar by bar: orders, margin, carry and gates (SEMANTICS sections 3 to 7).

Ordinary Python that Cython compiles ahead of time, by the rules of `kernel`; the layouts of the classes are
in the .pxd files beside. From the bottom up: `bars`, `sizing`, `rows`, `slots`, `order_book`, `guardrails`,
`episode`, `holding` (cash and legs), `carry`, `execution` (an order becomes legs), `matching` (the path of a
bar), and here the order of things within a bar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import cython

from spark_engine.data.candles import Candles
from spark_engine.data.rows import zeros
from spark_engine.simulation.bars import Bars
from spark_engine.simulation.carry import Carry
from spark_engine.simulation.execution import Execution
from spark_engine.simulation.guardrails import Guardrails
from spark_engine.simulation.holding import Holding
from spark_engine.simulation.ledger import Account, Events, Fills, Submissions, Trades
from spark_engine.simulation.matching import Matching
from spark_engine.simulation.order_book import OrderBook
from spark_engine.simulation.rows import EventRows, FillRows, TradeRows, cut
from spark_engine.simulation.sizing import Sizing

LIMIT_ORDER = cython.declare(cython.int, 1)
TARGET_EVENT = cython.declare(cython.int, 5)
ASK_ORDER = cython.declare(cython.int, 0)
ASK_TARGET = cython.declare(cython.int, 1)
ASK_CANCEL = cython.declare(cython.int, 2)
CLOSE_AT_END = cython.declare(cython.int, 8)
CANCELLED_USER = cython.declare(cython.int, 20)


class Outcome(NamedTuple):
    """What a run leaves, but for the sums over its equity; the fields are those of `ledger.Ledger`."""

    equity: memoryview
    cash: memoryview
    position: memoryview
    carry: memoryview | None
    fills: Fills
    trades: Trades
    events: Events
    asked: list[tuple[float, ...]]  # rows of Submissions, of an event strategy
    asked_rows: int  # of a script or of decisions, how many came to be asked
    fees: float
    slippage: float
    turnover: float
    funding: float
    borrow: float
    final_equity_liquidated: float
    short_targets_clamped: int
    ambiguous_bars: int
    unresolved_bars: int
    stopped_bar: int | None
    open_orders: tuple[int, ...]
    unfilled_at_end: int


@cython.cclass
class Exchange:
    """Submit, cancel, and see what has become of it.

    A strategy of the event form reads `bar`, `cash`, `position`, `equity`, `initial_cash` and `fills`, which
    are as of the close of `bar`, and calls `submit`, `cancel` and `target`.
    """

    def __init__(self, candles: Candles, account: Account, room: int = 64) -> None:
        """Over the window `candles[warmup:]`, which has bars; both as `simulate` has checked them.

        room: how many fills and events to expect; more are no error.
        """
        self.bars = Bars(candles)
        self.events = EventRows(room)
        self.book = OrderBook(self.events, account.limit_through)
        self.guardrails = Guardrails(account.gates, account.initial_cash, self.book)
        self.filled, self.traded = FillRows(room), TradeRows(room // 2 + 1)
        self.holding = Holding(account, Sizing(account), self.book, self.guardrails, self.filled, self.traded)
        self.carry = Carry(candles, account.borrow_rate_annual, self.bars, self.holding)
        self.matching = Matching(candles, account, self.bars, Execution(account, self.holding))
        self.close_at_end, self.allow_short = account.close_at_end, account.allow_short
        self.bar = -1
        self.initial_cash = self.now = account.initial_cash
        self.asked: list[tuple[float, ...]] = []
        self.asked_rows = self.clamped = 0
        self.equity_column = zeros("d", self.bars.count)
        self.cash_column = zeros("d", self.bars.count)
        self.position_column = zeros("d", self.bars.count)

    # What a strategy may see and do.

    @property
    def cash(self) -> float:
        return self.holding.cash

    @property
    def position(self) -> float:
        return self.holding.position

    @property
    def equity(self) -> float:
        return self.now

    @property
    def fills(self) -> int:
        """How many fills there have been."""
        return self.filled.rows

    def fill(self, row: int) -> tuple[int, int, int, int, int, float, float, float]:
        """bar, order, side, liquidity, reason, quantity, price and fee of a fill."""
        return self.filled.row(row)

    def open_orders(self) -> list[tuple[Any, ...]]:
        """order, type, side, quantity, limit, stop, tif and reduce_only of every open order, by id.

        The stop of a trailing stop is where it now stands; one that a stop-limit has passed is 0.
        """
        return self.book.rows()

    def submit(
        self,
        type: cython.int,
        side: cython.int,
        quantity: cython.double,
        limit: cython.double = 0.0,
        stop: cython.double = 0.0,
        trail: cython.double = 0.0,
        trail_rate: cython.double = 0.0,
        tif: cython.int = 0,
        expires: cython.longlong = 0,
        reduce_only: cython.bint = False,
        oco: cython.longlong = 0,
        take_profit: cython.double = 0.0,
        stop_loss: cython.double = 0.0,
        stop_trail: cython.double = 0.0,
        stop_trail_rate: cython.double = 0.0,
    ) -> int:
        """An order that is live from the next open; its id, which it takes also if it is rejected at once.

        type, tif: `ledger.OrderType`, `ledger.TimeInForce`. side: +1 buy, -1 sell. quantity: above 0.
        expires: ms UTC, of GTD. oco: a group above 0. Prices, amounts and rates are 0 where absent. Values
        are not checked here.
        """
        id: cython.longlong = self.place(
            type, side, quantity, limit, stop, trail, trail_rate, tif, expires, reduce_only, oco,
            take_profit, stop_loss, stop_trail, stop_trail_rate,
        )  # fmt: skip
        self.asked.append((
            self.bar, ASK_ORDER, id, type, side, tif, reduce_only, quantity, limit, stop, trail, trail_rate,
            expires, oco, take_profit, stop_loss, stop_trail, stop_trail_rate,
        ))  # fmt: skip
        return id

    def target(self, weight: cython.double) -> int:
        """An exposure in [-1, 1], no NaN, that the next open brings about; its id."""
        id: cython.longlong = self.aim(weight)
        self.asked.append((
            self.bar, ASK_TARGET, id, TARGET_EVENT, 0, 0, 0, weight, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0, 0.0, 0.0,
            0.0,
        ))  # fmt: skip
        return id

    def cancel(self, id: cython.longlong) -> None:
        """Takes the order `id` out of the book at once, if it is open; else nothing happens."""
        self.withdraw(id)
        self.asked.append((
            self.bar, ASK_CANCEL, id, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0, 0.0, 0.0, 0.0,
        ))  # fmt: skip

    # The same, without the interpreter's lock.

    def place(
        self,
        type: cython.int,
        side: cython.int,
        quantity: cython.double,
        limit: cython.double,
        stop: cython.double,
        trail: cython.double,
        trail_rate: cython.double,
        tif: cython.int,
        expires: cython.longlong,
        reduce_only: cython.bint,
        oco: cython.longlong,
        take_profit: cython.double,
        stop_loss: cython.double,
        stop_trail: cython.double,
        stop_trail_rate: cython.double,
    ) -> cython.longlong:
        order: cython.longlong = self.book.accept(type, side, quantity)
        id: cython.longlong = self.book.next_id - 1
        if self.guardrails.turns_away(id, True):
            self.book.release(order)
            return id
        self.book.limit[order] = limit
        self.book.level[order] = limit if type == LIMIT_ORDER else stop
        self.book.trail[order] = trail
        self.book.trail_rate[order] = trail_rate
        self.book.tif[order] = tif
        self.book.expires[order] = expires
        self.book.reduce_only[order] = reduce_only
        self.book.oco[order] = oco
        self.book.take_profit[order] = take_profit
        self.book.stop_loss[order] = stop_loss
        self.book.stop_trail[order] = stop_trail
        self.book.stop_trail_rate[order] = stop_trail_rate
        self.book.append(order)
        return id

    def aim(self, weight: cython.double) -> cython.longlong:
        clamps: cython.bint = weight < 0.0 and not self.allow_short
        order: cython.longlong = self.book.accept(TARGET_EVENT, 0, 0.0 if clamps else weight)
        id: cython.longlong = self.book.next_id - 1
        self.clamped += clamps
        if self.guardrails.turns_away(id, False):
            self.book.release(order)
        else:
            self.book.append(order)
        return id

    def withdraw(self, id: cython.longlong) -> cython.void:
        order: cython.longlong = self.book.find(id)
        if order != 0:
            self.book.drop(order, CANCELLED_USER)

    # One bar.

    def step(self, i: cython.Py_ssize_t) -> cython.void:
        """Steps 1 to 5 of bar i."""
        close: cython.double = self.bars.close[i]
        before: cython.double = self.now
        last: cython.bint = i == self.bars.count - 1
        self.bar = self.events.now = self.filled.now = i
        if not self.matching.is_idle(i):
            self.matching.match(i)
        elif self.holding.position != 0.0:
            self.holding.trade.see_bar(self.bars.high[i], self.bars.low[i])
        if last and self.close_at_end and self.holding.position != 0.0:
            self.holding.close_whole(CLOSE_AT_END, close, self.holding.sizing.taker)
        if self.carry.present:
            self.carry.charge(i)
        self.now = self.holding.cash + self.holding.position * close
        self.equity_column[i] = self.now
        self.cash_column[i] = self.holding.cash
        self.position_column[i] = self.holding.position
        if self.guardrails.judges:
            self.guardrails.judge(self.now, before, self.bars.day(i), self.holding.position != 0.0, last)

    # Whole runs.

    def run_targets(
        self, bar: cython.const[cython.longlong][::1], target: cython.const[cython.double][::1]
    ) -> None:
        """A run of targets: weights in [-1, 1], in bar order."""
        i: cython.Py_ssize_t
        row: cython.Py_ssize_t = 0
        rows: cython.Py_ssize_t = len(bar)
        with cython.nogil:
            for i in range(self.bars.count):
                self.step(i)
                if self.guardrails.stopped:
                    break
                while row < rows and bar[row] == i:
                    self.aim(target[row])
                    row += 1
        self.asked_rows = row

    def run_script(self, script: Submissions, ids: cython.longlong[::1]) -> None:
        """A run of submissions in bar order; of `order` only the rows that cancel are read.

        Writes to `ids` what each submission took, or the order that it names.
        """
        i: cython.Py_ssize_t
        row: cython.Py_ssize_t = 0
        rows: cython.Py_ssize_t = len(script)
        bar: cython.const[cython.longlong][::1] = script.bar
        action: cython.const[cython.schar][::1] = script.action
        order: cython.const[cython.longlong][::1] = script.order
        type: cython.const[cython.schar][::1] = script.type
        side: cython.const[cython.schar][::1] = script.side
        tif: cython.const[cython.schar][::1] = script.tif
        reduce_only: cython.const[cython.schar][::1] = script.reduce_only
        quantity: cython.const[cython.double][::1] = script.quantity
        limit: cython.const[cython.double][::1] = script.limit
        stop: cython.const[cython.double][::1] = script.stop
        trail: cython.const[cython.double][::1] = script.trail
        trail_rate: cython.const[cython.double][::1] = script.trail_rate
        expires: cython.const[cython.longlong][::1] = script.expires
        oco: cython.const[cython.longlong][::1] = script.oco
        take_profit: cython.const[cython.double][::1] = script.take_profit
        stop_loss: cython.const[cython.double][::1] = script.stop_loss
        stop_trail: cython.const[cython.double][::1] = script.stop_trail
        stop_trail_rate: cython.const[cython.double][::1] = script.stop_trail_rate
        with cython.nogil:
            for i in range(self.bars.count):
                self.step(i)
                if self.guardrails.stopped:
                    break
                while row < rows and bar[row] == i:
                    if action[row] == ASK_CANCEL:
                        self.withdraw(order[row])
                        ids[row] = order[row]
                    elif action[row] == ASK_TARGET:
                        ids[row] = self.aim(quantity[row])
                    else:
                        ids[row] = self.place(
                            type[row], side[row], quantity[row], limit[row], stop[row], trail[row],
                            trail_rate[row], tif[row], expires[row], reduce_only[row] != 0, oco[row],
                            take_profit[row], stop_loss[row], stop_trail[row], stop_trail_rate[row],
                        )  # fmt: skip
                    row += 1
        self.asked_rows = row

    def run_events(self, on_bar: Callable[[int], None]) -> None:
        """A run that asks `on_bar` at step 6 of every bar; what it raises is raised."""
        i: cython.Py_ssize_t
        for i in range(self.bars.count):
            self.step(i)
            if self.guardrails.stopped:
                return
            on_bar(i)

    # What a run leaves.

    def outcome(self) -> Outcome:
        """Everything but the sums over the equity, once the run has ended.

        Raises `MemoryError` where memory did not suffice for its rows.
        """
        rows: int = self.bar + 1
        if self.filled.exhausted or self.traded.exhausted or self.events.exhausted or self.book.exhausted:
            raise MemoryError("the rows of the run do not fit into memory")
        return Outcome(
            equity=cut(self.equity_column, rows),
            cash=cut(self.cash_column, rows),
            position=cut(self.position_column, rows),
            carry=self.carry.paid(rows),
            fills=self.filled.columns(),
            trades=self.traded.columns(),
            events=self.events.columns(),
            asked=self.asked,
            asked_rows=self.asked_rows,
            fees=self.holding.fees,
            slippage=self.holding.slippage,
            turnover=self.holding.turnover,
            funding=self.carry.funding,
            borrow=self.carry.borrow,
            final_equity_liquidated=self.holding.liquidated(self.bars.close[self.bar]),
            short_targets_clamped=self.clamped,
            ambiguous_bars=self.matching.ambiguous_bars,
            unresolved_bars=self.matching.unresolved_bars,
            stopped_bar=self.bar if self.guardrails.stopped else None,
            open_orders=self.book.ids(submitted=False),
            unfilled_at_end=len(self.book.ids(submitted=True)),
        )
