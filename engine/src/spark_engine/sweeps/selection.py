"""What the selected trial is worth, each figure with its value or the reason why there is none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from spark_engine.statistics.selection import (
    SharpeRatios,
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_backtest_length,
    minimum_track_record,
    probabilistic_sharpe,
)
from spark_engine.statistics.selection_overfitting import LEAST_RETURNS, MOST_TRIALS, Overfitting

Figure = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Selected:
    """The best trial: Sharpe ratio per bar and annualised, skew and kurtosis of its `returns` bar returns.

    All None where it has no Sharpe ratio.
    """

    returns: int
    sharpe: float | None
    annual_sharpe: float | None
    skew: float | None
    kurtosis: float | None


@dataclass(frozen=True, slots=True)
class Counted:
    """The Sharpe ratios per bar of all trials that were looked at: of this sweep, of the training windows of
    its walk-forward, and of earlier sweeps."""

    own: SharpeRatios
    training: SharpeRatios
    earlier: SharpeRatios

    @property
    def all(self) -> SharpeRatios:
        return self.own.joined(self.training).joined(self.earlier)


NONE = SharpeRatios(0, 0, 0.0, 0.0)


def selection(
    best: Selected | None, counted: Counted, overfit: Overfitting | None, returns: int
) -> dict[str, Any]:
    """The statistics of SEMANTICS section 9, to 12 digits. `returns`: bar returns of a trial."""
    trials = counted.all
    return {
        "trials": {
            "sweep": counted.own.trials,
            "training": counted.training.trials,
            "earlier": counted.earlier.trials,
            "all": trials.trials,
        },
        "sharpeRatios": asdict(trials),
        "ownSharpeRatios": asdict(counted.own.joined(counted.training)),
        **_of_best(best, trials),
        "pbo": _figure(
            None if overfit is None else overfit.probability, _no_overfitting(counted.own.trials, returns)
        ),
        "negativeShare": _figure(
            None if overfit is None else overfit.negative, _no_overfitting(counted.own.trials, returns)
        ),
    }


def _of_best(best: Selected | None, trials: SharpeRatios) -> dict[str, Figure]:
    names = ("psr", "dsr", "minTrackRecordBars", "minBacktestYears")
    expected = expected_maximum_sharpe(trials)
    few = "TooFewTrials" if trials.trials < 2 else "NoVariance"
    found = {"expectedMaximumSharpe": _figure(expected, few)}
    if best is None or best.sharpe is None or best.skew is None or best.kurtosis is None:
        absent = "NoTrial" if best is None else "NoSharpe"
        return {**found, **{name: _figure(None, absent) for name in names}}
    sharpe, skew, kurtosis = best.sharpe, best.skew, best.kurtosis
    psr = probabilistic_sharpe(sharpe, best.returns, skew, kurtosis)
    shape = "ExtremeMoments"
    return {
        **found,
        "psr": _figure(psr, shape),
        "dsr": _figure(
            deflated_sharpe(sharpe, best.returns, skew, kurtosis, trials), few if expected is None else shape
        ),
        "minTrackRecordBars": _figure(
            minimum_track_record(sharpe, skew, kurtosis), "NotPositive" if sharpe <= 0.0 else shape
        ),
        "minBacktestYears": _figure(
            minimum_backtest_length(best.annual_sharpe or 0.0, trials.trials),
            "TooFewTrials" if trials.trials < 2 else "NotPositive",
        ),
    }


def _no_overfitting(trials: int, returns: int) -> str:
    if returns < LEAST_RETURNS:
        return "TooShort"
    return "TooManyTrials" if trials > MOST_TRIALS else "TooFewTrials"


def _figure(value: float | None, reason: str) -> Figure:
    if value is None:
        return {"value": None, "reason": reason}
    return {"value": float(f"{value:.12g}") + 0.0}
