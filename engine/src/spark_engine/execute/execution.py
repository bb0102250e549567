"""One run, from checked spec and candles to numbers and their digest. No clock, no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.errors import GuardrailBreach
from spark_engine.evidence.result import build_result
from spark_engine.execute.check import CheckedRun, Spec
from spark_engine.execute.look_ahead import look_ahead
from spark_engine.execute.window import first_bars
from spark_engine.settings import periods_per_year
from spark_engine.simulation.ledger import Account, Ledger
from spark_engine.statistics.metric import Metric
from spark_engine.statistics.metrics import metrics
from spark_engine.strategies import buy_and_hold
from spark_engine.strategies.simulate import simulate_strategy
from spark_engine.strategies.table import ProbeLevel


@dataclass(frozen=True, slots=True)
class Execution:
    """Everything that a run computed. `result` is the deterministic half of the evidence.

    `breach` is set where the policy Fail of the guardrails stopped the run: `candles` end with that bar.
    """

    run: CheckedRun
    candles: Candles
    ledger: Ledger
    benchmark: Ledger
    metrics: Mapping[str, Metric]
    result: Mapping[str, Any]
    breach: GuardrailBreach | None = None

    @property
    def spec(self) -> Spec:
        return self.run.spec

    @property
    def account(self) -> Account:
        return self.run.account


def execute(run: CheckedRun, candles: Candles, probe: ProbeLevel = "quick") -> Execution:
    """Simulates `run` over `candles`. Raises `BacktestError` for what the user can mend."""
    seed = run.spec["seed"]
    probed = look_ahead(run.strategy, candles, run.parameters, seed, run.account, probe)
    ledger = simulate_strategy(run.strategy, candles, run.account, run.parameters, seed)
    seen = candles if ledger.stopped_bar is None else first_bars(candles, ledger.stopped_bar + 1)
    benchmark = simulate_strategy(buy_and_hold.STRATEGY, seen, unrestrained(run.account), {})
    per_year = periods_per_year(run.spec)
    figures = metrics(ledger, seen, run.account, per_year)
    result = build_result(
        spec=run.spec,
        limits=run.limits,
        candles=candles,
        ledger=ledger,
        metrics=figures,
        benchmark=metrics(benchmark, seen, run.account, per_year),
        strategy_code=run.strategy.code,
        look_ahead=probed,
    )
    return Execution(
        run=run,
        candles=seen,
        ledger=ledger,
        benchmark=benchmark,
        metrics=figures,
        result=result,
        breach=_breach(result),
    )


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
