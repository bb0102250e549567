"""risk.json of an execution: its tables, and the whole run again under other fees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from spark_engine.errors import BacktestError
from spark_engine.execute.execution import Execution
from spark_engine.settings import periods_per_year
from spark_engine.simulation.ledger import Account, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.metrics import metrics
from spark_engine.statistics.risk import risk_document
from spark_engine.strategies.simulate import simulate_strategy

SHOWN = ("finalEquity", "totalReturn", "sharpe", "maxDrawdown", "totalFees", "trades")


def risk_of(execution: Execution) -> dict[str, Any]:
    """The document of docs/risk.md; cost sensitivity only where the run was not stopped."""
    ledger, candles = execution.ledger, execution.candles
    window = slice(candles.warmup, candles.warmup + len(ledger.equity))
    trades = ledger.trades
    return risk_document(
        {
            "ts": candles.ts[window],
            "equity": ledger.equity,
            "cash": ledger.cash,
            "position": ledger.position,
        },
        {
            "exit_bar": trades.exit_bar,
            "pnl": trades.pnl,
            "quantity": trades.quantity,
            "entry_price": trades.entry_price,
        },
        initial_cash=execution.account.initial_cash,
        days=None if candles.sessions is None else candles.sessions.day[window],
        rerun=(lambda factor: _figures(execution, factor)) if execution.breach is None else None,
    )


def _figures(execution: Execution, factor: float) -> Mapping[str, float | int | None]:
    """Metrics of the run with its fee rates times `factor`; null where such fees are impossible."""
    figures = execution.metrics
    if factor != 1.0:
        account = execution.account
        dearer = replace(
            account, maker_rate=account.maker_rate * factor, taker_rate=account.taker_rate * factor
        )
        try:
            ledger = _again(execution, dearer)
        except BacktestError:
            return dict.fromkeys(SHOWN)
        figures = metrics(ledger, execution.candles, dearer, periods_per_year(execution.spec))
    return {name: figures[name].value for name in SHOWN}


def _again(execution: Execution, account: Account) -> Ledger:
    """Targets do not depend on the account; an event strategy is asked anew."""
    run = execution.run
    if execution.ledger.submissions is None:
        return simulate(execution.candles, execution.ledger.decisions, account)
    return simulate_strategy(run.strategy, execution.candles, account, run.parameters, run.spec["seed"])
