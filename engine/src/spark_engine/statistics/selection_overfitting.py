"""The probability of backtest overfitting (PBO), by combinatorially symmetric cross-validation."""

from __future__ import annotations

from dataclasses import dataclass

from spark_engine.data.rows import zeros
from spark_engine.statistics import cscv

BLOCKS = 16
LEAST_RETURNS = 160
MOST_TRIALS = 20_000


@dataclass(frozen=True, slots=True)
class Overfitting:
    """`probability`: PBO. `negative`: share of halves whose best trial scores below 0 in the other half."""

    probability: float
    negative: float
    halves: int


def overfitting(block_s1: memoryview, block_s2: memoryview, returns: int) -> Overfitting | None:
    """PBO of N trials over m = `returns` bar returns each.

    block_s1, block_s2: float64, row-major, 16 a trial: sums of returns and of their squares over 16 equal
    blocks of floor(m/16) returns, the first m mod 16 dropped. For each of the C(16, 8) = 12,870 halves of the
    blocks the trial with the highest Sharpe ratio (the lowest id of equals) is looked up in the other half;
    w = its average rank there/(N + 1), and PBO = the share of halves with w <= 1/2, that is logit(w) <= 0. A
    trial whose returns do not vary in a half scores 0 there. None where m < 160, N < 2 or N > 20,000.

    Bailey, Borwein, Lopez de Prado and Zhu, "The probability of backtest overfitting", Journal of
    Computational Finance 20(4), 2017.
    """
    trials = len(block_s1) // BLOCKS
    if returns < LEAST_RETURNS or not 2 <= trials <= MOST_TRIALS:
        return None
    s1, s2 = zeros("d", len(block_s1)), zeros("d", len(block_s2))
    cscv.by_block(block_s1, s1)
    cscv.by_block(block_s2, s2)
    in_half = returns // BLOCKS * (BLOCKS // 2)
    count, low, negative = cscv.halves(s1, s2, in_half, zeros("d", trials), zeros("d", trials))
    return Overfitting(low / count, negative / count, count)
