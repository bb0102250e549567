"""The data plane: candles, strategies, simulation, evidence and the `backtest` command."""

__version__ = "0.1.0"
SEMANTICS = 1
