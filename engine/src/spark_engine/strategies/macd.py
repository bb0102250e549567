"""macd: buys when the MACD line crosses above its signal line (Appel, 1979)."""

from __future__ import annotations

from spark_engine.data.candles import Candles
from spark_engine.simulation import signals
from spark_engine.simulation.ledger import Decisions
from spark_engine.strategies.events import DIRECTION, MAX_WINDOW, check_exact, collect, target_down
from spark_engine.strategies.table import Check, Parameter, Parameters, Strategy


def decide(candles: Candles, parameters: Parameters) -> Decisions:
    """Events where the line, EMA_fast - EMA_slow, crosses its own EMA; a tie is neither.

    As MACD of TA-Lib: both averages start at row slow-1, each with the simple average of its last n closes;
    the signal line starts with the mean of the first `signal` values of the line.
    """
    fast, slow, signal = (int(parameters[name]) for name in ("fast", "slow", "signal"))
    down = target_down(parameters)
    check_exact(candles, slow, "spec.strategy.params.slow", "slow")
    return collect(
        candles,
        lambda bar, target: signals.macd(
            candles.ticks_close, fast, slow, signal, candles.warmup, down, bar, target
        ),
    )


STRATEGY = Strategy(
    name="macd",
    aliases=(),
    summary="Appel's MACD: buy when its line crosses above its signal line.",
    parameters=(
        Parameter("fast", "integer", "Bars of the fast average.", minimum=1, maximum=MAX_WINDOW, default=12),
        Parameter("slow", "integer", "Bars of the slow average.", minimum=1, maximum=MAX_WINDOW, default=26),
        Parameter("signal", "integer", "Bars of the signal line.", minimum=1, maximum=MAX_WINDOW, default=9),
        DIRECTION,
    ),
    checks=(Check("fast", "<", "slow", "fast must be smaller than slow"),),
    decide=decide,
    lookback=lambda parameters: int(parameters["slow"]) + int(parameters["signal"]) - 1,
)
