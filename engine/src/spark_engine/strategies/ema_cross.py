"""ema-cross: long while a fast exponential moving average of closes is above a slow one."""

from __future__ import annotations

from spark_engine.data.candles import Candles
from spark_engine.simulation import signals
from spark_engine.simulation.ledger import Decisions
from spark_engine.strategies.events import DIRECTION, MAX_WINDOW, check_exact, collect, target_down
from spark_engine.strategies.table import Check, Parameter, Parameters, Strategy


def decide(candles: Candles, parameters: Parameters) -> Decisions:
    """Events where the averages cross; a tie is neither.

    Each average starts with the simple average of its first n closes and goes on with k = 2/(n+1), as EMA of
    TA-Lib. (Pine's `ta.ema` starts with the first close instead: the two differ by (1-k)^i of the start.)
    """
    fast, slow, down = int(parameters["fast"]), int(parameters["slow"]), target_down(parameters)
    check_exact(candles, slow, "spec.strategy.params.slow", "slow")
    return collect(
        candles,
        lambda bar, target: signals.ema_cross(
            candles.ticks_close, fast, slow, candles.warmup, down, bar, target
        ),
    )


STRATEGY = Strategy(
    name="ema-cross",
    aliases=("emaCross",),
    summary="Two exponential moving averages of the close: buy when the fast one crosses above the slow one.",
    parameters=(
        Parameter("fast", "integer", "Bars of the fast average.", minimum=1, maximum=MAX_WINDOW, default=12),
        Parameter("slow", "integer", "Bars of the slow average.", minimum=1, maximum=MAX_WINDOW, default=26),
        DIRECTION,
    ),
    checks=(Check("fast", "<", "slow", "fast must be smaller than slow"),),
    decide=decide,
    lookback=lambda parameters: int(parameters["slow"]),
)
