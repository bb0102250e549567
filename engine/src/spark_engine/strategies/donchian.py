"""donchian: breakout from a channel of highs and lows (Richard Donchian; the Turtles' 20 and 10 days)."""

from __future__ import annotations

from spark_engine.data.candles import Candles
from spark_engine.data.rows import zeros
from spark_engine.simulation import signals
from spark_engine.simulation.ledger import Decisions
from spark_engine.strategies.events import DIRECTION, MAX_WINDOW, collect, target_down
from spark_engine.strategies.table import Parameter, Parameters, Strategy


def decide(candles: Candles, parameters: Parameters) -> Decisions:
    """Up where the close first rises above the highs of the `entry` bars before, down where it first falls
    below the lows of the `exit` bars before. A close on the channel is inside.
    """
    entry, leave, down = int(parameters["entry"]), int(parameters["exit"]), target_down(parameters)
    highest, lowest = zeros("d", entry), zeros("d", leave)
    return collect(
        candles,
        lambda bar, target: signals.donchian(
            candles.high,
            candles.low,
            candles.close,
            entry,
            leave,
            candles.warmup,
            down,
            highest,
            lowest,
            bar,
            target,
        ),
    )


STRATEGY = Strategy(
    name="donchian",
    aliases=("donchian-breakout",),
    summary="Donchian's channel: buy a close above the highs before it, sell one below the lows before it.",
    parameters=(
        Parameter(
            "entry", "integer", "Bars whose highs are broken.", minimum=1, maximum=MAX_WINDOW, default=20
        ),
        Parameter(
            "exit", "integer", "Bars whose lows are broken.", minimum=1, maximum=MAX_WINDOW, default=10
        ),
        DIRECTION,
    ),
    checks=(),
    decide=decide,
    lookback=lambda parameters: 1 + max(int(parameters["entry"]), int(parameters["exit"])),
)
