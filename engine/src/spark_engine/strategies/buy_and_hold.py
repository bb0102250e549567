"""buy-and-hold: long from the first bar that may trade; the benchmark of every report."""

from __future__ import annotations

from array import array

from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Decisions
from spark_engine.strategies.table import Parameters, Strategy


def decide(_candles: Candles, _parameters: Parameters) -> Decisions:
    """One event: up at the close of bar 0."""
    return Decisions(bar=memoryview(array("q", [0])), target=memoryview(array("d", [1.0])))


STRATEGY = Strategy(
    name="buy-and-hold",
    aliases=("buyAndHold",),
    summary="Buys at the first bar that may trade and holds: the benchmark.",
    parameters=(),
    checks=(),
    decide=decide,
)
