"""How much of the account was at stake, how long, and on which side."""

from __future__ import annotations

from typing import Any

from spark_engine.statistics import passes
from spark_engine.statistics.risk_figure import absent, figure, rounded


def exposure(ts: memoryview, equity: memoryview, cash: memoryview, position: memoryview) -> dict[str, Any]:
    """Shares of bars by the position at the close, and notional over equity, `(E - cash)/E` with its sign.

    Means are over all bars, flat ones included. Bankrupt: equity of 0 or less makes the ratio meaningless.
    """
    bars = len(equity)
    long, short, least, net, gross, row, highest = passes.exposure_sums(equity, cash, position)
    times = {
        "timeInMarket": rounded((long + short) / bars),
        "timeLong": rounded(long / bars),
        "timeShort": rounded(short / bars),
    }
    if least <= 0:
        return (
            times
            | {name: absent("Bankrupt") for name in ("averageGross", "averageNet", "maximumGross")}
            | {"maximumTs": None}
        )
    return times | {
        "averageGross": figure(gross / bars),
        "averageNet": figure(net / bars),
        "maximumGross": figure(highest),
        "maximumTs": ts[int(row)] if highest > 0 else None,
    }
