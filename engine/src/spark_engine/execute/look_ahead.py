"""The search for look-ahead as the evidence tells it, of a run and of a sweep."""

from __future__ import annotations

from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account
from spark_engine.strategies.table import BUILT_IN_CODE, Parameters, ProbeLevel, Strategy

UNPROBED = {"probe": "off"}


def look_ahead(
    strategy: Strategy,
    candles: Candles,
    parameters: Parameters,
    seed: int,
    account: Account,
    level: ProbeLevel,
    trial: int | None = None,
) -> dict[str, Any] | None:
    """What the probe looked at; None for a built-in strategy. Raises `InvalidStrategy`.

    `trial`: of a sweep, whose record names it in place of the cuts.
    """
    if strategy.code == BUILT_IN_CODE:
        return None
    from spark_engine.strategies.probe import probe  # a pod pays for its imports

    probed = probe(strategy, candles, parameters, seed, account, level)
    if probed is None:
        return dict(UNPROBED)
    seen = {"probe": probed.level, "bars": probed.bars, "decisions": probed.decisions}
    return seen | ({"cuts": list(probed.cuts)} if trial is None else {"trial": trial})
