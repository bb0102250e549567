"""What a simulation takes and what it leaves, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from spark_engine.data.rows import zeros

Sizing = Literal["AllIn", "FixedQuantity", "FixedNotional", "EquityFraction"]


@dataclass(frozen=True, slots=True)
class Step:
    """A tick or a lot: `units / scale`, scale = 10^digits. Both are whole, so that multiples round once."""

    units: int
    scale: int


@dataclass(frozen=True, slots=True)
class Gates:
    """The limits of the effective guardrails (SEMANTICS section 7); None: no such gate.

    max_notional: money. max_position: quantity. max_leverage: notional over equity. max_drawdown and
    max_daily_loss: fractions. `fail`: the run stops at a breach of the last two (policy Fail), else it halts.
    """

    max_notional: float | None = None
    max_position: float | None = None
    max_leverage: float | None = None
    max_open_orders: int | None = None
    max_drawdown: float | None = None
    max_daily_loss: float | None = None
    fail: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The numbers of `spec.market`, `account` and `execution` that the kernel needs. Rates are fractions.

    `maintenance_margin` None is marginModel None; with a fraction it is Isolated.
    """

    initial_cash: float
    maker_rate: float
    taker_rate: float
    slippage_rate: float
    fill_next_close: bool = False
    close_at_end: bool = False
    allow_short: bool = False
    leverage: float = 1.0
    sizing: Sizing = "AllIn"
    size: float = 1.0
    tick: Step | None = None
    lot: Step | None = None
    min_notional: float = 0.0
    limit_through: bool = False
    worst_path: bool = False
    maintenance_margin: float | None = None
    liquidation_rate: float = 0.0
    borrow_rate_annual: float = 0.0
    gates: Gates = Gates()


@dataclass(frozen=True, slots=True)
class Decisions:
    """Targets that are not "keep", in bar order. bar: int64 (window index), target: float64 in [-1, 1]."""

    bar: memoryview
    target: memoryview

    def __len__(self) -> int:
        return len(self.bar)


class Action(IntEnum):
    """What a submission does."""

    ORDER = 0
    TARGET = 1
    CANCEL = 2


class OrderType(IntEnum):
    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3
    TRAILING_STOP = 4
    TARGET = 5  # of a target event, in tables and digests


class TimeInForce(IntEnum):
    GTC = 0
    GTD = 1
    DAY = 2


@dataclass(frozen=True, slots=True)
class Submissions:
    """What a strategy asked for, one row a submission, in order. 0 stands for "none" in every column.

    `order` is the id that the submission took, or that a cancel names. A target has its weight in `quantity`.
    """

    bar: memoryview  # int64, window index at whose close it was made
    action: memoryview  # int8, Action
    order: memoryview  # int64
    type: memoryview  # int8, OrderType
    side: memoryview  # int8, +1 buy, -1 sell, 0 a target or a cancel
    tif: memoryview  # int8, TimeInForce
    reduce_only: memoryview  # int8
    quantity: memoryview  # float64
    limit: memoryview  # float64, price
    stop: memoryview  # float64, price
    trail: memoryview  # float64, amount of price
    trail_rate: memoryview  # float64, fraction of price
    expires: memoryview  # int64, ms UTC, of GTD
    oco: memoryview  # int64, group
    take_profit: memoryview  # float64, price
    stop_loss: memoryview  # float64, price
    stop_trail: memoryview  # float64, amount of price
    stop_trail_rate: memoryview  # float64, fraction of price

    def __len__(self) -> int:
        return len(self.bar)


class EventCode(IntEnum):
    """Kind and detail of an event (SEMANTICS section 3): the tens are the kind."""

    REJECTED_LOT_SIZE = 10
    REJECTED_SHORT_NOT_ALLOWED = 11
    REJECTED_INSUFFICIENT_FUNDS = 12
    REJECTED_MIN_NOTIONAL = 13
    REJECTED_MAX_NOTIONAL = 14
    REJECTED_MAX_LEVERAGE = 15
    REJECTED_MAX_OPEN_ORDERS = 16
    REJECTED_GATE_CLOSED = 17
    REJECTED_MAX_POSITION = 18
    CANCELLED_USER = 20
    CANCELLED_OCO = 21
    CANCELLED_REDUCE_ONLY = 22
    CANCELLED_GATE = 23
    CANCELLED_DEFICIT = 24
    EXPIRED_GTD = 30
    EXPIRED_DAY = 31
    BREACH_MAX_DRAWDOWN = 40
    BREACH_MAX_DAILY_LOSS = 41
    HALTED_DEFICIT = 50


@dataclass(frozen=True, slots=True)
class Events:
    """What happened to orders besides fills, and to gates, in the order in which it happened.

    value: of a gate's rejection what would have been (notional, position, leverage, orders), of a breach
    the measured loss, else 0.
    """

    bar: memoryview  # int64, window index
    code: memoryview  # int8, EventCode
    order: memoryview  # int64, 0 for the engine's own
    value: memoryview  # float64

    def __len__(self) -> int:
        return len(self.bar)


def no_events() -> Events:
    return Events(bar=zeros("q", 0), code=zeros("b", 0), order=zeros("q", 0), value=zeros("d", 0))


@dataclass(frozen=True, slots=True)
class Fills:
    """One row a fill, in the order in which they happened. Codes are those of SEMANTICS section 10."""

    bar: memoryview  # int64, window index
    order: memoryview  # int64, 0 for the engine's own
    side: memoryview  # int8, +1 buy, -1 sell
    liquidity: memoryview  # int8, 0 taker, 1 maker
    reason: memoryview  # int8, 0 signal ... 8 closeAtEnd
    quantity: memoryview  # float64
    price: memoryview  # float64
    fee: memoryview  # float64
    slippage: memoryview  # float64, money: quantity * |price - the price before slippage|

    def __len__(self) -> int:
        return len(self.bar)


@dataclass(frozen=True, slots=True)
class Trades:
    """Closed flat-to-flat (or flip) episodes. Bars are window indices; mae and mfe fractions of entry."""

    side: memoryview  # int8, +1 long, -1 short
    entry_bar: memoryview
    entry_price: memoryview
    exit_bar: memoryview
    exit_price: memoryview
    quantity: memoryview
    fees: memoryview
    pnl: memoryview
    mae: memoryview
    mfe: memoryview
    exit_reason: memoryview  # int8, as Fills.reason
    carry: memoryview  # float64, funding and borrow interest paid, part of pnl
    fills: memoryview  # int64, number of fills; of more than two, prices are averages weighted by quantity

    def __len__(self) -> int:
        return len(self.side)


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the per-bar returns r_1..r_m, in bar order (SEMANTICS section 8)."""

    s1: float
    s2: float
    s3: float
    s4: float
    d2: float  # sum of r^2 where r < 0
    min_equity: float
    max_drawdown: float
    max_drawdown_bars: int
    max_drawdown_seconds: int
    bars_in_position: int


@dataclass(frozen=True, slots=True)
class EquitySums:
    """The sum of equity over the bars, and of the returns between the last closes of days."""

    total: float
    daily_returns: int
    daily_s1: float
    daily_s2: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole outcome of one simulation over n window bars. Columns have n rows."""

    equity: memoryview  # float64, marked at closes
    cash: memoryview  # float64, at the close, after the bar's fills
    position: memoryview  # float64, signed, at the close
    fills: Fills
    trades: Trades
    decisions: Decisions  # targets; of an event strategy those among its submissions
    moments: Moments
    total_fees: float
    total_slippage: float
    turnover_notional: float  # sum over fills of quantity * price
    final_equity_liquidated: float
    unfilled_at_end: int
    bankrupt_bar: int | None  # first bar with equity <= 0
    submissions: Submissions | None = None  # of event strategies; None for target strategies
    events: Events = field(default_factory=no_events)
    carry: memoryview | None = None  # float64, funding and borrow interest paid at each close; None: none
    total_funding: float = 0.0
    total_borrow: float = 0.0
    equity_sums: EquitySums | None = None  # where the kernel summed on its way
    short_targets_clamped: int = 0
    ambiguous_bars: int = 0
    unresolved_bars: int = 0  # bars whose finer bars were missing or disagreed
    stopped_bar: int | None = None  # where policy Fail ended the run: columns end with this bar
    open_orders: tuple[int, ...] = ()  # ids still in the book at the end
