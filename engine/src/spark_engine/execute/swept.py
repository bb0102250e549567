"""A sweep before any data is read: what its sets are, and everything that can be said against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spark_engine.errors import BacktestError, InvalidSpec
from spark_engine.execute.check import Limits, Spec, account_and_strategy
from spark_engine.simulation.ledger import Account
from spark_engine.strategies.table import Strategy
from spark_engine.sweeps.space import Space, space


@dataclass(frozen=True, slots=True)
class CheckedSweep:
    """A sweep that can be carried out. `spec` is the resolved spec of the ParameterSweep."""

    spec: Spec
    limits: Limits | None
    account: Account
    strategy: Strategy
    space: Space


def check_sweep(spec: Spec, limits: Limits | None = None) -> CheckedSweep:
    """A resolved ParameterSweep with nothing left to decide but its data. Raises `BacktestError`.

    Sets that the strategy refuses are rows with an error, not errors of the sweep; a parameter that it does
    not have is one, and so is a condition that no set meets.
    """
    try:
        settings, strategy = account_and_strategy(spec["template"], limits)
    except BacktestError as error:
        raise type(error)(error.message, field=in_template(error.field)) from None
    integers = [parameter.name for parameter in strategy.parameters if parameter.type == "integer"]
    sets = space(spec, integers)
    _check_names(spec, sets.names, strategy)
    if next(sets.trials(), None) is None:
        raise InvalidSpec("no set meets the condition", field="spec.where")
    return CheckedSweep(spec, limits, settings, strategy, sets)


def trial_spec(spec: Spec, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of the single run of one set, as a resolved BacktestRun has it."""
    template = spec["template"]
    strategy = template["strategy"]
    return {**template, "strategy": {**strategy, "params": {**strategy["params"], **parameters}}}


def _check_names(spec: Spec, names: Sequence[str], strategy: Strategy) -> None:
    known = [parameter.name for parameter in strategy.parameters]
    for number, name in enumerate(names):
        if name not in known:
            field = f"spec.parameters[{number}].name" if "parameters" in spec else f"spec.sets[0].{name}"
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise InvalidSpec(f"{strategy.name} has no parameter {name}; {takes}", field=field)


def in_template(field: str | None) -> str | None:
    """The path of a field of a run's spec in that of a sweep."""
    return field if field is None else field.replace("spec", "spec.template", 1)
