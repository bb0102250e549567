"""The sums that all metrics are made of, taken from a ledger."""

from __future__ import annotations

from dataclasses import dataclass

from spark_engine.data.candles import Candles
from spark_engine.simulation import columns
from spark_engine.simulation.days import DAY_MS as DAY_MS
from spark_engine.simulation.days import days_of
from spark_engine.simulation.ledger import Account, EquitySums, Ledger, Moments, Trades

DAYS_PER_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class TradeSums:
    """Over at least one closed trade; sums in trade order."""

    count: int
    wins: int
    losses: int
    gained: float  # sum of positive pnl
    lost: float  # sum of negative pnl
    total: float
    best: float
    worst: float
    bars: int


@dataclass(frozen=True, slots=True)
class Figures:
    """`span_ms`: from the first close to the last. Daily returns are between the last closes of UTC days, or
    of sessions; there are `days_per_year` of them."""

    bars: int
    span_ms: int
    initial_cash: float
    final_equity: float
    final_equity_liquidated: float
    equity_sum: float
    moments: Moments
    daily_returns: int
    daily_s1: float
    daily_s2: float
    trades: TradeSums | None
    total_fees: float
    total_slippage: float
    turnover_notional: float
    periods_per_year: float
    days_per_year: float = DAYS_PER_YEAR
    total_funding: float = 0.0  # with borrow interest


def figures(ledger: Ledger, candles: Candles, account: Account, periods_per_year: float) -> Figures:
    """From the ledger of one run over `candles[warmup:]`, n >= 1 bars."""
    sums = ledger.equity_sums or _equity_sums(ledger.equity, candles)
    return Figures(
        bars=len(ledger.equity),
        span_ms=candles.close_time(len(candles) - 1) - candles.close_time(candles.warmup),
        initial_cash=account.initial_cash,
        final_equity=ledger.equity[-1],
        final_equity_liquidated=ledger.final_equity_liquidated,
        equity_sum=sums.total,
        moments=ledger.moments,
        daily_returns=sums.daily_returns,
        daily_s1=sums.daily_s1,
        daily_s2=sums.daily_s2,
        trades=trade_sums(ledger.trades),
        total_fees=ledger.total_fees,
        total_slippage=ledger.total_slippage,
        total_funding=ledger.total_funding + ledger.total_borrow,
        turnover_notional=ledger.turnover_notional,
        periods_per_year=periods_per_year,
        days_per_year=DAYS_PER_YEAR if candles.sessions is None else candles.sessions.sessions_per_year,
    )


def _equity_sums(equity: memoryview, candles: Candles) -> EquitySums:
    days = days_of(candles)
    total, returns, s1, s2 = columns.equity_sums(days.times, equity, days.first_end, days.length)
    return EquitySums(total, int(returns), s1, s2)


def trade_sums(trades: Trades) -> TradeSums | None:
    if not len(trades):
        return None
    wins, losses, gained, lost, total, best, worst, bars = columns.trade_sums(
        trades.entry_bar, trades.exit_bar, trades.pnl
    )
    return TradeSums(
        count=len(trades),
        wins=int(wins),
        losses=int(losses),
        gained=gained,
        lost=lost,
        total=total,
        best=best,
        worst=worst,
        bars=int(bars),
    )
