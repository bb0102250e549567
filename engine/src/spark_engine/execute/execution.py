"""One run, from resolved spec and candles to numbers and their digest. No clock, no files."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.errors import GuardrailBreach, InvalidSpec
from spark_engine.evidence.result import build_result
from spark_engine.execute.check import CheckedRun, Limits, Spec, check
from spark_engine.execute.window import first_bars
from spark_engine.settings import periods_per_year
from spark_engine.simulation.ledger import Account, Decisions, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.metric import Metric
from spark_engine.statistics.metrics import metrics


@dataclass(frozen=True, slots=True)
class Execution:
    """Everything that a run computed. `result` is the deterministic half of the evidence.

    `breach` is set where the policy Fail of the guardrails stopped the run: `candles` end with that bar.
    """

    spec: Spec
    candles: Candles
    account: Account
    ledger: Ledger
    benchmark: Ledger
    metrics: Mapping[str, Metric]
    result: Mapping[str, Any]
    breach: GuardrailBreach | None = None


def execute(spec: Spec, candles: Candles, limits: Limits | None = None) -> Execution:
    """Simulates `spec` over `candles`. Raises `BacktestError` for what the user can mend."""
    run = check(spec, limits)
    ledger = simulated(run, candles)
    seen = candles if ledger.stopped_bar is None else first_bars(candles, ledger.stopped_bar + 1)
    benchmark = simulate(seen, _buy_and_hold(), unrestrained(run.account))
    per_year = periods_per_year(spec)
    figures = metrics(ledger, seen, run.account, per_year)
    result = build_result(
        spec=run.spec,
        limits=limits,
        candles=candles,
        ledger=ledger,
        metrics=figures,
        benchmark=metrics(benchmark, seen, run.account, per_year),
        strategy_code=run.strategy.code,
        probe=None,
    )
    return Execution(
        spec=run.spec,
        candles=seen,
        account=run.account,
        ledger=ledger,
        benchmark=benchmark,
        metrics=figures,
        result=result,
        breach=_breach(result),
    )


def simulated(run: CheckedRun, candles: Candles) -> Ledger:
    """What the strategy decides, carried out."""
    if run.strategy.decide is None:
        raise InvalidSpec("event strategies are not carried out yet", field="spec.strategy.name")
    return simulate(candles, run.strategy.decide(candles, run.parameters), run.account)


def unrestrained(account: Account) -> Account:
    """The account of the benchmark: the same cash and costs, all in, without gates, lots or leverage."""
    return Account(
        initial_cash=account.initial_cash,
        maker_rate=account.maker_rate,
        taker_rate=account.taker_rate,
        slippage_rate=account.slippage_rate,
        fill_next_close=account.fill_next_close,
        close_at_end=account.close_at_end,
    )


def _buy_and_hold() -> Decisions:
    """One event: long from the first bar that may trade."""
    return Decisions(bar=memoryview(array("q", [0])), target=memoryview(array("d", [1.0])))


def _breach(result: Mapping[str, Any]) -> GuardrailBreach | None:
    stopped = result["checks"]["stoppedBar"]
    if stopped is None:
        return None
    event = result["guardrailEvents"][-1]
    return GuardrailBreach(
        f"bar {stopped} lost {event['value']:.6g}, the limit is {event['limit']}: the run stopped there "
        "(policy Fail)",
        field=f"guardrails.{event['gate']}",
    )
