"""Every fall from a peak of equity, and how it was made good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from spark_engine.statistics.risk_figure import rounded

DEEPEST = 10


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Bars of the peak, the lowest close after it, and the first close at or above it again (None: never).

    `depth` is 1 - E_trough/E_peak, as in SEMANTICS section 8.
    """

    peak: int
    trough: int
    recovery: int | None
    depth: float


def drawdowns(equity: Sequence[float], initial_cash: float) -> list[Drawdown]:
    """All of them, in order of time. The first peak is `initial_cash` at bar 0."""
    return list(_episodes(equity, initial_cash))


def _episodes(equity: Sequence[float], initial_cash: float) -> Iterator[Drawdown]:
    peak, peak_bar, low, low_bar = initial_cash, 0, initial_cash, 0
    for bar, value in enumerate(equity):
        if value >= peak:
            if low < peak:
                yield Drawdown(peak_bar, low_bar, bar, 1.0 - low / peak)
            peak = low = value
            peak_bar = bar
        elif value < low:
            low, low_bar = value, bar
    if low < peak:
        yield Drawdown(peak_bar, low_bar, None, 1.0 - low / peak)


def drawdown_table(ts: Sequence[int], equity: Sequence[float], initial_cash: float) -> list[dict[str, Any]]:
    """The ten deepest, the deepest first (equals: the earlier). Times are bar opens, ms UTC.

    `bars` counts from peak to recovery, to the last bar where there is none yet.
    """
    found = sorted(drawdowns(equity, initial_cash), key=lambda fall: (-fall.depth, fall.peak))
    return [_row(fall, ts) for fall in found[:DEEPEST]]


def _row(fall: Drawdown, ts: Sequence[int]) -> dict[str, Any]:
    end = len(ts) - 1 if fall.recovery is None else fall.recovery
    return {
        "depth": rounded(fall.depth),
        "peakTs": ts[fall.peak],
        "troughTs": ts[fall.trough],
        "recoveryTs": None if fall.recovery is None else ts[fall.recovery],
        "bars": end - fall.peak,
        "barsToTrough": fall.trough - fall.peak,
        "barsToRecovery": None if fall.recovery is None else fall.recovery - fall.trough,
        "seconds": (ts[end] - ts[fall.peak]) // 1000,
    }
