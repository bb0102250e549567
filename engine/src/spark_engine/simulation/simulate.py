"""Decisions and candles in, the whole ledger out: the kernel between checks of its arguments."""

from __future__ import annotations

from array import array
from dataclasses import fields, replace
from math import isfinite

from spark_engine.data.candles import Candles
from spark_engine.data.rows import zeros
from spark_engine.errors import EngineError, InvalidData, InvalidSpec, InvalidStrategy
from spark_engine.simulation import columns, kernel
from spark_engine.simulation.ledger import Account, Decisions, Fills, Ledger, Moments, Trades

SMALLEST = 5e-324


def simulate(candles: Candles, decisions: Decisions, account: Account) -> Ledger:
    """Carries `decisions` out over the window `candles[warmup:]` (SEMANTICS sections 3, 4, 6 and 8).

    A target event (+1, 0, -1) fills at the next bar's open, or close with `fill_next_close`. All bar numbers
    are window indices. Raises `InvalidSpec` for an account out of range, `InvalidStrategy` for decisions that
    are unordered, outside the window or other targets, `InvalidData` for an empty window.
    """
    bars = len(candles) - candles.warmup
    _check_account(account)
    _check_decisions(decisions, bars)
    _check_arithmetic(account.initial_cash)
    ts, opens, highs, lows, closes = (
        column[candles.warmup :]
        for column in (candles.ts, candles.open, candles.high, candles.low, candles.close)
    )
    equity, cash, position = zeros("d", bars), zeros("d", bars), zeros("d", bars)
    rows = _fills(2 * len(decisions) + 1)
    tally = kernel.run(
        kernel.Book(
            account.initial_cash,
            account.taker_rate,
            account.slippage_rate,
            rows.bar,
            rows.order,
            rows.side,
            rows.reason,
            rows.quantity,
            rows.price,
            rows.fee,
        ),
        opens,
        closes,
        decisions.bar,
        decisions.target,
        account.fill_next_close,
        account.close_at_end,
        equity,
        cash,
        position,
    )
    fills = replace(rows, **{field.name: getattr(rows, field.name)[: tally.fills] for field in fields(rows)})
    return Ledger(
        equity=equity,
        cash=cash,
        position=position,
        fills=fills,
        trades=_trades(fills, highs, lows, account),
        decisions=decisions,
        moments=_moments(tally, ts),
        total_fees=tally.fees,
        total_slippage=tally.slippage,
        turnover_notional=tally.turnover,
        final_equity_liquidated=tally.final_equity_liquidated,
        unfilled_at_end=1 if len(decisions) and decisions.bar[-1] == bars - 1 else 0,
        bankrupt_bar=None if tally.bankrupt_bar < 0 else tally.bankrupt_bar,
    )


def _fills(rows: int) -> Fills:
    return Fills(
        bar=zeros("q", rows),
        order=zeros("q", rows),
        side=zeros("b", rows),
        liquidity=zeros("b", rows),
        reason=zeros("b", rows),
        quantity=zeros("d", rows),
        price=zeros("d", rows),
        fee=zeros("d", rows),
    )


def _moments(tally: kernel.Tally, ts: memoryview) -> Moments:
    peak, last = tally.drawdown_peak_bar, tally.drawdown_last_bar
    return Moments(
        s1=tally.s1,
        s2=tally.s2,
        s3=tally.s3,
        s4=tally.s4,
        d2=tally.d2,
        min_equity=tally.min_equity,
        max_drawdown=tally.max_drawdown,
        max_drawdown_bars=last - peak,
        max_drawdown_seconds=(ts[last] - ts[peak]) // 1000,
        bars_in_position=tally.bars_in_position,
    )


def _trades(fills: Fills, highs: memoryview, lows: memoryview, account: Account) -> Trades:
    rows = len(fills) // 2
    trades = Trades(
        side=zeros("b", rows),
        entry_bar=zeros("q", rows),
        entry_price=zeros("d", rows),
        exit_bar=zeros("q", rows),
        exit_price=zeros("d", rows),
        quantity=zeros("d", rows),
        fees=zeros("d", rows),
        pnl=zeros("d", rows),
        mae=zeros("d", rows),
        mfe=zeros("d", rows),
        exit_reason=zeros("b", rows),
        carry=zeros("d", rows),
        fills=zeros("q", rows),
    )
    trades.fills[:] = array("q", [2]) * rows
    kernel.trades(
        fills.bar,
        fills.side,
        fills.reason,
        fills.quantity,
        fills.price,
        fills.fee,
        highs,
        lows,
        account.fill_next_close,
        trades.side,
        trades.entry_bar,
        trades.entry_price,
        trades.exit_bar,
        trades.exit_price,
        trades.quantity,
        trades.fees,
        trades.pnl,
        trades.mae,
        trades.mfe,
        trades.exit_reason,
    )
    return trades


def _check_account(account: Account) -> None:
    if not (isfinite(account.initial_cash) and account.initial_cash > 0.0):
        raise InvalidSpec(f"must be above 0, is {account.initial_cash}", field="spec.account.initialCash")
    for name, rate in (("takerFeeBps", account.taker_rate), ("slippageBps", account.slippage_rate)):
        if not 0.0 <= rate < 1.0:
            bps = rate * 10_000
            raise InvalidSpec(
                f"must be at least 0 and below 10000, is {bps:g}", field=f"spec.execution.{name}"
            )


def _check_decisions(decisions: Decisions, bars: int) -> None:
    if bars <= 0:
        raise InvalidData("the window holds no bar", field="spec.market.start")
    wrong = columns.first_disorder(decisions.bar, decisions.target, bars)
    if wrong >= 0:
        raise InvalidStrategy(
            f"decision {wrong + 1} (bar {decisions.bar[wrong]}, target {decisions.target[wrong]}): bars must "
            f"increase within 0 to {bars - 1} and targets be -1, 0 or 1",
            field="spec.strategy",
        )


def _check_arithmetic(one: float) -> None:
    # A library linked with -ffast-math can set the processor to flush subnormal numbers: other bits.
    if SMALLEST * max(1.0, one) == 0.0:
        raise EngineError("this thread flushes subnormal numbers to zero: results would differ elsewhere")
