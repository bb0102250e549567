"""How much of the account was at stake, how long, and on which side."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from operator import sub, truediv
from typing import Any

from spark_engine.statistics.risk_figure import absent, figure, rounded


def exposure(
    ts: Sequence[int], equity: Sequence[float], cash: Sequence[float], position: Sequence[float]
) -> dict[str, Any]:
    """Shares of bars by the position at the close, and notional over equity, `(E - cash)/E` with its sign.

    Means are over all bars, flat ones included. Bankrupt: equity of 0 or less makes the ratio meaningless.
    """
    bars = len(equity)
    long = sum(map((0.0).__lt__, position))
    short = sum(map((0.0).__gt__, position))
    times = {
        "timeInMarket": rounded((long + short) / bars),
        "timeLong": rounded(long / bars),
        "timeShort": rounded(short / bars),
    }
    if min(equity) <= 0:
        return (
            times
            | {name: absent("Bankrupt") for name in ("averageGross", "averageNet", "maximumGross")}
            | {"maximumTs": None}
        )
    net = list(map(truediv, map(sub, equity, cash), equity))
    gross = list(map(abs, net))
    highest = max(gross)
    return times | {
        "averageGross": figure(fsum(gross) / bars),
        "averageNet": figure(fsum(net) / bars),
        "maximumGross": figure(highest),
        "maximumTs": ts[gross.index(highest)] if highest > 0 else None,
    }
