"""The Kelly fraction: the share of capital that makes it grow fastest, were the future like the sample.

An upper bound, not advice: it takes mean and variance as known. Half of it costs a quarter of the growth
and halves the deviation (Thorp, The Kelly criterion in blackjack, sports betting and the stock market, 2006,
section 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import Any

from spark_engine.statistics.risk_figure import Figure, absent, figure
from spark_engine.statistics.risk_tails import Returns


def kelly(returns: Returns, pnl: Sequence[float], stake: Sequence[float]) -> dict[str, Any]:
    """`returns` are those per bar; `pnl` and `stake` (quantity * entry price) of closed trades."""
    continuous = from_returns(returns)
    discrete = from_trades([profit / paid for profit, paid in zip(pnl, stake, strict=True)])
    return {
        "fromReturns": continuous,
        "halfFromReturns": _half(continuous),
        "fromTrades": discrete,
        "halfFromTrades": _half(discrete),
    }


def from_returns(returns: Returns) -> Figure:
    """mean/variance of returns per bar (Thorp 2006, section 7): a multiple of the exposure that was taken.

    Negative: the best stake is none. NoVariance: they are all alike; TooFew: fewer than two.
    """
    shape = returns.shape
    if shape is None:
        return absent("NoVariance" if len(returns) > 1 else returns.absence)
    return figure(shape.mean / (shape.deviation * shape.deviation))


def from_trades(returns: Sequence[float]) -> Figure:
    """p - (1 - p)/b (Kelly, A new interpretation of information rate, Bell System Tech. J. 35, 1956).

    p: share of trades won; b: mean return of the winners over that of the losers. It is the share of capital
    to put at risk, a loss being an average loss. NoTrades, NoWins, NoLosses: b is not defined.
    """
    won = [value for value in returns if value > 0]
    lost = [value for value in returns if value < 0]
    if not returns:
        return absent("NoTrades")
    if not won or not lost:
        return absent("NoWins" if not won else "NoLosses")
    share = len(won) / len(returns)
    payoff = (fsum(won) / len(won)) / -(fsum(lost) / len(lost))
    return figure(share - (1.0 - share) / payoff)


def _half(whole: Figure) -> Figure:
    return whole if whole["value"] is None else figure(whole["value"] / 2)
