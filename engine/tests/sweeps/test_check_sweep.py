"""What the engine says of a sweep before it reads data, and what the run of one set is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from spark_crds.schema import field_schema
from spark_engine.command.main import main
from spark_engine.errors import BacktestError, InvalidSpec
from spark_engine.execute.check import check
from spark_engine.execute.manifest import resolve_run, resolved_spec
from spark_engine.execute.swept import check_sweep, trial_spec
from spark_engine.statistics.definitions import DEFINITIONS

SWEEP = """\
apiVersion: spark.trading/v1alpha1
kind: ParameterSweep
metadata: {name: grid}
spec:
  template:
    strategy: {name: sma-cross}
    market: {symbol: BTCUSDT, timeframe: 1h}
    data: {uri: "sample://btcusdt-1h"}
  parameters:
  - {name: fast, logRange: {start: 5, stop: 50, num: 6}}
  - {name: slow, range: {start: 20, stop: 200, step: 20}}
  where: fast * 2 <= slow
"""


def resolved(**changes: Any) -> dict[str, Any]:
    from spark_engine.execute.manifest import load_object

    manifest = load_object(SWEEP.encode(), "sweep.yaml")
    manifest["spec"].update(changes)
    return resolved_spec(manifest, "ParameterSweep")


def test_the_run_of_a_set_is_a_run_that_the_engine_takes() -> None:
    sweep = check_sweep(resolved())
    first = next(sweep.space.trials())
    checked = check(trial_spec(sweep.spec, sweep.space.parameters(first)))
    assert dict(checked.parameters) == {"fast": 5, "slow": 20, "direction": "long"}


def test_a_log_range_of_whole_numbers_follows_what_the_strategy_declares() -> None:
    sweep = check_sweep(resolved())
    assert [sweep.space.values(trial)[0] for trial in range(0, sweep.space.size, 10)] == [
        5,
        8,
        13,
        20,
        32,
        50,
    ]


def test_a_condition_that_no_set_meets_is_an_error() -> None:
    with pytest.raises(InvalidSpec, match="no set meets the condition") as caught:
        check_sweep(resolved(where="fast > slow and slow > 50"))
    assert caught.value.field == "spec.where"


def test_what_is_wrong_in_the_template_is_named_there() -> None:
    with pytest.raises(BacktestError) as caught:
        check_sweep(resolved(), {"allowedSymbols": ["ETHUSDT"]})
    assert caught.value.field == "spec.template.market.symbol"


def test_a_sweep_is_no_run() -> None:
    from spark_engine.execute.manifest import load_object

    with pytest.raises(InvalidSpec, match="must be BacktestRun here, is ParameterSweep"):
        resolve_run(load_object(SWEEP.encode(), "sweep.yaml"))


def test_validate_knows_all_five_kinds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = """\
---
apiVersion: spark.trading/v1alpha1
kind: GuardrailConfig
metadata: {name: default}
spec: {proposer: alice, limits: {maxNotional: "100000"}}
---
apiVersion: spark.trading/v1alpha1
kind: GuardrailApproval
metadata: {name: vote}
spec:
  configRef: {name: default, uid: de59f4cb-62c4-4d45-a42e-2d54b7afe097, generation: 1}
  revision: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  decision: Approve
  approver: bob
  reason: seen
---
apiVersion: spark.trading/v1alpha1
kind: MarketDataFeed
metadata: {name: btcturk-spot}
spec: {provider: btcturk-spot, symbols: [BTCTRY], storage: {uri: archive}}
"""
    file = tmp_path / "all.yaml"
    file.write_text(SWEEP + others)
    assert main(["validate", "-f", str(file)]) == 0
    assert capsys.readouterr().out.count(" is valid") == 4
    file.write_text(SWEEP.replace("name: slow", "name: slwo"))
    assert main(["validate", "-f", str(file)]) == 10
    assert (
        'spec.parameters[1].name: sma-cross has no such parameter (did you mean "slow"?)'
        in capsys.readouterr().err
    )


def test_every_objective_of_the_schema_is_a_metric_of_the_engine() -> None:
    allowed = field_schema("ParameterSweep", "spec.objective.metric")["enum"]
    assert allowed
    assert set(allowed) <= set(DEFINITIONS)
