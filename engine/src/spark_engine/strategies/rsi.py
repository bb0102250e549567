"""rsi: buys weakness and sells strength by Wilder's relative strength index (1978)."""

from __future__ import annotations

from spark_engine.data.candles import Candles
from spark_engine.simulation import signals
from spark_engine.simulation.ledger import Decisions
from spark_engine.strategies.events import DIRECTION, check_exact, collect, target_down
from spark_engine.strategies.table import Check, Parameter, Parameters, Strategy


def decide(candles: Candles, parameters: Parameters) -> Decisions:
    """Up where the index falls below `lower`, down where it rises above `upper` (SEMANTICS section 2)."""
    period, down = int(parameters["period"]), target_down(parameters)
    lower, upper = float(parameters["lower"]), float(parameters["upper"])
    check_exact(candles, period, "spec.strategy.params.period", "period")
    return collect(
        candles,
        lambda bar, target: signals.rsi(
            candles.ticks_close, period, lower, upper, candles.warmup, down, bar, target
        ),
    )


STRATEGY = Strategy(
    name="rsi",
    aliases=(),
    summary="Wilder's RSI: buy when it falls below lower, sell when it rises above upper.",
    parameters=(
        Parameter("period", "integer", "Bars of Wilder's average.", minimum=2, maximum=10_000, default=14),
        Parameter("lower", "number", "Oversold below this value.", minimum=0, maximum=100, default=30),
        Parameter("upper", "number", "Overbought above this value.", minimum=0, maximum=100, default=70),
        DIRECTION,
    ),
    checks=(Check("lower", "<", "upper", "lower must be smaller than upper"),),
    decide=decide,
    lookback=lambda parameters: int(parameters["period"]) + 1,
)
