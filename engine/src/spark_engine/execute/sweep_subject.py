"""A sweep with its candles: everything that its trials need, and what pins it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from spark_engine.data.candles import Candles
from spark_engine.data.read import read_candles
from spark_engine.errors import BacktestError
from spark_engine.evidence.digests import candles_digest
from spark_engine.evidence.sweep_result import digested_sweep
from spark_engine.execute.check import Limits, Spec
from spark_engine.execute.look_ahead import UNPROBED, look_ahead
from spark_engine.execute.sweep_context import Earlier, read_earlier
from spark_engine.execute.swept import CheckedSweep, check_sweep, in_template
from spark_engine.execute.window import settled
from spark_engine.settings import candle_request, periods_per_year
from spark_engine.strategies.table import BUILT_IN_CODE, ProbeLevel
from spark_engine.sweeps.axis_types import ValueType, value_types
from spark_engine.sweeps.chosen import Chosen, choose
from spark_engine.sweeps.evaluate import Subject
from spark_engine.sweeps.measure import Measure, measure
from spark_engine.sweeps.windows import Window, windows
from spark_engine.version import SEMANTICS


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep that can be carried out over `candles`. `spec` has the end of its window settled."""

    spec: Spec
    checked: CheckedSweep
    candles: Candles
    chosen: Chosen
    types: Mapping[str, ValueType]
    subject: Subject
    measure: Measure
    windows: tuple[Window, ...]
    earlier: tuple[Earlier, ...]
    look_ahead: Mapping[str, Any] | None

    @property
    def identity(self) -> dict[str, Any]:
        """What two pieces of one sweep have in common: the first fields of its evidence."""
        return {
            "semantics": SEMANTICS,
            "spec": digested_sweep(self.spec, self.checked.limits, [each.digest for each in self.earlier]),
            "strategyCode": self.subject.strategy.code,
            "candles": candles_digest(self.candles),
        }

    @property
    def objective(self) -> tuple[str, Literal["Maximize", "Minimize"]]:
        objective = self.spec["objective"]
        return objective["metric"], objective["direction"]


def read_sweep(
    spec: Spec, limits: Limits | None, candles: Candles | None = None, probe: ProbeLevel = "quick"
) -> Sweep:
    """Checks a resolved ParameterSweep, reads its candles (if not given) and probes a strategy of the user's.

    Raises `BacktestError`.
    """
    checked = check_sweep(spec, limits)
    earlier = read_earlier(spec.get("selectionContext", ()))
    chosen = choose(spec, checked.space)
    template = spec["template"]
    try:
        candles = candles or read_candles(candle_request(template))
        annual = periods_per_year(template)
    except BacktestError as error:
        raise type(error)(error.message, field=in_template(error.field)) from None
    spec = {**spec, "template": settled(template, candles)}
    subject = Subject(
        strategy=checked.strategy,
        account=checked.account,
        fixed=template["strategy"].get("params") or {},
        seed=template["seed"],
    )
    bars = len(candles) - candles.warmup
    return Sweep(
        spec=spec,
        checked=replace(checked, spec=spec),
        candles=candles,
        chosen=chosen,
        types=value_types(checked.space),
        subject=subject,
        measure=measure(candles, checked.account, annual),
        windows=windows(spec, bars) if "walkForward" in spec else (),
        earlier=earlier,
        look_ahead=_look_ahead(subject, chosen, candles, probe),
    )


def _look_ahead(
    subject: Subject, chosen: Chosen, candles: Candles, level: ProbeLevel
) -> dict[str, Any] | None:
    """A strategy of the user's is probed once, with the first set that it takes."""
    if subject.strategy.code == BUILT_IN_CODE:
        return None
    for trial in chosen.ids():
        try:
            parameters = subject.parameters(chosen.space.parameters(trial))
        except BacktestError:
            continue
        return look_ahead(subject.strategy, candles, parameters, subject.seed, subject.account, level, trial)
    return dict(UNPROBED)
