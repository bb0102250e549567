"""Decisions and candles in, the whole ledger out."""

from __future__ import annotations

from array import array
from dataclasses import fields, replace

from spark_engine.data.candles import Candles
from spark_engine.data.rows import unwritten, zeros
from spark_engine.simulation import columns, general, kernel
from spark_engine.simulation.checks import check_decisions, check_simulation, check_submissions, is_plain
from spark_engine.simulation.days import days_of
from spark_engine.simulation.ledger import (
    Account,
    Decisions,
    EquitySums,
    Fills,
    Ledger,
    Submissions,
    Trades,
)
from spark_engine.simulation.moments import moments


def simulate(candles: Candles, decisions: Decisions | Submissions, account: Account) -> Ledger:
    """Carries `decisions` out over the window `candles[warmup:]` (SEMANTICS sections 3 to 8).

    Targets fill at the next bar's open, or close with `fill_next_close`; submissions are a script of orders,
    targets and cancels, of whose column `order` only the ids to cancel are read. All bar numbers are window
    indices. Raises `InvalidSpec` for an account out of range, `InvalidStrategy` for decisions that are
    unordered, outside the window or out of range, `InvalidData` for an empty window.
    """
    bars = check_simulation(candles, account)
    if isinstance(decisions, Submissions):
        check_submissions(decisions, bars)
        return general.of_script(candles, decisions, account)
    check_decisions(decisions, bars)
    fractional, negative = columns.kinds(decisions.target)
    if fractional or not is_plain(candles, account):
        return general.of_targets(candles, decisions, account)
    clamped = 0 if account.allow_short else negative
    return _plainly(candles, decisions, account, clamped)


def simulate_events(candles: Candles, account: Account, connect: general.Connect) -> Ledger:
    """Asks an event strategy at the close of every bar of the window.

    `connect(exchange)` returns `on_bar(bar)`, which reads and instructs the exchange; what it raises is
    raised. Raises `InvalidSpec` and `InvalidData` as `simulate`.
    """
    check_simulation(candles, account)
    return general.of_events(candles, account, connect)


def _long_only(target: memoryview) -> memoryview:
    return memoryview(array("d", [max(0.0, weight) for weight in target]))


def _plainly(candles: Candles, decisions: Decisions, account: Account, clamped: int) -> Ledger:
    """Targets of -1, 0 and +1 by the fast kernel."""
    bars = len(candles) - candles.warmup
    opens, highs, lows, closes = (
        column[candles.warmup :] for column in (candles.open, candles.high, candles.low, candles.close)
    )
    marks = unwritten("d", 3 * bars)  # one block: allocators give three smaller ones back, page by page
    equity, cash, position = marks[:bars], marks[bars : 2 * bars], marks[2 * bars :]
    days = days_of(candles)
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
            rows.slippage,
        ),
        kernel.Sums(account.initial_cash, days.times, days.first_end, days.length),
        opens,
        closes,
        decisions.bar,
        _long_only(decisions.target) if clamped else decisions.target,
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
        moments=moments(tally, candles),
        total_fees=tally.fees,
        total_slippage=tally.slippage,
        turnover_notional=tally.turnover,
        final_equity_liquidated=tally.final_equity_liquidated,
        unfilled_at_end=1 if len(decisions) and decisions.bar[-1] == bars - 1 else 0,
        bankrupt_bar=None if tally.bankrupt_bar < 0 else tally.bankrupt_bar,
        equity_sums=EquitySums(tally.equity_sum, tally.daily_returns, tally.daily_s1, tally.daily_s2),
        short_targets_clamped=clamped,
    )


def _fills(rows: int) -> Fills:
    """Room for `rows` fills; the kernel writes all columns but `liquidity`, which is taker."""
    return Fills(
        bar=unwritten("q", rows),
        order=unwritten("q", rows),
        side=unwritten("b", rows),
        liquidity=zeros("b", rows),
        reason=unwritten("b", rows),
        quantity=unwritten("d", rows),
        price=unwritten("d", rows),
        fee=unwritten("d", rows),
        slippage=unwritten("d", rows),
    )


def _trades(fills: Fills, highs: memoryview, lows: memoryview, account: Account) -> Trades:
    rows = len(fills) // 2
    trades = Trades(
        side=unwritten("b", rows),
        entry_bar=unwritten("q", rows),
        entry_price=unwritten("d", rows),
        exit_bar=unwritten("q", rows),
        exit_price=unwritten("d", rows),
        quantity=unwritten("d", rows),
        fees=unwritten("d", rows),
        pnl=unwritten("d", rows),
        mae=unwritten("d", rows),
        mfe=unwritten("d", rows),
        exit_reason=unwritten("b", rows),
        carry=zeros("d", rows),
        fills=unwritten("q", rows),
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
