"""The data plane: candles, strategies, simulation, evidence and the `backtest` command.

In a notebook:

    import spark_engine
    result = spark_engine.run("examples/btcusdt-1h-sma-cross.yaml")
    result.metrics["sharpe"], result.digest, result.trades
"""

from typing import TYPE_CHECKING, Any

from spark_engine.version import SEMANTICS, __version__

if TYPE_CHECKING:
    from spark_engine.notebook import RunResult, SweepResult, read_candles, run, sweep

__all__ = ["SEMANTICS", "RunResult", "SweepResult", "__version__", "read_candles", "run", "sweep"]


def __getattr__(name: str) -> Any:
    """The notebook's names, imported when they are first used: a pod never pays for them."""
    if name in ("RunResult", "SweepResult", "read_candles", "run", "sweep"):
        from spark_engine import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module 'spark_engine' has no attribute {name!r}")
