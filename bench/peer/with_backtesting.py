"""backtesting.py: FractionalBacktest with a tiny unit, since it floors quantities to whole units."""

from __future__ import annotations

import pandas as pd
from backtesting import Strategy
from backtesting.lib import FractionalBacktest

UNIT = 1e-10


def given(candles, cash, fee, details=False):
    """On the signals that the caller handed over: entries and exits by market orders at the next open."""
    frame = pd.DataFrame(
        {name.title(): candles[name] for name in ("open", "high", "low", "close", "volume")},
        index=pd.to_datetime(candles["ts"], unit="ms"),
    )
    entries, exits = candles["entries"].tolist(), candles["exits"].tolist()

    class Given(Strategy):
        def init(self) -> None:
            self.bar = 0  # the first call of next() is bar 1

        def next(self) -> None:
            self.bar += 1
            if entries[self.bar] and not self.position:
                self.buy()
            elif exits[self.bar] and self.position:
                self.position.close()

    backtest = FractionalBacktest(
        frame, Given, fractional_unit=UNIT, cash=cash, commission=fee, trade_on_close=False
    )
    return backtest.run, lambda stats: told(stats, details)


def told(stats, details):
    trades = stats["_trades"]
    answer = {"trades": len(trades), "final": float(stats["Equity Final [$]"])}
    if details:
        answer |= {
            "entry_bar": trades["EntryBar"].tolist(),
            "exit_bar": trades["ExitBar"].tolist(),
            "entry_price": trades["EntryPrice"].tolist(),
            "exit_price": trades["ExitPrice"].tolist(),
            "pnl": trades["PnL"].tolist(),
            "equity": stats["_equity_curve"]["Equity"].tolist(),
        }
    return answer
