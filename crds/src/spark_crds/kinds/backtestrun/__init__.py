"""BacktestRun (btr): one immutable backtest."""

from __future__ import annotations

from spark_crds.kinds.backtestrun.kind import BacktestRun
from spark_crds.kinds.backtestrun.spec import BacktestRunSpec
from spark_crds.kinds.backtestrun.status import BacktestRunStatus

__all__ = ["BacktestRun", "BacktestRunSpec", "BacktestRunStatus"]
