"""Value at risk, expected shortfall and tail ratio of a sample of returns.

Losses are positive numbers: a value at risk of 0.02 at 95 percent is a loss of 2 percent of equity that is
reached or passed by 5 percent of the periods.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, fsum, pi, sqrt
from typing import Any, NamedTuple

from spark_engine.data.rows import zeros
from spark_engine.statistics import passes
from spark_engine.statistics.risk_columns import column
from spark_engine.statistics.risk_figure import Figure, absent, figure

# Standard normal quantiles of 1 - confidence; `statistics.NormalDist` would cost its import.
NORMAL_QUANTILES = {95: -1.6448536269514729, 99: -2.3263478740408408}
LEAST_VARIANCE = 1e-30  # of returns: below it, they are rounding


class Shape(NamedTuple):
    """Mean, standard deviation (of the population), skewness and excess kurtosis of a sample."""

    mean: float
    deviation: float
    skew: float
    excess: float


class Returns:
    """A sample of returns in ascending order, and its shape; None where they do not vary.

    `absence`: why there is no figure where the sample is too small for it.
    """

    __slots__ = ("absence", "ascending", "shape")

    def __init__(self, ascending: Sequence[float], shape: Shape | None, absence: str = "TooFew") -> None:
        self.ascending = ascending
        self.shape = shape
        self.absence = absence

    def __len__(self) -> int:
        return len(self.ascending)


BANKRUPT = Returns((), None, "Bankrupt")  # a return on equity of 0 or less says nothing


def returns_of(ratios: Sequence[float]) -> Returns:
    """From growth ratios E_i/E_{i-1} > 0; a return is `ratio - 1`."""
    ascending = zeros("d", len(ratios))
    ascending[:] = column("d", ratios)
    passes.sort(ascending.cast("B").cast("q"), zeros("q", len(ratios)))
    passes.returns_from(ascending)
    return Returns(ascending, shape_of(ascending))


def shape_of(values: Sequence[float]) -> Shape | None:
    """Central moments in two passes. None for fewer than two values and where they are all alike."""
    count = len(values)
    if count < 2:
        return None
    sample = column("d", values)
    mean = passes.total(sample) / count
    second, third, fourth = (power / count for power in passes.central_sums(sample, mean))
    if second <= LEAST_VARIANCE:
        return None
    return Shape(mean, sqrt(second), third / (second * sqrt(second)), fourth / (second * second) - 3.0)


def tail_risk(returns: Returns, confidence: int) -> dict[str, Any]:
    """Both estimates at a confidence of 95 or 99 (percent)."""
    return {
        "confidence": confidence / 100,
        "historical": {
            "valueAtRisk": historical_value_at_risk(returns, confidence),
            "expectedShortfall": historical_expected_shortfall(returns, confidence),
        },
        "cornishFisher": {
            "valueAtRisk": cornish_fisher_value_at_risk(returns, confidence),
            "expectedShortfall": cornish_fisher_expected_shortfall(returns, confidence),
        },
    }


def historical_value_at_risk(returns: Returns, confidence: int) -> Figure:
    """-r_(k), k = floor(m*(1-c)) + 1, of m returns in ascending order.

    The generalised inverse inf{x: F(x) >= c} of the losses' empirical distribution (McNeil, Frey, Embrechts,
    Quantitative Risk Management, 2015, definition 2.8). TooFew: less than one return lies in the tail.
    """
    whole, _ = _tail(returns, confidence)
    if whole < 1:
        return absent(returns.absence)
    return figure(-returns.ascending[whole])


def historical_expected_shortfall(returns: Returns, confidence: int) -> Figure:
    """-(r_(1) + ... + r_(w) + (m*a - w)*r_(w+1))/(m*a), a = 1-c, w = floor(m*a).

    Acerbi and Tasche, On the coherence of expected shortfall, J. Banking & Finance 26 (2002): the mean of the
    worst share a, a fraction of the next return included, so that it is coherent for any m.
    """
    whole, part = _tail(returns, confidence)
    if whole < 1:
        return absent(returns.absence)
    tail = fsum(returns.ascending[:whole]) + part * returns.ascending[whole]
    return figure(-tail / (whole + part))


def cornish_fisher_value_at_risk(returns: Returns, confidence: int) -> Figure:
    """-(mean + sd*x), x = z + (z^2-1)*S/6 + (z^3-3z)*K/24 - (2z^3-5z)*S^2/36.

    z: normal quantile of 1-c; S: skewness; K: excess kurtosis. Favre and Galeano, Mean-modified value-at-risk
    optimization with hedge funds, J. Alternative Investments 5(2) (2002).
    OutsideDomain: see `in_domain`.
    """
    shape = _usable_shape(returns, confidence)
    if not isinstance(shape, Shape):
        return shape
    z, skew, excess = NORMAL_QUANTILES[confidence], shape.skew, shape.excess
    expansion = (
        z + (z * z - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew * skew / 36
    )
    return figure(-(shape.mean + shape.deviation * expansion))


def cornish_fisher_expected_shortfall(returns: Returns, confidence: int) -> Figure:
    """-mean + sd*phi(z)/(1-c)*(1 + z*S/6 + (z^2-1)*K/24 - (2z^2-1)*S^2/36).

    The integral of the expansion over the tail; Maillard, A user's guide to the Cornish Fisher expansion
    (2012), section 3. phi: density of the normal distribution.
    """
    shape = _usable_shape(returns, confidence)
    if not isinstance(shape, Shape):
        return shape
    z, skew, excess = NORMAL_QUANTILES[confidence], shape.skew, shape.excess
    density = exp(-z * z / 2) / sqrt(2 * pi)
    weight = 1 + z * skew / 6 + (z * z - 1) * excess / 24 - (2 * z * z - 1) * skew * skew / 36
    return figure(-shape.mean + shape.deviation * density / (1 - confidence / 100) * weight)


def in_domain(skew: float, excess: float) -> bool:
    """Whether the expansion is a quantile function, that is, never falls.

    Its derivative (K/8 - S^2/6)*z^2 + S/3*z + 1 - K/8 + 5*S^2/36 must have no two roots and open upwards:
    S^2/9 - 4*(K/8 - S^2/6)*(1 - K/8 + 5*S^2/36) <= 0 (Maillard 2012, section 2). So |S| <= 6*(sqrt(2)-1),
    and 0 <= K <= 8 for S = 0.
    """
    leading = excess / 8 - skew * skew / 6
    constant = 1 - excess / 8 + 5 * skew * skew / 36
    return leading >= 0 and constant >= 0 and skew * skew / 9 - 4 * leading * constant <= 0


def tail_ratio(returns: Returns) -> Figure:
    """Gain that 5 percent of the periods reach over the loss that 5 percent reach: r_(m-w)/-r_(w+1).

    w = floor(m*0.05), both order statistics counted from their end. The `tail_ratio` of the empyrical
    library with order statistics instead of interpolated percentiles. NoTail: that return is 0 or a gain.
    """
    whole, _ = _tail(returns, 95)
    if whole < 1:
        return absent(returns.absence)
    loss, gain = -returns.ascending[whole], returns.ascending[len(returns) - 1 - whole]
    return figure(gain / loss) if loss > 0 else absent("NoTail")


def _tail(returns: Returns, confidence: int) -> tuple[int, float]:
    """The whole and the broken part of m*(1-c), in integers: 100*0.05 is not 5."""
    whole, rest = divmod(len(returns) * (100 - confidence), 100)
    return whole, rest / 100


def _usable_shape(returns: Returns, confidence: int) -> Shape | Figure:
    if _tail(returns, confidence)[0] < 1:
        return absent(returns.absence)
    if returns.shape is None:
        return absent("NoVariance")
    return returns.shape if in_domain(returns.shape.skew, returns.shape.excess) else absent("OutsideDomain")
