"""raptorbt: array signals, batch, and its class form. `next_bar_open` is our NextOpen; the fee is inside."""

from __future__ import annotations

import numpy as np
import raptorbt
from crossings import bounds, cross

NANOSECONDS = 1_000_000


def config(cash: float, fee: float, per_year: float) -> raptorbt.BacktestConfig:
    return raptorbt.BacktestConfig(
        initial_capital=cash, fees=fee, slippage=0.0, fill_timing="next_bar_open", periods_per_year=per_year
    )


def columns(candles):
    names = ("open", "high", "low", "close", "volume")
    return candles["ts"] * NANOSECONDS, *(candles[name] for name in names)


def sma(candles, fast, slow, cash, fee, per_year, details=False):
    close, settings, inputs = candles["close"], config(cash, fee, per_year), columns(candles)

    def run():
        entries, exits = cross(raptorbt.sma(close, fast), raptorbt.sma(close, slow))
        return raptorbt.run_single_backtest(*inputs, entries, exits, 1, 1.0, "X", settings)

    return run, lambda result: told(result, details)


def rsi(candles, period, lower, upper, cash, fee, per_year, details=False):
    close, settings, inputs = candles["close"], config(cash, fee, per_year), columns(candles)

    def run():
        entries, exits = bounds(raptorbt.rsi(close, period), lower, upper)
        return raptorbt.run_single_backtest(*inputs, entries, exits, 1, 1.0, "X", settings)

    return run, lambda result: told(result, details)


def given(candles, cash, fee, per_year, details=False):
    """On the signals that the caller handed over."""
    settings, inputs = config(cash, fee, per_year), columns(candles)
    entries, exits = candles["entries"], candles["exits"]

    def run():
        return raptorbt.run_single_backtest(*inputs, entries, exits, 1, 1.0, "X", settings)

    return run, lambda result: told(result, details)


def sweep(candles, pairs, cash, fee, per_year):
    close, settings, inputs = candles["close"], config(cash, fee, per_year), columns(candles)

    def run():
        lines = {window: raptorbt.sma(close, window) for window in {w for pair in pairs for w in pair}}
        items = []
        for fast, slow in pairs:
            entries, exits = cross(lines[fast], lines[slow])
            items.append(raptorbt.BatchSingleItem(f"{fast}/{slow}", entries, exits, 1, 1.0, "X", settings))
        return raptorbt.batch_single_backtest(*inputs, items, settings)

    def tell(results):
        return {
            "final": [result.metrics.end_value for _, result in results],
            "trades": [result.metrics.total_closed_trades for _, result in results],
        }

    return run, tell


class NoOp(raptorbt.Strategy):
    pass


class SmaCross(raptorbt.Strategy):
    """Running sums, updated a bar at a time; the orders go in without a look at the position."""

    def __init__(self, fast: int, slow: int) -> None:
        super().__init__()
        self.fast, self.slow = fast, slow
        self.fast_sum = self.slow_sum = 0.0
        self.before = None

    def on_start(self, ctx) -> None:
        self.close = ctx.close.tolist()
        self.inside = False

    def on_bar(self, ctx) -> None:
        close, i, fast, slow = self.close, ctx.idx, self.fast, self.slow
        self.fast_sum += close[i] - (close[i - fast] if i >= fast else 0.0)
        self.slow_sum += close[i] - (close[i - slow] if i >= slow else 0.0)
        if i < slow - 1:
            return
        now = self.fast_sum / fast - self.slow_sum / slow
        before, self.before = self.before, now
        if before is None:
            return
        if now > 0.0 >= before and not self.inside:
            self.inside = True
            self.enter()
        elif now < 0.0 <= before and self.inside:
            self.inside = False
            self.close_position()


def callback(candles, strategy, cash, fee, per_year, fast=0, slow=0):
    settings, inputs = config(cash, fee, per_year), columns(candles)

    def run():
        chosen = NoOp() if strategy == "no-op" else SmaCross(fast, slow)
        return raptorbt.run_strategy_backtest(chosen, *inputs, config=settings)

    return run, lambda result: told(result, False)


def told(result, details):
    answer = {"trades": result.metrics.total_closed_trades, "final": result.metrics.end_value}
    if details:
        closed = [trade for trade in result.trades() if trade.exit_reason != "EndOfData"]
        answer |= {
            "entry_bar": [trade.entry_idx for trade in closed],
            "exit_bar": [trade.exit_idx for trade in closed],
            "entry_price": [trade.entry_price for trade in closed],
            "exit_price": [trade.exit_price for trade in closed],
            "pnl": [trade.pnl for trade in closed],
            "equity": np.asarray(result.equity_curve()).tolist(),
        }
    return answer


def sma_signals(candles, fast, slow):
    close = candles["close"]
    return lambda: cross(raptorbt.sma(close, fast), raptorbt.sma(close, slow)), bars


def rsi_signals(candles, period, lower, upper):
    close = candles["close"]
    return lambda: bounds(raptorbt.rsi(close, period), lower, upper), bars


def bars(signals):
    return {"up": np.flatnonzero(signals[0]).tolist(), "down": np.flatnonzero(signals[1]).tolist()}
