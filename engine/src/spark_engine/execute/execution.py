"""One run, from resolved spec and candles to numbers and their digest. No clock, no files."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.errors import GuardrailBreach, InvalidSpec
from spark_engine.evidence.result import build_result
from spark_engine.execute.honoured import check_honoured, check_limits_honoured
from spark_engine.execute.resolved import check_resolved
from spark_engine.settings import account, periods_per_year, value_at
from spark_engine.simulation.ledger import Account, Decisions, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.metric import Metric
from spark_engine.statistics.metrics import metrics
from spark_engine.strategies.registry import Strategy, check_parameters, find

Spec = Mapping[str, Any]
Limits = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Execution:
    """Everything that a run computed. `result` is the deterministic half of the evidence."""

    spec: Spec
    candles: Candles
    account: Account
    ledger: Ledger
    benchmark: Ledger
    metrics: Mapping[str, Metric]
    result: Mapping[str, Any]


def check(spec: Spec, limits: Limits | None = None) -> tuple[Strategy, Mapping[str, Any]]:
    """The strategy and its checked parameters; raises before any data is read."""
    check_honoured(spec)
    check_resolved(spec)
    check_limits_honoured(limits or {})
    _check_symbol_allowed(spec, limits or {})
    strategy = find(str(value_at(spec, "strategy.name")))
    parameters = check_parameters(strategy, spec["strategy"].get("params") or {})
    _check_shorts_allowed(spec, parameters)
    return strategy, parameters


def execute(spec: Spec, candles: Candles, limits: Limits | None = None) -> Execution:
    """Simulates `spec` over `candles`. Raises `BacktestError` for what the user can mend."""
    strategy, parameters = check(spec, limits)
    settings = account(spec)
    if strategy.decide is None:
        raise InvalidSpec("event strategies are not carried out yet", field="spec.strategy.name")
    ledger = simulate(candles, strategy.decide(candles, parameters), settings)
    benchmark = simulate(candles, _buy_and_hold(), settings)
    per_year = periods_per_year(spec)
    figures = metrics(ledger, candles, settings, per_year)
    return Execution(
        spec=spec,
        candles=candles,
        account=settings,
        ledger=ledger,
        benchmark=benchmark,
        metrics=figures,
        result=build_result(
            spec=spec,
            limits=limits,
            candles=candles,
            ledger=ledger,
            metrics=figures,
            benchmark=metrics(benchmark, candles, settings, per_year),
        ),
    )


def _buy_and_hold() -> Decisions:
    """One event: long from the first bar that may trade."""
    return Decisions(bar=memoryview(array("q", [0])), target=memoryview(array("d", [1.0])))


def _check_symbol_allowed(spec: Spec, limits: Limits) -> None:
    allowed = limits.get("allowedSymbols")
    symbol = value_at(spec, "market.symbol")
    if allowed is not None and symbol not in allowed:
        raise GuardrailBreach(
            f"{symbol} is not allowed by the guardrails; allowed: {', '.join(allowed) or 'none'}",
            field="spec.market.symbol",
        )


def _check_shorts_allowed(spec: Spec, parameters: Mapping[str, Any]) -> None:
    if parameters.get("direction") == "long-short" and not spec["account"].get("allowShort", False):
        raise InvalidSpec(
            "long-short sells short: set spec.account.allowShort: true, or direction: long",
            field="spec.strategy.params.direction",
        )
