"""What a simulation takes and what it leaves, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """The numbers of `spec.account` and `spec.execution` that the kernel needs. Rates are fractions."""

    initial_cash: float
    maker_rate: float
    taker_rate: float
    slippage_rate: float
    fill_next_close: bool = False
    close_at_end: bool = False


@dataclass(frozen=True, slots=True)
class Decisions:
    """Targets that are not "keep", in bar order. bar: int64 (window index), target: float64 in [-1, 1]."""

    bar: memoryview
    target: memoryview

    def __len__(self) -> int:
        return len(self.bar)


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
class Ledger:
    """The whole outcome of one simulation over n window bars. Columns have n rows."""

    equity: memoryview  # float64, marked at closes
    cash: memoryview  # float64, at the close, after the bar's fills
    position: memoryview  # float64, signed, at the close
    fills: Fills
    trades: Trades
    decisions: Decisions
    moments: Moments
    total_fees: float
    total_slippage: float
    turnover_notional: float  # sum over fills of quantity * price
    final_equity_liquidated: float
    unfilled_at_end: int
    bankrupt_bar: int | None  # first bar with equity <= 0
