"""The table of trials: columns of sums from which every metric of a sweep follows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import ModuleType
from typing import Final

from spark_engine.data.rows import ColumnType, zeros
from spark_engine.simulation import columns
from spark_engine.simulation.ledger import Account, Ledger

BLOCKS: Final = 16  # of CSCV (SEMANTICS section 9)
LEAST_RETURNS: Final = 160
BY_BLOCK: Final = ("block_s1", "block_s2")
WHOLE: Final = {
    *("trial", "trades", "fills", "wins", "losses", "bars_held", "bars_in_position"),
    *("drawdown_peak_bar", "drawdown_last_bar", "bankrupt_bar", "stopped_bar"),
}


@dataclass(frozen=True, slots=True)
class Trials:
    """One row a trial, in the order of `trial`: what a single run says of the same parameters, to the bit.

    Bars are window indices, -1 for none. block_s1, block_s2: row-major, 16 a trial: what s1 and s2 grew by
    over each CSCV block of returns (the first m mod 16 returns dropped, m < 160: zeros); empty if not wanted.
    """

    trial: memoryview  # int64, index into the sets that were given
    final_equity: memoryview  # float64, as all that follow up to block_s2
    max_drawdown: memoryview
    s1: memoryview
    s2: memoryview
    s3: memoryview
    s4: memoryview
    d2: memoryview
    min_equity: memoryview
    fees: memoryview
    slippage: memoryview
    turnover: memoryview  # sum over fills of quantity * price
    final_equity_liquidated: memoryview
    gained: memoryview  # sum of the pnl of trades that won
    lost: memoryview  # sum of the pnl of trades that lost, not above 0
    pnl: memoryview  # sum over all trades, in their order
    block_s1: memoryview
    block_s2: memoryview
    trades: memoryview  # int64, as all that follow
    fills: memoryview
    wins: memoryview
    losses: memoryview
    bars_held: memoryview  # sum over trades of exit bar - entry bar
    bars_in_position: memoryview
    drawdown_peak_bar: memoryview
    drawdown_last_bar: memoryview
    bankrupt_bar: memoryview
    stopped_bar: memoryview  # where policy Fail ended the run

    def __len__(self) -> int:
        return len(self.trial)


def no_rows(count: int, blocks: bool) -> Trials:
    """`count` rows of zeros."""
    return Trials(
        **{field.name: zeros(_code(field.name), _rows(field.name, count, blocks)) for field in fields(Trials)}
    )


def _code(name: str) -> ColumnType:
    return "q" if name in WHOLE else "d"


def _rows(name: str, count: int, blocks: bool) -> int:
    if name in BY_BLOCK:
        return count * BLOCKS if blocks else 0
    return count


def put_ledger(
    trials: Trials, row: int, ledger: Ledger, bars: int, account: Account, core: ModuleType
) -> None:
    """Writes the sums of one single run over a window of `bars` into a row."""
    moments = ledger.moments
    peak_bar, last_bar = core.underwater(ledger.equity, account.initial_cash)
    values = {
        "final_equity": ledger.equity[-1],
        "max_drawdown": moments.max_drawdown,
        "s1": moments.s1,
        "s2": moments.s2,
        "s3": moments.s3,
        "s4": moments.s4,
        "d2": moments.d2,
        "min_equity": moments.min_equity,
        "fees": ledger.total_fees,
        "slippage": ledger.total_slippage,
        "turnover": ledger.turnover_notional,
        "final_equity_liquidated": ledger.final_equity_liquidated,
        "trades": len(ledger.trades),
        "fills": len(ledger.fills),
        "bars_in_position": moments.bars_in_position,
        "drawdown_peak_bar": peak_bar,
        "drawdown_last_bar": last_bar,
        "bankrupt_bar": -1 if ledger.bankrupt_bar is None else ledger.bankrupt_bar,
        "stopped_bar": -1 if ledger.stopped_bar is None else ledger.stopped_bar,
        **_trade_sums(ledger),
    }
    for name, value in values.items():
        getattr(trials, name)[row] = value
    if len(trials.block_s1):
        _put_blocks(trials, row, ledger.equity, bars, core)


def _trade_sums(ledger: Ledger) -> dict[str, float]:
    names = ("wins", "losses", "gained", "lost", "pnl", "bars_held")
    if not len(ledger.trades):
        return dict.fromkeys(names, 0)
    trades = ledger.trades
    wins, losses, gained, lost, pnl, _, _, held = columns.trade_sums(
        trades.entry_bar, trades.exit_bar, trades.pnl
    )
    return dict(zip(names, (wins, losses, gained, lost, pnl, held), strict=True))


def _put_blocks(trials: Trials, row: int, equity: memoryview, bars: int, core: ModuleType) -> None:
    at = row * BLOCKS
    for column in (trials.block_s1, trials.block_s2):
        column[at : at + BLOCKS] = zeros("d", BLOCKS)
    if len(equity) == bars > LEAST_RETURNS:
        core.block_sums(equity, at, trials.block_s1, trials.block_s2)
