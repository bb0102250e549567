"""Acceptance criteria are judged on the figures as they are reported."""

from __future__ import annotations

from spark_engine.evidence.verdict import judge
from spark_engine.statistics.metric import Metric

FIGURES = {
    "trades": Metric("trades", 30),
    "sharpe": Metric("sharpe", 0.5),
    "maxDrawdown": Metric("maxDrawdown", 0.35),
}
CRITERIA = {"minTrades": 30, "minSharpe": "0.5", "maxDrawdown": "0.35"}


def test_a_figure_that_equals_its_limit_passes() -> None:
    verdict = judge(CRITERIA, FIGURES, bankrupt=False)
    assert verdict is not None
    assert verdict["passed"] is True
    assert [row["passed"] for row in verdict["criteria"]] == [True, True, True]


def test_one_criterion_that_fails_fails_the_verdict_and_is_named() -> None:
    verdict = judge(
        CRITERIA, FIGURES | {"maxDrawdown": Metric("maxDrawdown", 0.350000000001)}, bankrupt=False
    )
    assert verdict is not None
    assert verdict["passed"] is False
    assert [row["criterion"] for row in verdict["criteria"] if not row["passed"]] == ["maxDrawdown"]


def test_a_metric_without_a_value_fails_its_criterion() -> None:
    verdict = judge(
        {"minSharpe": "-100"}, FIGURES | {"sharpe": Metric("sharpe", None, "NoVariance")}, bankrupt=False
    )
    assert verdict is not None
    assert verdict["passed"] is False


def test_a_bankrupt_run_fails_every_verdict() -> None:
    verdict = judge({"minTrades": 1}, FIGURES, bankrupt=True)
    assert verdict is not None
    assert verdict["passed"] is False


def test_no_criteria_no_verdict() -> None:
    assert judge(None, FIGURES, bankrupt=False) is None
    assert judge({}, FIGURES, bankrupt=False) is None


def test_criteria_come_in_one_order_whatever_that_of_the_spec() -> None:
    """Else a run and its repetition from the recorded spec would differ."""
    verdicts = [
        judge({name: CRITERIA[name] for name in names}, FIGURES, bankrupt=False)
        for names in (["minTrades", "minSharpe", "maxDrawdown"], ["maxDrawdown", "minSharpe", "minTrades"])
    ]
    assert verdicts[0] == verdicts[1]
