"""One module a kind: how it is observed, and which core decides."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry

from spark_operator.configuration.model import Configuration
from spark_operator.controllers.backtestrun import BacktestRuns
from spark_operator.controllers.run_metrics import RunMetrics
from spark_operator.runtime.kind import Kind


def kinds(configuration: Callable[[], Configuration], registry: CollectorRegistry) -> tuple[Kind, ...]:
    """Every kind that this operator reconciles."""
    return (BacktestRuns(configuration, RunMetrics(registry)),)
