"""Does the result hang on a few trades or on one month?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import fsum
from typing import Any

from spark_engine.data.stamps import EPOCH, MILLISECOND
from spark_engine.statistics.risk_figure import Figure, absent, figure, rounded

BEST = (1, 5, 10)


def concentration(pnl: Sequence[float], exit_ts: Sequence[int]) -> dict[str, Any]:
    """Over closed trades: pnl in money after costs, `exit_ts` ms UTC; months are UTC months of the exit."""
    by_month = monthly(pnl, exit_ts)
    return {
        "bestTrades": [best_trades(pnl, count) for count in BEST],
        "winners": herfindahl([value for value in pnl if value > 0]),
        "losers": herfindahl([-value for value in pnl if value < 0]),
        "profitableMonths": herfindahl([value for value in by_month.values() if value > 0]),
        "months": [{"month": month, "pnl": rounded(value)} for month, value in by_month.items()],
    }


def best_trades(pnl: Sequence[float], count: int) -> dict[str, Any]:
    """The best `count` trades over the sum of all profits, and the net result without them."""
    profits = sorted((value for value in pnl if value > 0), reverse=True)
    best = fsum(profits[:count])
    share = figure(best / fsum(profits)) if profits else absent("NoWins")
    return {
        "trades": count,
        "shareOfProfit": share,
        "netWithout": rounded(fsum(pnl) - best),
    }


def herfindahl(amounts: Sequence[float]) -> Figure:
    """(h - 1/n)/(1 - 1/n), h = sum of squared shares: 0 where all are alike, 1 where one is everything.

    Lopez de Prado, Advances in Financial Machine Learning (2018), section 14.5.1. TooFew: less than two.
    """
    if len(amounts) < 2:
        return absent("TooFew")
    total = fsum(amounts)
    squares = fsum([(amount / total) * (amount / total) for amount in amounts])
    even = 1.0 / len(amounts)
    return figure(max(0.0, (squares - even) / (1.0 - even)))


def monthly(pnl: Sequence[float], exit_ts: Sequence[int]) -> Mapping[str, float]:
    """Sums of pnl by month of the exit ("2024-01"), in order of time."""
    sums: dict[str, float] = {}
    month, begin, end = "", 0, 0
    for value, ts in zip(pnl, exit_ts, strict=True):
        if not begin <= ts < end:  # trades in order of time seldom leave the month of the one before
            month, begin, end = _month(ts)
        sums[month] = sums.get(month, 0.0) + value
    return dict(sorted(sums.items()))


def _month(ts: int) -> tuple[str, int, int]:
    """The UTC month of `ts`, its begin and its end."""
    exit_ = EPOCH + timedelta(milliseconds=ts)
    first = exit_.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=31)).replace(day=1)
    begin, end = ((stamp - EPOCH) // MILLISECOND for stamp in (first, following))
    return f"{exit_.year:04}-{exit_.month:02}", begin, end
