"""vectorbt: signals one bar later at the open are our NextOpen; size inf is all-in with the fee inside."""

from __future__ import annotations

import numpy as np
import pandas as pd
import vectorbt as vbt
from crossings import later

FREQUENCY = "1min"


def portfolio(candles, entries, exits, cash, fee, engine):
    """`entries` and `exits`: a column, or a column for each set of parameters."""
    close, prices = candles["close"], candles["open"]
    if entries.ndim == 2:
        close, prices = close[:, None], prices[:, None]
    return vbt.Portfolio.from_signals(
        close,
        later(entries),
        later(exits),
        price=prices,
        init_cash=cash,
        fees=fee,
        freq=FREQUENCY,
        engine=engine,
    )


def _signals(candles, fast, slow, engine):
    close = pd.Series(candles["close"])
    one = vbt.MA.run(close, fast, engine=engine)
    two = vbt.MA.run(close, slow, engine=engine)
    return one.ma_crossed_above(two).to_numpy(), one.ma_crossed_below(two).to_numpy()


def sma(candles, fast, slow, cash, fee, engine="auto", details=False):
    def run():
        entries, exits = _signals(candles, fast, slow, engine)
        return measured(portfolio(candles, entries, exits, cash, fee, engine))

    return run, lambda outcome: told(*outcome, details)


def given(candles, cash, fee, engine="auto", details=False):
    def run():
        return measured(portfolio(candles, candles["entries"], candles["exits"], cash, fee, engine))

    return run, lambda outcome: told(*outcome, details)


def sweep(candles, pairs, cash, fee, columns=10, engine="auto"):
    """`columns` pairs a call: more of them are slower here, and need gigabytes."""

    def run():
        final, trades = [], []
        for begin in range(0, len(pairs), columns):
            chunk = pairs[begin : begin + columns]
            signals = [_signals(candles, fast, slow, engine) for fast, slow in chunk]
            entries = np.column_stack([pair[0] for pair in signals])
            exits = np.column_stack([pair[1] for pair in signals])
            made, _ = measured(portfolio(candles, entries, exits, cash, fee, engine))
            final += np.asarray(made.final_value()).tolist()
            trades += np.asarray(made.trades.closed.count()).tolist()
        return final, trades

    return run, lambda outcome: {"final": outcome[0], "trades": outcome[1]}


def measured(made):
    """The metrics that every row of a sweep needs; vectorbt computes on demand."""
    figures = made.final_value(), made.trades.closed.count(), made.max_drawdown(), made.sharpe_ratio()
    return made, figures


def told(made, figures, details):
    answer = {"trades": int(figures[1]), "final": float(figures[0])}
    if details:
        closed = made.trades.closed.records
        answer |= {
            "entry_bar": closed["entry_idx"].tolist(),
            "exit_bar": closed["exit_idx"].tolist(),
            "entry_price": closed["entry_price"].tolist(),
            "exit_price": closed["exit_price"].tolist(),
            "pnl": closed["pnl"].tolist(),
            "equity": made.value().to_numpy().tolist(),
        }
    return answer


def sma_signals(candles, fast, slow, engine="auto"):
    return lambda: _signals(candles, fast, slow, engine), bars


def bars(signals):
    return {"up": np.flatnonzero(signals[0]).tolist(), "down": np.flatnonzero(signals[1]).tolist()}
