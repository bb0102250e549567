"""A resolved sweep: the template as a run, and nothing decided that the sweep decides."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from spark_crds.resolve import resolve, swept_names


@pytest.fixture
def sweep(base_of: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    return base_of("objects_parametersweep")


def test_the_template_resolves_as_a_run_but_for_what_is_swept(
    sweep: dict[str, Any], manifest: dict[str, Any]
) -> None:
    template, run = resolve(sweep)["template"], resolve(manifest)
    assert template["strategy"] == {"name": "sma-cross", "params": {"direction": "long"}}
    assert {**template, "strategy": None} == {
        **{name: run[name] for name in template},
        "strategy": None,
    }


def test_a_swept_parameter_gets_no_default(sweep: dict[str, Any]) -> None:
    sweep["spec"]["template"]["strategy"] = {"name": "rsi", "params": {"period": 9}}
    sweep["spec"]["parameters"] = [{"name": "lower", "values": [20, 25.0]}]
    strategy = resolve(sweep)["template"]["strategy"]
    assert strategy["params"] == {"period": 9, "upper": 70, "direction": "long"}


def test_the_defaults_of_a_sweep_are_those_of_the_design(sweep: dict[str, Any]) -> None:
    spec = resolve(sweep)
    assert spec["search"] == {"mode": "Grid", "seed": 0}
    assert spec["objective"] == {"metric": "sharpe", "direction": "Maximize"}
    assert (spec["shards"], spec["maxFailedShards"], spec["suspend"], spec["cancel"]) == (1, 0, False, False)


def test_numbers_of_ranges_have_one_form(sweep: dict[str, Any]) -> None:
    sweep["spec"]["parameters"][1]["range"] = {"start": 20, "stop": "050.00", "step": "10.0"}
    assert resolve(sweep)["parameters"][1]["range"] == {"start": "20", "stop": "50", "step": "10"}
    assert resolve(sweep)["parameters"][0]["values"] == [5, 9, 13]


def test_an_alias_is_resolved_in_the_template(sweep: dict[str, Any]) -> None:
    aliased = copy.deepcopy(sweep)
    aliased["spec"]["template"]["strategy"]["name"] = "smaCross"
    assert resolve(aliased) == resolve(sweep)


def test_the_platforms_defaults_reach_sweep_and_template(sweep: dict[str, Any]) -> None:
    platform = {"account": {"initialCash": "500"}, "execution": {"takerFeeBps": "3"}, "retries": 0}
    sweep["spec"]["template"]["account"] = {"currency": "TRY"}
    spec = resolve(sweep, platform)
    assert spec["retries"] == 0
    account = spec["template"]["account"]
    assert (account["initialCash"], account["currency"]) == ("500", "TRY")
    assert spec["template"]["execution"]["takerFeeBps"] == "3"
    assert "account" not in spec


def test_the_swept_names_are_in_the_order_of_the_spec(sweep: dict[str, Any]) -> None:
    assert swept_names(resolve(sweep)) == ("fast", "slow")
    listed = copy.deepcopy(sweep)
    del listed["spec"]["parameters"]
    listed["spec"]["sets"] = [{"slow": 20, "fast": 5}]
    assert swept_names(resolve(listed)) == ("slow", "fast")


def test_limits_of_a_guardrail_config_have_one_form(base_of: Callable[[str], dict[str, Any]]) -> None:
    config = base_of("objects_guardrailconfig")
    config["spec"]["limits"] = {"maxNotional": "0100.50", "maxDrawdown": "0.20"}
    assert resolve(config)["limits"] == {"maxNotional": "100.5", "maxDrawdown": "0.2", "policy": "Halt"}
