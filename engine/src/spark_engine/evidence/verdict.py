"""Acceptance criteria of a run, judged on the figures as they are reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import ge, le
from typing import Any

from spark_engine.statistics.metric import Metric

# criterion in spec.verdict -> the metric it judges, and how a passing value compares with the limit
CRITERIA: dict[str, tuple[str, Callable[[Decimal, Decimal], bool]]] = {
    "minTrades": ("trades", ge),
    "minSharpe": ("sharpe", ge),
    "maxDrawdown": ("maxDrawdown", le),
}


def judge(
    verdict: Mapping[str, Any] | None, metrics: Mapping[str, Metric], *, bankrupt: bool
) -> dict[str, Any] | None:
    """Passed or failed, criterion by criterion; None where the spec asks for no verdict.

    A metric without a value fails its criterion, and a bankrupt run fails altogether. The order is that of
    `CRITERIA`: a recorded spec is written in another order than its author's.
    """
    if not verdict:
        return None
    criteria = [_judge_criterion(name, verdict[name], metrics) for name in CRITERIA if name in verdict]
    return {"passed": not bankrupt and all(row["passed"] for row in criteria), "criteria": criteria}


def _judge_criterion(name: str, limit: Any, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    metric_id, compare = CRITERIA[name]
    value = metrics[metric_id].value
    passed = value is not None and compare(Decimal(str(value)), Decimal(str(limit)))
    return {"criterion": name, "limit": limit, "value": value, "passed": passed}
