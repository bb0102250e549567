# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# ruff: noqa: A001, A002 - `type`, `id` and `open` are the words of the field
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, assignment"
"""The whole account, bar by bar: orders, margin, carry and gates (SEMANTICS sections 3 to 7).

Ordinary Python that Cython compiles ahead of time, by the rules of `kernel`: arithmetic in the order that
SEMANTICS prints, columns as one-dimensional contiguous buffers, no float divided by zero. Callers check
shapes and ranges. A bar on which no order can act takes a short path.

`Exchange` keeps the account and matches; `Order` is one order or target in its list; `Episode` is the open
trade; the `...Rows` classes are the columns that a run leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import cython

from spark_engine.data.candles import Candles
from spark_engine.data.rows import zeros
from spark_engine.simulation.ledger import Account, Events, Fills, Submissions, Trades

INFINITY = cython.declare(cython.double, float("inf"))
NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
DAY_MS = cython.declare(cython.longlong, 86_400_000)
YEAR_MS = cython.declare(cython.double, 31_536_000_000.0)
NEGLIGIBLE = cython.declare(cython.double, 1e-9)
WHOLE_FROM = cython.declare(cython.double, 4503599627370496.0)  # 2^52: no float above has a fraction

# Of Order.type, tif and Submissions.action: the codes of `ledger`.
MARKET_ORDER = cython.declare(cython.int, 0)
LIMIT_ORDER = cython.declare(cython.int, 1)
STOP_ORDER = cython.declare(cython.int, 2)
STOP_LIMIT_ORDER = cython.declare(cython.int, 3)
TRAILING_ORDER = cython.declare(cython.int, 4)
TARGET_EVENT = cython.declare(cython.int, 5)
GTC = cython.declare(cython.int, 0)
GTD = cython.declare(cython.int, 1)
DAY = cython.declare(cython.int, 2)
ASK_ORDER = cython.declare(cython.int, 0)
ASK_TARGET = cython.declare(cython.int, 1)
ASK_CANCEL = cython.declare(cython.int, 2)

# What an order waits for.
NOTHING = cython.declare(cython.int, 0)  # a market order or a target: only for the open
LIMIT = cython.declare(cython.int, 1)
STOP = cython.declare(cython.int, 2)

# How far an order has come.
SUBMITTED = cython.declare(cython.int, 0)  # still to come to the open
FRESH = cython.declare(cython.int, 1)  # live from this path point on
RESTING = cython.declare(cython.int, 2)

SIGNAL = cython.declare(cython.int, 0)
BY_LIMIT = cython.declare(cython.int, 1)
BY_STOP = cython.declare(cython.int, 2)
TAKE_PROFIT = cython.declare(cython.int, 3)
STOP_LOSS = cython.declare(cython.int, 4)
TRAILING = cython.declare(cython.int, 5)
LIQUIDATION = cython.declare(cython.int, 6)
GATE = cython.declare(cython.int, 7)
CLOSE_AT_END = cython.declare(cython.int, 8)
TAKER = cython.declare(cython.int, 0)
MAKER = cython.declare(cython.int, 1)

ALL_IN = cython.declare(cython.int, 0)
FIXED_QUANTITY = cython.declare(cython.int, 1)
FIXED_NOTIONAL = cython.declare(cython.int, 2)
EQUITY_FRACTION = cython.declare(cython.int, 3)
SIZINGS = {
    "AllIn": ALL_IN,
    "FixedQuantity": FIXED_QUANTITY,
    "FixedNotional": FIXED_NOTIONAL,
    "EquityFraction": EQUITY_FRACTION,
}

REJECTED_LOT_SIZE = cython.declare(cython.int, 10)
REJECTED_SHORT_NOT_ALLOWED = cython.declare(cython.int, 11)
REJECTED_INSUFFICIENT_FUNDS = cython.declare(cython.int, 12)
REJECTED_MIN_NOTIONAL = cython.declare(cython.int, 13)
REJECTED_MAX_NOTIONAL = cython.declare(cython.int, 14)
REJECTED_MAX_LEVERAGE = cython.declare(cython.int, 15)
REJECTED_MAX_OPEN_ORDERS = cython.declare(cython.int, 16)
REJECTED_GATE_CLOSED = cython.declare(cython.int, 17)
REJECTED_MAX_POSITION = cython.declare(cython.int, 18)
CANCELLED_USER = cython.declare(cython.int, 20)
CANCELLED_OCO = cython.declare(cython.int, 21)
CANCELLED_REDUCE_ONLY = cython.declare(cython.int, 22)
CANCELLED_GATE = cython.declare(cython.int, 23)
CANCELLED_DEFICIT = cython.declare(cython.int, 24)
EXPIRED_GTD = cython.declare(cython.int, 30)
EXPIRED_DAY = cython.declare(cython.int, 31)
BREACH_MAX_DRAWDOWN = cython.declare(cython.int, 40)
BREACH_MAX_DAILY_LOSS = cython.declare(cython.int, 41)
HALTED_DEFICIT = cython.declare(cython.int, 50)

FIRST_ROWS = cython.declare(cython.Py_ssize_t, 64)


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


def _longer(column: Any, code: Any) -> memoryview:
    """A copy of `column` with twice its room."""
    rows = len(column)
    larger = zeros(code, 2 * rows)
    larger[:rows] = memoryview(column)
    return larger


def _cut(column: Any, rows: int) -> memoryview:
    return memoryview(column)[:rows]


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def whole(x: cython.double) -> cython.double:
    """The integer part of a number of at least 0."""
    if x >= WHOLE_FROM:
        return x
    return cython.cast(cython.double, cython.cast(cython.longlong, x))


@cython.cfunc
@cython.cdivision(False)
@cython.exceptval(check=False)
def utc_day(ts: cython.longlong) -> cython.longlong:
    """Days since 1970, rounded down before it too."""
    return ts // DAY_MS


@cython.cfunc
@cython.exceptval(check=False)
def agree(x: cython.double, y: cython.double) -> cython.bint:
    return abs(x - y) <= NEGLIGIBLE * y


@cython.final
@cython.cclass
class FillRows:
    rows: cython.Py_ssize_t
    room: cython.Py_ssize_t
    bar: cython.longlong[::1]
    order: cython.longlong[::1]
    side: cython.schar[::1]
    liquidity: cython.schar[::1]
    reason: cython.schar[::1]
    quantity: cython.double[::1]
    price: cython.double[::1]
    fee: cython.double[::1]
    slippage: cython.double[::1]

    def __init__(self) -> None:
        self.rows = 0
        self.room = FIRST_ROWS
        self.bar, self.order = zeros("q", self.room), zeros("q", self.room)
        self.side, self.liquidity, self.reason = (zeros("b", self.room) for _ in range(3))
        self.quantity, self.price = zeros("d", self.room), zeros("d", self.room)
        self.fee, self.slippage = zeros("d", self.room), zeros("d", self.room)

    @cython.cfunc
    def grow(self) -> None:
        self.bar, self.order = _longer(self.bar, "q"), _longer(self.order, "q")
        self.side, self.liquidity = _longer(self.side, "b"), _longer(self.liquidity, "b")
        self.reason, self.quantity = _longer(self.reason, "b"), _longer(self.quantity, "d")
        self.price, self.fee = _longer(self.price, "d"), _longer(self.fee, "d")
        self.slippage = _longer(self.slippage, "d")
        self.room *= 2

    @cython.cfunc
    def add(
        self,
        bar: cython.longlong,
        order: cython.longlong,
        side: cython.int,
        liquidity: cython.int,
        reason: cython.int,
        quantity: cython.double,
        price: cython.double,
        fee: cython.double,
        slippage: cython.double,
    ) -> None:
        row: cython.Py_ssize_t = self.rows
        if row == self.room:
            self.grow()
        self.bar[row] = bar
        self.order[row] = order
        self.side[row] = side
        self.liquidity[row] = liquidity
        self.reason[row] = reason
        self.quantity[row] = quantity
        self.price[row] = price
        self.fee[row] = fee
        self.slippage[row] = slippage
        self.rows = row + 1

    def columns(self) -> Fills:
        rows = self.rows
        return Fills(
            bar=_cut(self.bar, rows),
            order=_cut(self.order, rows),
            side=_cut(self.side, rows),
            liquidity=_cut(self.liquidity, rows),
            reason=_cut(self.reason, rows),
            quantity=_cut(self.quantity, rows),
            price=_cut(self.price, rows),
            fee=_cut(self.fee, rows),
            slippage=_cut(self.slippage, rows),
        )


@cython.final
@cython.cclass
class EventRows:
    rows: cython.Py_ssize_t
    room: cython.Py_ssize_t
    bar: cython.longlong[::1]
    code: cython.schar[::1]
    order: cython.longlong[::1]
    value: cython.double[::1]

    def __init__(self) -> None:
        self.rows = 0
        self.room = FIRST_ROWS
        self.bar, self.code = zeros("q", self.room), zeros("b", self.room)
        self.order, self.value = zeros("q", self.room), zeros("d", self.room)

    @cython.cfunc
    def grow(self) -> None:
        self.bar, self.code = _longer(self.bar, "q"), _longer(self.code, "b")
        self.order, self.value = _longer(self.order, "q"), _longer(self.value, "d")
        self.room *= 2

    @cython.cfunc
    def add(
        self, bar: cython.longlong, code: cython.int, order: cython.longlong, value: cython.double
    ) -> None:
        row: cython.Py_ssize_t = self.rows
        if row == self.room:
            self.grow()
        self.bar[row] = bar
        self.code[row] = code
        self.order[row] = order
        self.value[row] = value
        self.rows = row + 1

    def columns(self) -> Events:
        rows = self.rows
        return Events(
            bar=_cut(self.bar, rows),
            code=_cut(self.code, rows),
            order=_cut(self.order, rows),
            value=_cut(self.value, rows),
        )


@cython.final
@cython.cclass
class TradeRows:
    rows: cython.Py_ssize_t
    room: cython.Py_ssize_t
    side: cython.schar[::1]
    entry_bar: cython.longlong[::1]
    entry_price: cython.double[::1]
    exit_bar: cython.longlong[::1]
    exit_price: cython.double[::1]
    quantity: cython.double[::1]
    fees: cython.double[::1]
    pnl: cython.double[::1]
    mae: cython.double[::1]
    mfe: cython.double[::1]
    exit_reason: cython.schar[::1]
    carry: cython.double[::1]
    fills: cython.longlong[::1]

    def __init__(self) -> None:
        self.rows = 0
        self.room = FIRST_ROWS
        self.side, self.exit_reason = zeros("b", self.room), zeros("b", self.room)
        self.entry_bar, self.exit_bar, self.fills = (zeros("q", self.room) for _ in range(3))
        self.entry_price, self.exit_price, self.quantity = (zeros("d", self.room) for _ in range(3))
        self.fees, self.pnl, self.carry = (zeros("d", self.room) for _ in range(3))
        self.mae, self.mfe = zeros("d", self.room), zeros("d", self.room)

    @cython.cfunc
    def grow(self) -> None:
        self.side, self.exit_reason = _longer(self.side, "b"), _longer(self.exit_reason, "b")
        self.entry_bar, self.exit_bar = _longer(self.entry_bar, "q"), _longer(self.exit_bar, "q")
        self.fills, self.carry = _longer(self.fills, "q"), _longer(self.carry, "d")
        self.entry_price, self.exit_price = _longer(self.entry_price, "d"), _longer(self.exit_price, "d")
        self.quantity, self.fees = _longer(self.quantity, "d"), _longer(self.fees, "d")
        self.pnl, self.mae, self.mfe = _longer(self.pnl, "d"), _longer(self.mae, "d"), _longer(self.mfe, "d")
        self.room *= 2

    def columns(self) -> Trades:
        rows = self.rows
        return Trades(
            side=_cut(self.side, rows),
            entry_bar=_cut(self.entry_bar, rows),
            entry_price=_cut(self.entry_price, rows),
            exit_bar=_cut(self.exit_bar, rows),
            exit_price=_cut(self.exit_price, rows),
            quantity=_cut(self.quantity, rows),
            fees=_cut(self.fees, rows),
            pnl=_cut(self.pnl, rows),
            mae=_cut(self.mae, rows),
            mfe=_cut(self.mfe, rows),
            exit_reason=_cut(self.exit_reason, rows),
            carry=_cut(self.carry, rows),
            fills=_cut(self.fills, rows),
        )


@cython.final
@cython.cclass
class Order:
    """One order or target, linked in order of id. Prices and times are 0 where absent.

    `level` is the price that it waits for: of a limit, a stop, or where a trailing stop now stands.
    """

    id: cython.longlong
    type: cython.int
    side: cython.int
    waits: cython.int
    state: cython.int
    reason: cython.int  # of its fills
    tif: cython.int
    reduce_only: cython.bint
    quantity: cython.double  # of a target: its weight
    limit: cython.double
    level: cython.double
    trail: cython.double
    trail_rate: cython.double
    best: cython.double
    expires: cython.longlong
    day: cython.longlong  # of its first bar
    oco: cython.longlong  # group, 0 for none; below 0 the two children of a bracket
    take_profit: cython.double
    stop_loss: cython.double
    stop_trail: cython.double
    stop_trail_rate: cython.double
    before: Order
    after: Order

    @cython.cfunc
    def ratchet(self, price: cython.double) -> None:
        """Takes `price` as the best of a trailing stop and sets its level."""
        self.best = price
        if self.side < 0:
            self.level = price * (1.0 - self.trail_rate) if self.trail_rate > 0.0 else price - self.trail
        else:
            self.level = price * (1.0 + self.trail_rate) if self.trail_rate > 0.0 else price + self.trail


@cython.final
@cython.cclass
class Episode:
    """The open trade: from flat to flat, or to the turn of the position's sign."""

    side: cython.int
    entry_bar: cython.longlong
    entries: cython.Py_ssize_t
    exits: cython.Py_ssize_t
    entered: cython.double
    entered_value: cython.double
    entry_price: cython.double
    entry_fee: cython.double
    left: cython.double
    left_value: cython.double
    fees: cython.double
    flow: cython.double
    carry: cython.double
    highest: cython.double
    lowest: cython.double

    @cython.cfunc
    def begin(self, bar: cython.longlong, side: cython.int, price: cython.double) -> None:
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

    @cython.cfunc
    def fill(
        self, side: cython.int, quantity: cython.double, price: cython.double, fee: cython.double
    ) -> None:
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

    @cython.cfunc
    @cython.inline
    def see(self, price: cython.double) -> None:
        if price > self.highest:
            self.highest = price
        if price < self.lowest:
            self.lowest = price

    @cython.cfunc
    def pay(self, amount: cython.double) -> None:
        self.carry += amount
        self.flow -= amount

    @cython.cfunc
    def end(
        self,
        trades: TradeRows,
        bar: cython.longlong,
        price: cython.double,
        fee: cython.double,
        reason: cython.int,
    ) -> None:
        """Writes the trade that a last fill at `price` has closed."""
        row: cython.Py_ssize_t = trades.rows
        entry: cython.double = self.entry_price
        gross: cython.double
        if row == trades.room:
            trades.grow()
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


@cython.final
@cython.cclass
class Exchange:
    """One account on one symbol: submit, cancel, and see what has become of it.

    A strategy of the event form reads `bar`, `cash`, `position`, `equity`, `initial_cash` and `fills`, which
    are as of the close of `bar`, and calls `submit`, `cancel` and `target`.
    """

    bar = cython.declare(cython.longlong, visibility="readonly")
    cash = cython.declare(cython.double, visibility="readonly")
    position = cython.declare(cython.double, visibility="readonly")
    equity = cython.declare(cython.double, visibility="readonly")
    initial_cash = cython.declare(cython.double, visibility="readonly")

    # The account's rules.
    taker: cython.double
    maker: cython.double
    buy: cython.double
    sell: cython.double
    next_close: cython.bint
    close_at_end: cython.bint
    allow_short: cython.bint
    through: cython.bint
    worst: cython.bint
    sizing: cython.int
    size: cython.double
    leverage: cython.double
    tick: cython.double  # 0 for none, as the lot
    tick_units: cython.double
    tick_scale: cython.double
    lot: cython.double
    lot_units: cython.double
    lot_scale: cython.double
    min_notional: cython.double
    isolated: cython.bint
    maintenance: cython.double
    liquidation_rate: cython.double
    borrow_rate: cython.double
    max_notional: cython.double
    max_position: cython.double
    max_leverage: cython.double
    max_open_orders: cython.longlong
    max_drawdown: cython.double
    max_daily_loss: cython.double
    fail: cython.bint

    # The bars.
    bars: cython.Py_ssize_t
    timeframe: cython.longlong
    ts: cython.const[cython.longlong][::1]
    open: cython.const[cython.double][::1]
    high: cython.const[cython.double][::1]
    low: cython.const[cython.double][::1]
    close: cython.const[cython.double][::1]
    has_sessions: cython.bint
    close_ts: cython.const[cython.longlong][::1]
    session_day: cython.const[cython.longlong][::1]
    funding_rows: cython.Py_ssize_t
    funding_row: cython.Py_ssize_t
    funding_ts: cython.const[cython.longlong][::1]
    funding_rate: cython.const[cython.double][::1]
    has_finer: cython.bint
    finer_rows: cython.Py_ssize_t
    finer_from: cython.Py_ssize_t
    finer_to: cython.Py_ssize_t
    finer_timeframe: cython.longlong
    finer_ts: cython.const[cython.longlong][::1]
    finer_open: cython.const[cython.double][::1]
    finer_high: cython.const[cython.double][::1]
    finer_low: cython.const[cython.double][::1]
    finer_close: cython.const[cython.double][::1]

    # The book.
    first: Order
    last: Order
    next_id: cython.longlong
    open_count: cython.longlong  # orders, submitted ones too, targets not
    stirred: cython.bint  # something waits for the next open
    ceiling: cython.double  # the nearest prices at which the book can act
    floor: cython.double
    trailing: cython.bint
    deadline: cython.longlong  # the first ts at which an order can expire
    meeting: cython.double  # where the segment meets the next order
    calling: cython.bint  # that is the liquidation
    last_target: cython.double
    flatten: cython.bint
    halted: cython.bint
    drawdown_closed: cython.bint
    daily_closed: cython.bint
    peak: cython.double
    today: cython.longlong
    day_start: cython.double

    # What it leaves.
    filled: FillRows
    happened: EventRows
    traded: TradeRows
    asked: list[Any]
    asked_rows: cython.Py_ssize_t
    recording: cython.bint
    trade: Episode
    has_carry: cython.bint
    equity_column: cython.double[::1]
    cash_column: cython.double[::1]
    position_column: cython.double[::1]
    carry_column: cython.double[::1]
    fees: cython.double
    slippage: cython.double
    turnover: cython.double
    funding: cython.double
    borrow: cython.double
    ambiguous_bars: cython.Py_ssize_t
    unresolved_bars: cython.Py_ssize_t
    clamped: cython.Py_ssize_t
    stopped: cython.bint

    def __init__(self, candles: Candles, account: Account) -> None:
        """Over the window `candles[warmup:]`, which has bars; both as `simulate` has checked them."""
        self._take_bars(candles)
        self._take_account(account)
        self._take_gates(account)
        self.bar = -1
        self.position = 0.0
        self.first = None
        self.last = None
        self.next_id = 1
        self.open_count = 0
        self.stirred = False
        self.ceiling = INFINITY
        self.floor = -INFINITY
        self.deadline = NEVER
        self.trailing = False
        self.last_target = 0.0
        self.filled, self.happened = FillRows(), EventRows()
        self.traded, self.trade = TradeRows(), Episode()
        self.asked = []
        self.asked_rows = 0
        self.recording = False
        self.equity_column = zeros("d", self.bars)
        self.cash_column = zeros("d", self.bars)
        self.position_column = zeros("d", self.bars)
        self.has_carry = self.funding_rows > 0 or self.borrow_rate > 0.0
        self.carry_column = zeros("d", self.bars if self.has_carry else 0)
        self.fees = self.slippage = self.turnover = self.funding = self.borrow = 0.0
        self.ambiguous_bars = self.unresolved_bars = self.clamped = 0
        self.stopped = False

    def _take_bars(self, candles: Candles) -> None:
        warmup = candles.warmup
        self.ts, self.open = candles.ts[warmup:], candles.open[warmup:]
        self.high, self.low, self.close = candles.high[warmup:], candles.low[warmup:], candles.close[warmup:]
        self.bars = len(candles) - warmup
        self.timeframe = candles.timeframe_ms
        sessions, funding, finer = candles.sessions, candles.funding, candles.finer
        self.has_sessions = sessions is not None
        if sessions is not None:
            self.close_ts, self.session_day = sessions.close_ts[warmup:], sessions.day[warmup:]
        self.funding_row = self.funding_rows = 0
        if funding is not None:
            self.funding_rows = len(funding)
            self.funding_ts, self.funding_rate = funding.ts, funding.rate
        self.has_finer = finer is not None
        self.finer_from = self.finer_to = 0
        if finer is not None:
            self.finer_rows, self.finer_timeframe = len(finer), finer.timeframe_ms
            self.finer_ts, self.finer_open, self.finer_high = finer.ts, finer.open, finer.high
            self.finer_low, self.finer_close = finer.low, finer.close

    def _take_account(self, account: Account) -> None:
        self.initial_cash = self.cash = self.equity = account.initial_cash
        self.taker, self.maker = account.taker_rate, account.maker_rate
        self.buy, self.sell = 1.0 + account.slippage_rate, 1.0 - account.slippage_rate
        self.next_close, self.close_at_end = account.fill_next_close, account.close_at_end
        self.allow_short, self.through = account.allow_short, account.limit_through
        self.worst = account.worst_path
        self.sizing, self.size, self.leverage = SIZINGS[account.sizing], account.size, account.leverage
        self.tick = self.tick_units = self.tick_scale = 0.0
        if account.tick is not None:
            self.tick_units, self.tick_scale = float(account.tick.units), float(account.tick.scale)
            self.tick = self.tick_units / self.tick_scale
        self.lot = self.lot_units = self.lot_scale = 0.0
        if account.lot is not None:
            self.lot_units, self.lot_scale = float(account.lot.units), float(account.lot.scale)
            self.lot = self.lot_units / self.lot_scale
        self.min_notional = account.min_notional
        self.isolated = account.maintenance_margin is not None
        self.maintenance = account.maintenance_margin or 0.0
        self.liquidation_rate, self.borrow_rate = account.liquidation_rate, account.borrow_rate_annual

    def _take_gates(self, account: Account) -> None:
        gates = account.gates
        none = float("inf")
        self.max_notional = none if gates.max_notional is None else gates.max_notional
        self.max_position = none if gates.max_position is None else gates.max_position
        self.max_leverage = none if gates.max_leverage is None else gates.max_leverage
        self.max_open_orders = NEVER if gates.max_open_orders is None else gates.max_open_orders
        self.max_drawdown = none if gates.max_drawdown is None else gates.max_drawdown
        self.max_daily_loss = none if gates.max_daily_loss is None else gates.max_daily_loss
        self.fail = gates.fail
        self.flatten = self.halted = self.drawdown_closed = self.daily_closed = False
        self.peak = self.day_start = account.initial_cash
        self.today = -NEVER

    # What a strategy may do and see.

    @cython.ccall
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
    ) -> cython.longlong:
        """An order that is live from the next open; its id, which it takes also if it is rejected at once.

        type, tif: `ledger.OrderType`, `ledger.TimeInForce`. side: +1 buy, -1 sell. quantity: above 0.
        expires: ms UTC, of GTD. oco: a group above 0. Prices, amounts and rates are 0 where absent. Values
        are not checked here.
        """
        order: Order = self.accept(type, side, quantity)
        if self.recording:
            self.asked.append((
                self.bar, ASK_ORDER, order.id, type, side, tif, reduce_only, quantity, limit, stop, trail,
                trail_rate, expires, oco, take_profit, stop_loss, stop_trail, stop_trail_rate,
            ))  # fmt: skip
        if self.is_closed():
            self.happened.add(self.bar, REJECTED_GATE_CLOSED, order.id, 0.0)
            return order.id
        if self.open_count >= self.max_open_orders:
            self.happened.add(self.bar, REJECTED_MAX_OPEN_ORDERS, order.id, self.open_count + 1.0)
            return order.id
        order.limit = limit
        order.level = limit if type == LIMIT_ORDER else stop
        order.trail = trail
        order.trail_rate = trail_rate
        order.tif = tif
        order.expires = expires
        order.reduce_only = reduce_only
        order.oco = oco
        order.take_profit = take_profit
        order.stop_loss = stop_loss
        order.stop_trail = stop_trail
        order.stop_trail_rate = stop_trail_rate
        self.append(order)
        return order.id

    @cython.ccall
    def target(self, weight: cython.double) -> cython.longlong:
        """An exposure in [-1, 1], no NaN, that the next open brings about; its id."""
        order: Order = self.accept(TARGET_EVENT, 0, weight)
        if self.recording:
            self.asked.append((
                self.bar, ASK_TARGET, order.id, TARGET_EVENT, 0, GTC, 0, weight, 0.0, 0.0, 0.0, 0.0, 0, 0,
                0.0, 0.0, 0.0, 0.0,
            ))  # fmt: skip
        if weight < 0.0 and not self.allow_short:
            self.clamped += 1
            order.quantity = 0.0
        if self.is_closed():
            self.happened.add(self.bar, REJECTED_GATE_CLOSED, order.id, 0.0)
        else:
            self.append(order)
        return order.id

    @cython.ccall
    def cancel(self, id: cython.longlong) -> cython.void:
        """Takes the order `id` out of the book at once, if it is open; else nothing happens."""
        order: Order = self.first
        if self.recording:
            self.asked.append((
                self.bar, ASK_CANCEL, id, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0, 0.0, 0.0, 0.0
            ))  # fmt: skip
        while order is not None:
            if order.id == id and order.type != TARGET_EVENT:
                self.drop(order, CANCELLED_USER)
                return
            order = order.after

    @property
    def fills(self) -> int:
        """How many fills there have been."""
        return self.filled.rows

    def fill(self, row: cython.Py_ssize_t) -> tuple[int, int, int, int, int, float, float, float]:
        """bar, order, side, liquidity, reason, quantity, price and fee of a fill."""
        rows: FillRows = self.filled
        if not 0 <= row < rows.rows:
            raise IndexError(f"there are {rows.rows} fills, not {row + 1}")
        return (
            rows.bar[row], rows.order[row], rows.side[row], rows.liquidity[row], rows.reason[row],
            rows.quantity[row], rows.price[row], rows.fee[row],
        )  # fmt: skip

    def open_orders(self) -> list[tuple[Any, ...]]:
        """order, type, side, quantity, limit, stop, tif and reduce_only of every open order, by id.

        The stop of a trailing stop is where it now stands; one that a stop-limit has passed is 0.
        """
        found = []
        order: Order = self.first
        while order is not None:
            if order.type != TARGET_EVENT:
                stop = order.level if order.waits == STOP else 0.0
                found.append(
                    (order.id, order.type, order.side, order.quantity, order.limit, stop, order.tif,
                     bool(order.reduce_only))
                )  # fmt: skip
            order = order.after
        return found

    # The book.

    @cython.cfunc
    def accept(self, type: cython.int, side: cython.int, quantity: cython.double) -> Order:
        """A new order with the next id, not yet in the book."""
        order: Order = Order.__new__(Order)
        order.id = self.next_id
        self.next_id += 1
        order.type = type
        order.side = side
        order.quantity = quantity
        order.state = SUBMITTED
        order.tif = GTC
        order.reduce_only = False
        order.limit = order.level = order.trail = order.trail_rate = order.best = 0.0
        order.expires = order.day = order.oco = 0
        order.take_profit = order.stop_loss = order.stop_trail = order.stop_trail_rate = 0.0
        order.before = None
        order.after = None
        if type in (MARKET_ORDER, TARGET_EVENT):
            order.waits = NOTHING
            order.reason = SIGNAL
        elif type == LIMIT_ORDER:
            order.waits = LIMIT
            order.reason = BY_LIMIT
        else:
            order.waits = STOP
            order.reason = TRAILING if type == TRAILING_ORDER else BY_STOP
        return order

    @cython.cfunc
    def append(self, order: Order) -> None:
        last: Order = self.last
        if last is None:
            self.first = order
        else:
            last.after = order
            order.before = last
        self.last = order
        if order.type != TARGET_EVENT:
            self.open_count += 1
        if order.tif != GTC:
            self.deadline = -NEVER
        self.stirred = True

    @cython.cfunc
    def remove(self, order: Order) -> None:
        """Unlinks it; its own links stay for whoever is walking along the list."""
        before: Order = order.before
        after: Order = order.after
        if before is None:
            self.first = after
        else:
            before.after = after
        if after is None:
            self.last = before
        else:
            after.before = before
        if order.type != TARGET_EVENT:
            self.open_count -= 1
        self.stirred = True

    @cython.cfunc
    def drop(self, order: Order, code: cython.int) -> None:
        self.remove(order)
        self.happened.add(self.bar, code, order.id, 0.0)

    @cython.cfunc
    def drop_siblings(self, group: cython.longlong) -> None:
        order: Order = self.first
        while order is not None:
            if order.oco == group:
                self.drop(order, CANCELLED_OCO)
            order = order.after

    @cython.cfunc
    def drop_reduce_only(self) -> None:
        order: Order = self.first
        while order is not None:
            if order.reduce_only and order.state != SUBMITTED:
                self.drop(order, CANCELLED_REDUCE_ONLY)
            order = order.after

    @cython.cfunc
    def drop_orders(self, code: cython.int) -> None:
        order: Order = self.first
        while order is not None:
            if order.type != TARGET_EVENT:
                self.drop(order, code)
            order = order.after

    @cython.cfunc
    def expire(self, i: cython.Py_ssize_t) -> None:
        order: Order = self.first
        while order is not None:
            if order.tif == GTD and self.close_time(i) > order.expires:
                self.drop(order, EXPIRED_GTD)
            elif order.tif == DAY and order.state != SUBMITTED and self.day(i) > order.day:
                self.drop(order, EXPIRED_DAY)
            order = order.after

    @cython.cfunc
    def survey(self) -> None:
        """Finds the nearest prices and the first time at which the book can act, unless nothing has moved."""
        order: Order
        price: cython.double
        if not self.stirred:
            return
        self.stirred = False
        self.ceiling = INFINITY
        self.floor = -INFINITY
        self.deadline = NEVER
        self.trailing = False
        order = self.first
        while order is not None:
            if order.state != RESTING:
                self.stirred = True
            elif order.type == TRAILING_ORDER:
                self.trailing = True
            elif (order.side > 0) == (order.waits == STOP):
                if order.level < self.ceiling:
                    self.ceiling = order.level
            elif order.level > self.floor:
                self.floor = order.level
            if order.tif != GTC:
                self.deadline = min(self.deadline, self.last_call(order))
            order = order.after
        if self.isolated and self.position != 0.0:
            price = self.liquidation_price()
            if self.position > 0.0:
                self.floor = max(self.floor, price)
            else:
                self.ceiling = min(self.ceiling, price)
        if self.trailing:  # they ratchet on every bar
            self.ceiling = -INFINITY
            self.floor = INFINITY

    @cython.cfunc
    @cython.exceptval(check=False)
    def last_call(self, order: Order) -> cython.longlong:
        """The first ts of a bar on which the order can have expired."""
        if self.has_sessions:
            return -NEVER
        if order.tif == GTD:
            return order.expires - self.timeframe + 1
        return (order.day + 1) * DAY_MS

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def close_time(self, i: cython.Py_ssize_t) -> cython.longlong:
        return self.close_ts[i] if self.has_sessions else self.ts[i] + self.timeframe

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def day(self, i: cython.Py_ssize_t) -> cython.longlong:
        return self.session_day[i] if self.has_sessions else utc_day(self.ts[i])

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def is_closed(self) -> cython.bint:
        return self.halted or self.drawdown_closed or self.daily_closed

    # Prices and quantities.

    @cython.cfunc
    @cython.exceptval(check=False)
    def slipped(self, base: cython.double, side: cython.int) -> cython.double:
        """What a taker pays or gets at `base`, rounded to ticks against them."""
        price: cython.double = base * (self.buy if side > 0 else self.sell)
        ticks: cython.double
        count: cython.double
        if self.tick == 0.0:
            return price
        ticks = price / self.tick - NEGLIGIBLE if side > 0 else price / self.tick + NEGLIGIBLE
        count = whole(ticks)
        if side > 0 and count < ticks:
            count += 1.0
        return (count * self.tick_units) / self.tick_scale

    @cython.cfunc
    @cython.exceptval(check=False)
    def in_lots(self, quantity: cython.double) -> cython.double:
        if self.lot == 0.0:
            return quantity
        return (whole(quantity / self.lot + NEGLIGIBLE) * self.lot_units) / self.lot_scale

    @cython.cfunc
    @cython.exceptval(check=False)
    def exposure(self, weight: cython.double) -> cython.double:
        """The leverage that a target of this size asks for, where the sizing is a share of the money."""
        if self.sizing == EQUITY_FRACTION:
            return (self.size * weight) * self.leverage
        return weight * self.leverage

    @cython.cfunc
    @cython.exceptval(check=False)
    def sized(self, weight: cython.double, money: cython.double, price: cython.double) -> cython.double:
        share: cython.double
        if self.sizing == FIXED_QUANTITY:
            return self.size * weight
        if self.sizing == FIXED_NOTIONAL:
            return (self.size * weight) / price
        share = self.exposure(weight)
        return (share * money) / (price * (1.0 + share * self.taker))

    @cython.cfunc
    @cython.exceptval(check=False)
    def affordable(self, price: cython.double, rate: cython.double) -> cython.double:
        """The AllIn quantity of an open leg."""
        money: cython.double = self.cash + self.position * price
        return (self.leverage * money - abs(self.position) * price) / (price * (1.0 + self.leverage * rate))

    @cython.cfunc
    @cython.exceptval(check=False)
    def liquidation_price(self) -> cython.double:
        if self.position > 0.0:
            return -self.cash / (self.position * (1.0 - self.maintenance))
        return self.cash / (abs(self.position) * (1.0 + self.maintenance))

    # Legs of fills.

    @cython.cfunc
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
    ) -> None:
        """One fill, and what it cancels: its OCO siblings, then, when flat, every reduce-only order."""
        moved: cython.double = quantity if side > 0 else -quantity
        fee: cython.double = (rate * quantity) * price
        slippage: cython.double = quantity * abs(price - base)
        if self.position == 0.0:
            self.trade.begin(self.bar, side, price)
        self.cash = 0.0 if all_cash else (self.cash - moved * price) - fee
        self.position = self.position + moved
        self.filled.add(self.bar, id, side, liquidity, reason, quantity, price, fee, slippage)
        self.fees += fee
        self.slippage += slippage
        self.turnover += quantity * price
        self.trade.fill(side, quantity, price, fee)
        self.stirred = True
        if group != 0:
            self.drop_siblings(group)
        if self.position == 0.0:
            self.trade.end(self.traded, self.bar, price, fee, reason)
            self.drop_reduce_only()

    @cython.cfunc
    def close_whole(self, reason: cython.int, base: cython.double, rate: cython.double) -> None:
        """The engine's own market fill of the whole position."""
        side: cython.int = -1 if self.position > 0.0 else 1
        price: cython.double = self.slipped(base, side)
        self.leg(0, 0, side, TAKER, reason, abs(self.position), price, rate, base, False)

    @cython.cfunc
    def liquidate(self, base: cython.double) -> None:
        self.close_whole(LIQUIDATION, base, self.taker + self.liquidation_rate)
        if self.cash < 0.0:
            self.halted = True
            self.happened.add(self.bar, HALTED_DEFICIT, 0, 0.0)
            self.drop_orders(CANCELLED_DEFICIT)

    @cython.cfunc
    @cython.exceptval(check=False)
    def reject(self, id: cython.longlong, code: cython.int, value: cython.double) -> cython.double:
        self.happened.add(self.bar, code, id, value)
        return 0.0

    @cython.cfunc
    @cython.exceptval(check=False)
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
        quantity: cython.double = self.in_lots(asked)
        if quantity == 0.0:
            return self.reject(id, REJECTED_LOT_SIZE, 0.0) if self.lot != 0.0 else 0.0
        if side < 0 and not self.allow_short:
            return self.reject(id, REJECTED_SHORT_NOT_ALLOWED, 0.0)
        if explicit:
            quantity = self.afford(id, quantity, price, rate)
            if quantity == 0.0:
                return 0.0
        if quantity * price < self.min_notional:
            return self.reject(id, REJECTED_MIN_NOTIONAL, 0.0)
        return self.pass_gates(id, side, quantity, price)

    @cython.cfunc
    @cython.exceptval(check=False)
    def afford(
        self, id: cython.longlong, quantity: cython.double, price: cython.double, rate: cython.double
    ) -> cython.double:
        most: cython.double
        if price <= 0.0:
            return self.reject(id, REJECTED_INSUFFICIENT_FUNDS, 0.0)
        most = self.affordable(price, rate)
        if quantity <= most:
            return quantity
        if quantity > most * (1.0 + NEGLIGIBLE):
            return self.reject(id, REJECTED_INSUFFICIENT_FUNDS, 0.0)
        most = self.in_lots(most)
        return most if most > 0.0 else self.reject(id, REJECTED_LOT_SIZE, 0.0)

    @cython.cfunc
    @cython.exceptval(check=False)
    def pass_gates(
        self, id: cython.longlong, side: cython.int, quantity: cython.double, price: cython.double
    ) -> cython.double:
        after: cython.double = abs(self.position + (quantity if side > 0 else -quantity))
        notional: cython.double = after * price
        money: cython.double
        if notional > self.max_notional:
            return self.reject(id, REJECTED_MAX_NOTIONAL, notional)
        if after > self.max_position:
            return self.reject(id, REJECTED_MAX_POSITION, after)
        if self.max_leverage != INFINITY:
            money = self.cash + self.position * price
            if money <= 0.0:
                return self.reject(id, REJECTED_MAX_LEVERAGE, 0.0)
            if notional / money > self.max_leverage:
                return self.reject(id, REJECTED_MAX_LEVERAGE, notional / money)
        return quantity

    # Orders and targets that fill.

    @cython.cfunc
    def execute(self, order: Order, base: cython.double, price: cython.double, liquidity: cython.int) -> None:
        """The whole order at one price: the leg against the position, the leg that opens, its children."""
        side: cython.int = order.side
        rate: cython.double = self.maker if liquidity == MAKER else self.taker
        held: cython.double = abs(self.position)
        against: cython.bint = (side > 0 and self.position < 0.0) or (side < 0 and self.position > 0.0)
        rest: cython.double
        if order.reduce_only and not against:
            self.drop(order, CANCELLED_REDUCE_ONLY)
            return
        self.remove(order)
        rest = self.in_lots(order.quantity)
        if rest == 0.0:
            self.reject(order.id, REJECTED_LOT_SIZE, 0.0)
            return
        if against:
            rest = self.reduce(order, rest, held, base, price, rate, liquidity)
        if rest > 0.0:
            self.enter(order, rest, base, price, rate, liquidity)

    @cython.cfunc
    @cython.exceptval(check=False)
    def reduce(
        self,
        order: Order,
        quantity: cython.double,
        held: cython.double,
        base: cython.double,
        price: cython.double,
        rate: cython.double,
        liquidity: cython.int,
    ) -> cython.double:
        """The leg against the position; what is left of the order."""
        rest: cython.double = 0.0
        if abs(quantity - held) <= NEGLIGIBLE * held:
            quantity = held
        elif quantity > held:
            rest = 0.0 if order.reduce_only else quantity - held
            quantity = held
        self.leg(order.id, order.oco, order.side, liquidity, order.reason, quantity, price, rate, base, False)
        return rest

    @cython.cfunc
    def enter(
        self,
        order: Order,
        asked: cython.double,
        base: cython.double,
        price: cython.double,
        rate: cython.double,
        liquidity: cython.int,
    ) -> None:
        quantity: cython.double = self.admit(order.id, order.side, asked, price, rate, True)
        plain: cython.bint = self.lot == 0.0 and self.leverage == 1.0
        all_cash: cython.bint
        if quantity == 0.0:
            return
        all_cash = quantity < asked and plain and order.side > 0 and self.position == 0.0
        self.leg(
            order.id, order.oco, order.side, liquidity, order.reason, quantity, price, rate, base, all_cash
        )
        self.bracket(order, quantity, price)

    @cython.cfunc
    def bracket(self, parent: Order, quantity: cython.double, price: cython.double) -> None:
        """The children of an entry at `price`: live from this path point on."""
        trails: cython.bint = parent.stop_trail > 0.0 or parent.stop_trail_rate > 0.0
        group: cython.longlong = 0
        child: Order
        if parent.take_profit > 0.0 and (parent.stop_loss > 0.0 or trails):
            group = -self.next_id
        if parent.take_profit > 0.0:
            child = self.bear(LIMIT_ORDER, parent, quantity, group)
            child.reason = TAKE_PROFIT
            child.limit = parent.take_profit
            child.level = parent.take_profit
        if parent.stop_loss > 0.0:
            child = self.bear(STOP_ORDER, parent, quantity, group)
            child.reason = STOP_LOSS
            child.level = parent.stop_loss
        elif trails:
            child = self.bear(TRAILING_ORDER, parent, quantity, group)
            child.trail = parent.stop_trail
            child.trail_rate = parent.stop_trail_rate
            child.ratchet(price)

    @cython.cfunc
    def bear(self, type: cython.int, parent: Order, quantity: cython.double, group: cython.longlong) -> Order:
        child: Order = self.accept(type, -parent.side, quantity)
        child.state = FRESH
        child.reduce_only = True
        child.oco = group
        self.append(child)
        return child

    @cython.cfunc
    def reach(self, id: cython.longlong, weight: cython.double, base: cython.double) -> None:
        """Brings the position to a target: legs where its sign changes, one delta where only its size."""
        sign: cython.int = (1 if weight > 0.0 else 0) - (1 if weight < 0.0 else 0)
        held: cython.int = (1 if self.position > 0.0 else 0) - (1 if self.position < 0.0 else 0)
        rows: cython.Py_ssize_t = self.filled.rows
        price: cython.double
        if sign != held:
            if held != 0:
                price = self.slipped(base, -held)
                self.leg(id, 0, -held, TAKER, SIGNAL, abs(self.position), price, self.taker, base, False)
            if sign != 0:
                self.open_target(id, sign, abs(weight), base)
        elif abs(weight) != abs(self.last_target) and held != 0:
            self.resize(id, sign, abs(weight), base)
        if self.filled.rows > rows:
            self.last_target = weight

    @cython.cfunc
    def open_target(
        self, id: cython.longlong, side: cython.int, weight: cython.double, base: cython.double
    ) -> None:
        price: cython.double = self.slipped(base, side)
        explicit: cython.bint = self.sizing == FIXED_QUANTITY or self.sizing == FIXED_NOTIONAL
        asked: cython.double
        quantity: cython.double
        all_cash: cython.bint
        if self.cash <= 0.0 or price <= 0.0:
            return
        asked = self.sized(weight, self.cash, price)
        quantity = self.admit(id, side, asked, price, self.taker, explicit)
        if quantity == 0.0:
            return
        all_cash = side > 0 and self.lot == 0.0
        if explicit:
            all_cash = all_cash and quantity < asked and self.leverage == 1.0
        elif self.exposure(weight) != 1.0:
            all_cash = False
        self.leg(id, 0, side, TAKER, SIGNAL, quantity, price, self.taker, base, all_cash)

    @cython.cfunc
    def resize(
        self, id: cython.longlong, sign: cython.int, weight: cython.double, base: cython.double
    ) -> None:
        """One delta to the new size: a buy if it is above 0 at the buy price, else a sell if below 0."""
        change: cython.double
        price: cython.double = self.slipped(base, 1)
        money: cython.double = self.cash + self.position * price
        if price > 0.0 and money > 0.0:
            change = self.sized(weight, money, price) * sign - self.position
            if change > 0.0:
                self.shift(id, 1, change, sign, price, base)
                return
        price = self.slipped(base, -1)
        money = self.cash + self.position * price
        if price > 0.0 and money > 0.0:
            change = self.sized(weight, money, price) * sign - self.position
            if change < 0.0:
                self.shift(id, -1, -change, sign, price, base)

    @cython.cfunc
    def shift(
        self,
        id: cython.longlong,
        side: cython.int,
        quantity: cython.double,
        sign: cython.int,
        price: cython.double,
        base: cython.double,
    ) -> None:
        explicit: cython.bint = self.sizing == FIXED_QUANTITY or self.sizing == FIXED_NOTIONAL
        if side == sign:
            quantity = self.admit(id, side, quantity, price, self.taker, explicit)
        else:
            quantity = self.in_lots(quantity)
            if quantity == 0.0:
                self.reject(id, REJECTED_LOT_SIZE, 0.0)
        if quantity > 0.0:
            self.leg(id, 0, side, TAKER, SIGNAL, quantity, price, self.taker, base, False)

    # One point and one segment of the path.

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def is_met(self, order: Order, price: cython.double) -> cython.bint:
        if order.waits == STOP:
            return price >= order.level if order.side > 0 else price <= order.level
        if self.through:
            return price < order.level if order.side > 0 else price > order.level
        return price <= order.level if order.side > 0 else price >= order.level

    @cython.cfunc
    @cython.exceptval(check=False)
    def is_called(self, price: cython.double) -> cython.bint:
        """Whether the liquidation stop is reached or passed."""
        if not self.isolated or self.position == 0.0:
            return False
        if self.position > 0.0:
            return price <= self.liquidation_price()
        return price >= self.liquidation_price()

    @cython.cfunc
    def first_met(self, price: cython.double) -> Order:
        """Of the live orders reached or passed: stops before limits, then by id; None for none."""
        order: Order = self.first
        limit: Order = None
        while order is not None:
            if order.state != SUBMITTED and order.waits != NOTHING and self.is_met(order, price):
                if order.waits == STOP:
                    return order
                if limit is None:
                    limit = order
            order = order.after
        return limit

    @cython.cfunc
    def next_arrival(self) -> Order:
        order: Order = self.first
        while order is not None and order.state != SUBMITTED:
            order = order.after
        return order

    @cython.cfunc
    def settle(self, price: cython.double, arriving: cython.bint) -> None:
        """All that acts at one point of the path, looked at again from the start after each fill."""
        order: Order
        self.survey()
        if not self.stirred and self.floor < price < self.ceiling:
            return
        while True:
            if self.is_called(price):
                self.liquidate(price)
                continue
            order = self.first_met(price)
            if order is not None:
                self.trigger(order, price)
                continue
            order = self.next_arrival() if arriving else None
            if order is None:
                break
            self.arrive(order, price)
        order = self.first
        while order is not None:
            if order.state == FRESH:
                order.state = RESTING
            order = order.after
        self.survey()

    @cython.cfunc
    def arrive(self, order: Order, price: cython.double) -> None:
        """A submitted order comes to the market at `price`: it fills, or is live from here on."""
        if order.type == TARGET_EVENT:
            self.remove(order)
            self.reach(order.id, order.quantity, price)
            return
        if order.type == MARKET_ORDER:
            self.execute(order, price, self.slipped(price, order.side), TAKER)
            return
        order.day = self.day(self.bar)
        order.state = FRESH
        if order.type == TRAILING_ORDER:
            order.ratchet(price)

    @cython.cfunc
    def trigger(self, order: Order, price: cython.double) -> None:
        """What an order does that the path has reached at `price`."""
        taken: cython.double
        if order.waits == STOP:
            if order.type != STOP_LIMIT_ORDER:
                self.execute(order, price, self.slipped(price, order.side), TAKER)
                return
            order.waits = LIMIT
            order.level = order.limit
            order.state = RESTING
            self.stirred = True
            if self.is_met(order, price):
                self.execute(order, price, price, TAKER)
        elif order.state == FRESH:
            taken = self.slipped(price, order.side)
            taken = min(order.level, taken) if order.side > 0 else max(order.level, taken)
            self.execute(order, price, taken, TAKER)
        else:
            self.execute(order, price, price, MAKER)

    @cython.cfunc
    def walk(self, price: cython.double, end: cython.double) -> None:
        """One segment of the path, from `price` to `end`: orders trigger as the price meets them."""
        order: Order
        while price != end and (end >= self.ceiling if end > price else end <= self.floor):
            order = self.next_met(price, end)
            if self.calling:
                price = self.meeting
                self.liquidate(price)
            elif order is not None:
                price = self.meeting
                self.trigger(order, price)
            else:
                break
            self.settle(price, False)
        self.pass_point(end)

    @cython.cfunc
    def next_met(self, price: cython.double, end: cython.double) -> Order:
        """The order that the segment meets next, at `meeting`; `calling` where the liquidation is first."""
        rising: cython.bint = end > price
        order: Order = self.first
        found: Order = None
        at: cython.double
        self.calling = False
        while order is not None:
            if self.can_meet(order, rising, end):
                # A level behind the price acts where the price is.
                at = max(order.level, price) if rising else min(order.level, price)
                if (
                    found is None
                    or (at < self.meeting if rising else at > self.meeting)
                    or (at == self.meeting and order.waits == STOP and found.waits == LIMIT)
                ):
                    found = order
                    self.meeting = at
            order = order.after
        if self.isolated and self.position != 0.0 and (self.position < 0.0) == rising:
            at = self.liquidation_price()
            at = max(at, price) if rising else min(at, price)
            if (at <= end if rising else at >= end) and (
                found is None or (at <= self.meeting if rising else at >= self.meeting)
            ):
                self.calling = True
                self.meeting = at
        return found

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def can_meet(self, order: Order, rising: cython.bint, end: cython.double) -> cython.bint:
        """Whether a segment of this direction up to `end` sets the order off."""
        if order.waits == NOTHING or order.state == SUBMITTED:
            return False
        if ((order.side > 0) == (order.waits == STOP)) != rising:
            return False
        return self.is_met(order, end)

    @cython.cfunc
    def pass_point(self, price: cython.double) -> None:
        """Trailing stops ratchet, and the open trade has seen this price."""
        order: Order
        better: cython.bint
        if self.trailing:
            order = self.first
            while order is not None:
                if order.type == TRAILING_ORDER and order.state != SUBMITTED:
                    better = price > order.best if order.side < 0 else price < order.best
                    if better:
                        order.ratchet(price)
                order = order.after
        if self.position != 0.0:
            self.trade.see(price)

    # One bar.

    @cython.cfunc
    def match(self, i: cython.Py_ssize_t, resolved: cython.bint) -> None:
        """Steps 1 and 2 of a bar: expiry, the open, the path, and with NextClose what comes to the close."""
        price: cython.double = self.open[i]
        j: cython.Py_ssize_t
        if self.ts[i] >= self.deadline:
            self.expire(i)
        self.settle(price, not self.next_close)
        if self.flatten:
            self.flatten = False
            if self.position != 0.0:
                self.close_whole(GATE, price, self.taker)
                self.survey()
        self.pass_point(price)
        if resolved:
            for j in range(self.finer_from, self.finer_to):
                self.walk(price, self.finer_open[j])
                self.walk_bar(
                    self.finer_open[j], self.finer_high[j], self.finer_low[j], self.finer_close[j],
                    self.finer_close[j] >= self.finer_open[j],
                )  # fmt: skip
                price = self.finer_close[j]
        else:
            self.walk_bar(price, self.high[i], self.low[i], self.close[i], self.is_low_first(i))
        if self.next_close:
            self.settle(self.close[i], True)

    @cython.cfunc
    def walk_bar(
        self,
        open: cython.double,
        high: cython.double,
        low: cython.double,
        close: cython.double,
        low_first: cython.bint,
    ) -> None:
        if low_first:
            self.walk(open, low)
            self.walk(low, high)
            self.walk(high, close)
        else:
            self.walk(open, high)
            self.walk(high, low)
            self.walk(low, close)

    @cython.cfunc
    @cython.exceptval(check=False)
    def is_low_first(self, i: cython.Py_ssize_t) -> cython.bint:
        """The convention of the path, with `worst` against the position where the bar is ambiguous."""
        if self.is_ambiguous(i):
            self.ambiguous_bars += 1
            if self.worst:
                return self.position > 0.0
        return self.close[i] >= self.open[i]

    @cython.cfunc
    @cython.exceptval(check=False)
    def is_ambiguous(self, i: cython.Py_ssize_t) -> cython.bint:
        """Whether a stop and a limit of the position's exits are both within the bar."""
        high: cython.double = self.high[i]
        low: cython.double = self.low[i]
        order: Order = self.first
        exit_side: cython.int = -1 if self.position > 0.0 else 1
        stop: cython.bint
        limit: cython.bint = False
        if self.position == 0.0 or high < self.ceiling or low > self.floor:
            return False
        stop = self.isolated and low <= self.liquidation_price() <= high
        while order is not None:
            if order.side == exit_side and order.state != SUBMITTED and low <= order.level <= high:
                stop = stop or order.waits == STOP
                limit = limit or order.waits == LIMIT
            order = order.after
        return stop and limit

    @cython.cfunc
    @cython.exceptval(check=False)
    def is_covered(self, i: cython.Py_ssize_t) -> cython.bint:
        """Whether the finer bars are all there and agree with this one; they are [finer_from, finer_to)."""
        j: cython.Py_ssize_t = self.finer_to
        due: cython.longlong = self.ts[i]
        high: cython.double = 0.0
        low: cython.double = INFINITY
        whole_bar: cython.bint = True
        while j < self.finer_rows and self.finer_ts[j] < due:
            j += 1
        self.finer_from = j
        while j < self.finer_rows and self.finer_ts[j] < self.close_time(i):
            whole_bar = whole_bar and self.finer_ts[j] == due
            due += self.finer_timeframe
            high = max(high, self.finer_high[j])
            low = min(low, self.finer_low[j])
            j += 1
        self.finer_to = j
        if not whole_bar or j == self.finer_from or due < self.close_time(i):
            return False
        return (
            agree(self.finer_open[self.finer_from], self.open[i])
            and agree(high, self.high[i])
            and agree(low, self.low[i])
            and agree(self.finer_close[j - 1], self.close[i])
        )

    @cython.cfunc
    def charge(self, i: cython.Py_ssize_t) -> None:
        """Step 3: funding in order of time, then borrow interest."""
        value: cython.double = self.position * self.close[i]
        paid: cython.double = 0.0
        amount: cython.double
        while self.funding_row < self.funding_rows and (
            self.funding_ts[self.funding_row] <= self.close_time(i)
        ):
            amount = value * self.funding_rate[self.funding_row]
            self.funding_row += 1
            if self.position != 0.0:
                self.funding += amount
                paid += amount
                self.pay(amount)
        if self.position < 0.0 and self.borrow_rate > 0.0:
            amount = ((abs(self.position) * self.close[i]) * self.borrow_rate * self.timeframe) / YEAR_MS
            self.borrow += amount
            paid += amount
            self.pay(amount)
        self.carry_column[i] = paid

    @cython.cfunc
    def pay(self, amount: cython.double) -> None:
        self.cash -= amount
        self.trade.pay(amount)
        if self.isolated:
            self.stirred = True

    @cython.cfunc
    def judge(self, i: cython.Py_ssize_t, before: cython.double) -> None:
        """Step 5: the gates on the equity of this close; `before` is that of the close before."""
        loss: cython.double
        if self.equity > self.peak:
            self.peak = self.equity
        if self.max_daily_loss != INFINITY and self.day(i) != self.today:
            self.today = self.day(i)
            self.day_start = before
            self.daily_closed = False
        if not self.drawdown_closed:
            loss = 1.0 - self.equity / self.peak
            if loss >= self.max_drawdown:
                self.drawdown_closed = self.breach(i, BREACH_MAX_DRAWDOWN, loss)
        if not self.stopped and not self.daily_closed and self.day_start > 0.0:
            loss = 1.0 - self.equity / self.day_start
            if loss >= self.max_daily_loss:
                self.daily_closed = self.breach(i, BREACH_MAX_DAILY_LOSS, loss)

    @cython.cfunc
    @cython.exceptval(check=False)
    def breach(self, i: cython.Py_ssize_t, code: cython.int, loss: cython.double) -> cython.bint:
        """Records it and, unless the run ends here, cancels and flattens; whether the gate closes."""
        self.happened.add(self.bar, code, 0, loss)
        if self.fail:
            self.stopped = True
            return False
        if i == self.bars - 1:
            return False
        self.drop_orders(CANCELLED_GATE)
        if self.position != 0.0:
            self.flatten = True
            self.stirred = True
        return True

    @cython.cfunc
    def step(self, i: cython.Py_ssize_t) -> None:
        """Steps 1 to 5 of bar i."""
        resolved: cython.bint = False
        before: cython.double = self.equity
        self.bar = i
        if self.has_finer:
            resolved = self.is_covered(i)
            self.unresolved_bars += not resolved
        if (
            self.stirred
            or self.high[i] >= self.ceiling
            or self.low[i] <= self.floor
            or self.ts[i] >= self.deadline
            or self.has_finer
        ):
            self.match(i, resolved)
        elif self.position != 0.0:
            self.trade.see(self.high[i])
            self.trade.see(self.low[i])
        if self.close_at_end and i == self.bars - 1 and self.position != 0.0:
            self.close_whole(CLOSE_AT_END, self.close[i], self.taker)
        if self.has_carry:
            self.charge(i)
        self.equity = self.cash + self.position * self.close[i]
        self.equity_column[i] = self.equity
        self.cash_column[i] = self.cash
        self.position_column[i] = self.position
        if self.max_drawdown != INFINITY or self.max_daily_loss != INFINITY:
            self.judge(i, before)

    # Whole runs.

    def run_targets(
        self, bar: cython.const[cython.longlong][::1], target: cython.const[cython.double][::1]
    ) -> None:
        """A run of targets: weights in [-1, 1], in bar order."""
        i: cython.Py_ssize_t
        row: cython.Py_ssize_t = 0
        rows: cython.Py_ssize_t = len(bar)
        for i in range(self.bars):
            self.step(i)
            if self.stopped:
                return
            while row < rows and bar[row] == i:
                self.target(target[row])
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
        for i in range(self.bars):
            self.step(i)
            if self.stopped:
                return
            while row < rows and bar[row] == i:
                if action[row] == ASK_CANCEL:
                    self.cancel(order[row])
                    ids[row] = order[row]
                elif action[row] == ASK_TARGET:
                    ids[row] = self.target(quantity[row])
                else:
                    ids[row] = self.submit(
                        type[row], side[row], quantity[row], limit[row], stop[row], trail[row],
                        trail_rate[row], tif[row], expires[row], reduce_only[row] != 0, oco[row],
                        take_profit[row], stop_loss[row], stop_trail[row], stop_trail_rate[row],
                    )  # fmt: skip
                row += 1
                self.asked_rows = row

    def run_events(self, on_bar: Callable[[int], None]) -> None:
        """A run that asks `on_bar` at step 6 of every bar; what it raises is raised."""
        i: cython.Py_ssize_t
        self.recording = True
        for i in range(self.bars):
            self.step(i)
            if self.stopped:
                return
            on_bar(i)

    # What a run leaves.

    def outcome(self) -> Outcome:
        """Everything but the sums over the equity, once the run has ended."""
        rows: int = self.bar + 1
        closing: int = -1 if self.position > 0.0 else 1
        price: float = self.slipped(self.close[self.bar], closing)
        value: float = self.cash + self.position * price
        order: Order = self.first
        live, waiting = [], 0
        while order is not None:
            if order.state == SUBMITTED:
                waiting += 1
            else:
                live.append(order.id)
            order = order.after
        return Outcome(
            equity=_cut(self.equity_column, rows),
            cash=_cut(self.cash_column, rows),
            position=_cut(self.position_column, rows),
            carry=_cut(self.carry_column, rows) if self.has_carry else None,
            fills=self.filled.columns(),
            trades=self.traded.columns(),
            events=self.happened.columns(),
            asked=self.asked,
            asked_rows=self.asked_rows,
            fees=self.fees,
            slippage=self.slippage,
            turnover=self.turnover,
            funding=self.funding,
            borrow=self.borrow,
            final_equity_liquidated=value - (self.taker * abs(self.position)) * price,
            short_targets_clamped=self.clamped,
            ambiguous_bars=self.ambiguous_bars,
            unresolved_bars=self.unresolved_bars,
            stopped_bar=self.bar if self.stopped else None,
            open_orders=tuple(live),
            unfilled_at_end=waiting,
        )
