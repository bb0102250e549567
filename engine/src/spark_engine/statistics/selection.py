"""What the best of many trials is worth (SEMANTICS section 9). Figures for people: no digest covers them.

All Sharpe ratios are per bar, not annualised, and all moments are those of bar returns: skew 0 and kurtosis 3
for a normal distribution. None stands for "there is no such figure"; the docstring says when.

PSR and MinTRL: Bailey and Lopez de Prado, "The Sharpe ratio efficient frontier", Journal of Risk 15(2), 2012.
DSR: the same, "The deflated Sharpe ratio", Journal of Portfolio Management 40(5), 2014.
MinBTL: Bailey, Borwein, Lopez de Prado and Zhu, "Pseudo-mathematics and financial charlatanism", Notices of
the American Mathematical Society 61(5), 2014.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import erfc, fsum, sqrt
from statistics import NormalDist

EULER_MASCHERONI = 0.5772156649015329
E = 2.718281828459045
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class SharpeRatios:
    """Of the trials of one sweep or several: how many there were, and of the `defined` Sharpe ratios per bar
    the mean and the sum of squared deviations from it."""

    trials: int
    defined: int
    mean: float
    squares: float

    def variance(self) -> float | None:
        """With ddof 1; None below two values."""
        return self.squares / (self.defined - 1) if self.defined >= 2 else None

    def joined(self, other: SharpeRatios) -> SharpeRatios:
        """Both together, as if they had been one (Chan, Golub and LeVeque, 1979)."""
        trials, defined = self.trials + other.trials, self.defined + other.defined
        if not defined:
            return SharpeRatios(trials, 0, 0.0, 0.0)
        shift = other.mean - self.mean
        return SharpeRatios(
            trials,
            defined,
            self.mean + shift * other.defined / defined,
            self.squares + other.squares + shift * shift * self.defined * other.defined / defined,
        )


def sharpe_ratios(values: Iterable[float | None]) -> SharpeRatios:
    """Of one sweep: a value a trial, None where it has no Sharpe ratio."""
    found = list(values)
    defined = [value for value in found if value is not None]
    if not defined:
        return SharpeRatios(len(found), 0, 0.0, 0.0)
    if min(defined) == max(defined):  # their mean may be off by a rounding, and then they would vary
        return SharpeRatios(len(found), len(defined), defined[0], 0.0)
    mean = fsum(defined) / len(defined)
    return SharpeRatios(len(found), len(defined), mean, fsum((value - mean) ** 2 for value in defined))


def probabilistic_sharpe(
    sharpe: float, returns: int, skew: float, kurtosis: float, benchmark: float = 0.0
) -> float | None:
    """PSR: the probability that the true Sharpe ratio is above `benchmark`.

    PSR(x) = Phi((SR - x)*sqrt(m - 1)/sqrt(1 - g3*SR + (g4 - 1)/4*SR^2)), m = `returns`,
    Phi(z) = erfc(-z/sqrt 2)/2. None where the radicand is not above 0 or m < 2.
    """
    radicand = _radicand(sharpe, skew, kurtosis)
    if radicand <= 0.0 or returns < 2:
        return None
    return erfc(-((sharpe - benchmark) * sqrt(returns - 1) / sqrt(radicand)) / sqrt(2.0)) / 2.0


def expected_maximum_sharpe(ratios: SharpeRatios) -> float | None:
    """SR0: the Sharpe ratio that the best of N trials without any skill is expected to show.

    SR0 = sqrt(V)*((1 - c)*Z(1 - 1/N) + c*Z(1 - 1/(N*e))), V = variance of the trials' Sharpe ratios, c = the
    Euler-Mascheroni constant. N counts every trial as independent, which is conservative: trials that
    resemble each other are fewer. None where N < 2, or V is 0 or undefined.
    """
    variance = ratios.variance()
    if ratios.trials < 2 or variance is None or variance <= 0.0:
        return None
    return sqrt(variance) * _expected_maximum(ratios.trials)


def deflated_sharpe(
    sharpe: float, returns: int, skew: float, kurtosis: float, ratios: SharpeRatios
) -> float | None:
    """DSR = PSR(SR0): the probability that the best trial is better than the best of as many by chance.

    sharpe, skew, kurtosis: of the selected trial. None where SR0 or PSR is.
    """
    benchmark = expected_maximum_sharpe(ratios)
    if benchmark is None:
        return None
    return probabilistic_sharpe(sharpe, returns, skew, kurtosis, benchmark)


def minimum_track_record(
    sharpe: float, skew: float, kurtosis: float, benchmark: float = 0.0, significance: float = 0.05
) -> float | None:
    """MinTRL: the number of bars from which on PSR(benchmark) >= 1 - significance.

    1 + (1 - g3*SR + (g4 - 1)/4*SR^2)*(Z(1 - a)/(SR - SR*))^2. None where SR <= SR* (no length is enough) or
    the radicand is not above 0.
    """
    radicand = _radicand(sharpe, skew, kurtosis)
    if sharpe <= benchmark or radicand <= 0.0:
        return None
    quantile = NORMAL.inv_cdf(1.0 - significance)
    return 1.0 + radicand * (quantile / (sharpe - benchmark)) ** 2


def minimum_backtest_length(annual_sharpe: float, trials: int) -> float | None:
    """MinBTL in years: in a shorter backtest, the best of `trials` without skill is expected to show
    `annual_sharpe` or more.

    (((1 - c)*Z(1 - 1/N) + c*Z(1 - 1/(N*e)))/SR)^2, SR annualised. None where N < 2 or SR is not above 0.
    """
    if trials < 2 or annual_sharpe <= 0.0:
        return None
    return (_expected_maximum(trials) / annual_sharpe) ** 2


def _radicand(sharpe: float, skew: float, kurtosis: float) -> float:
    return 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe


def _expected_maximum(trials: int) -> float:
    """Of `trials` independent standard normal draws, to first order; trials >= 2."""
    ordinary = NORMAL.inv_cdf(1.0 - 1.0 / trials)
    extreme = NORMAL.inv_cdf(1.0 - 1.0 / (trials * E))
    return (1.0 - EULER_MASCHERONI) * ordinary + EULER_MASCHERONI * extreme
