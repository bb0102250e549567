"""Every fall from a peak of equity, and how it was made good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from spark_engine.data.rows import zeros
from spark_engine.statistics import passes
from spark_engine.statistics.risk_columns import column, greatest_rows
from spark_engine.statistics.risk_figure import rounded

DEEPEST = 10


class Drawdown(NamedTuple):
    """Bars of the peak, the lowest close after it, and the first close at or above it again (None: never).

    `depth` is 1 - E_trough/E_peak, as in SEMANTICS section 8.
    """

    peak: int
    trough: int
    recovery: int | None
    depth: float


class Episodes(NamedTuple):
    """All drawdowns in order of time, as columns. A recovery of -1 is none."""

    peak: memoryview
    trough: memoryview
    recovery: memoryview
    depth: memoryview

    def at(self, row: int) -> Drawdown:
        recovery = self.recovery[row]
        return Drawdown(self.peak[row], self.trough[row], None if recovery < 0 else recovery, self.depth[row])


def drawdowns(equity: Sequence[float], initial_cash: float) -> list[Drawdown]:
    """All of them, in order of time. The first peak is `initial_cash` at bar 0."""
    found = _episodes(column("d", equity), initial_cash)
    return [found.at(row) for row in range(len(found.depth))]


def drawdown_table(ts: memoryview, equity: memoryview, initial_cash: float) -> list[dict[str, Any]]:
    """The ten deepest, the deepest first (equals: the earlier). Times are bar opens, ms UTC.

    `bars` counts from peak to recovery, to the last bar where there is none yet.
    """
    found = _episodes(equity, initial_cash)
    return [_row(found.at(row), ts) for row in greatest_rows(found.depth, DEEPEST)]


def _episodes(equity: memoryview, initial_cash: float) -> Episodes:
    rows = len(equity) // 2 + 1  # each takes a bar below the peak and one that is not
    peak, trough, recovery, depth = zeros("q", rows), zeros("q", rows), zeros("q", rows), zeros("d", rows)
    count = passes.episodes(equity, initial_cash, peak, trough, recovery, depth)
    return Episodes(peak[:count], trough[:count], recovery[:count], depth[:count])


def _row(fall: Drawdown, ts: memoryview) -> dict[str, Any]:
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
