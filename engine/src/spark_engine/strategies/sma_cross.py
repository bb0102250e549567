"""sma-cross: long while a fast simple moving average of closes is above a slow one."""

from __future__ import annotations

from spark_engine.data.candles import Candles
from spark_engine.simulation import signals
from spark_engine.simulation.ledger import Decisions
from spark_engine.strategies.events import DIRECTION, MAX_WINDOW, check_exact, collect, target_down
from spark_engine.strategies.table import Check, Parameter, Parameters, Strategy


def decide(candles: Candles, parameters: Parameters) -> Decisions:
    """Events where the averages cross; a tie is neither (SEMANTICS section 2)."""
    fast, slow, down = int(parameters["fast"]), int(parameters["slow"]), target_down(parameters)
    check_exact(candles, fast * slow, "spec.strategy.params.slow", "fast * slow")
    return collect(
        candles,
        lambda bar, target: signals.sma_cross(
            candles.ticks_close, fast, slow, candles.warmup, down, bar, target
        ),
    )


STRATEGY = Strategy(
    name="sma-cross",
    aliases=("smaCross",),
    summary="Two simple moving averages of the close: buy when the fast one crosses above the slow one.",
    parameters=(
        Parameter("fast", "integer", "Bars of the fast average.", minimum=1, maximum=MAX_WINDOW),
        Parameter("slow", "integer", "Bars of the slow average.", minimum=1, maximum=MAX_WINDOW),
        DIRECTION,
    ),
    checks=(Check("fast", "<", "slow", "fast must be smaller than slow"),),
    decide=decide,
    lookback=lambda parameters: int(parameters["slow"]),
)
