"""The sums over the returns of a run, with the times of its longest drawdown."""

from __future__ import annotations

from spark_engine.data.candles import Candles
from spark_engine.simulation.columns import ReturnSums
from spark_engine.simulation.kernel import Tally
from spark_engine.simulation.ledger import Moments


def moments(sums: Tally | ReturnSums, candles: Candles) -> Moments:
    """Of a run over the window `candles[warmup:]`."""
    times = candles.ts if candles.sessions is None else candles.sessions.close_ts
    peak, last = sums.drawdown_peak_bar, sums.drawdown_last_bar
    return Moments(
        s1=sums.s1,
        s2=sums.s2,
        s3=sums.s3,
        s4=sums.s4,
        d2=sums.d2,
        min_equity=sums.min_equity,
        max_drawdown=sums.max_drawdown,
        max_drawdown_bars=last - peak,
        max_drawdown_seconds=(times[candles.warmup + last] - times[candles.warmup + peak]) // 1000,
        bars_in_position=sums.bars_in_position,
    )
