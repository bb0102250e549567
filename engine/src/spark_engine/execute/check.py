"""Everything that can be said against a run before any data is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_engine.execute.guardrails import check_symbol_allowed
from spark_engine.execute.resolved import check_resolved
from spark_engine.settings import account
from spark_engine.simulation.ledger import Account
from spark_engine.strategies.load import load
from spark_engine.strategies.registry import check_parameters
from spark_engine.strategies.shorts import check_shorts_allowed
from spark_engine.strategies.table import Parameters, Strategy

Spec = Mapping[str, Any]
Limits = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CheckedRun:
    """A spec that can be run: its strategy, and parameters with every default filled, in `spec` too."""

    spec: Spec
    limits: Limits | None
    account: Account
    strategy: Strategy
    parameters: Parameters


def check(spec: Spec, limits: Limits | None = None) -> CheckedRun:
    """The run with nothing left to decide but its data. Raises `BacktestError` naming the field."""
    settings, strategy = account_and_strategy(spec, limits)
    parameters = check_parameters(strategy, spec["strategy"].get("params") or {})
    check_shorts_allowed(parameters, allow_short=settings.allow_short)
    complete = {**spec, "strategy": {**spec["strategy"], "params": dict(parameters)}}
    return CheckedRun(complete, limits, settings, strategy, parameters)


def account_and_strategy(spec: Spec, limits: Limits | None) -> tuple[Account, Strategy]:
    """Of a resolved spec whose parameters are not looked at. Raises `BacktestError` naming the field."""
    check_resolved(spec)
    check_symbol_allowed(spec, limits or {})
    return account(spec, limits), load(spec["strategy"], spec["seed"])
