"""docs/gitops.md: what Argo CD and Flux are told about a run is what its status means."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
import yaml
from spark_crds.kinds.backtestrun.kind import DEFINITION
from spark_crds.rules import program
from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.status import State, status_of
from spark_operator.core.conditions import Condition, Truth

from docs.tables import LONG_AGO, kstatus
from tests.places import CHECKOUT

BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ARGO_CD = {
    State.PENDING: "Progressing",
    State.RUNNING: "Progressing",
    State.SUSPENDED: "Suspended",
    State.SUCCEEDED: "Healthy",
    State.FAILED: "Degraded",
    State.CANCELLED: "Degraded",
}
NEW: dict[str, Any] = {"metadata": {"generation": 1}, "status": dict(DEFINITION.status_default)}


def run_in(state: State, verdict: tuple[Condition, ...] = (), generation: int = 1) -> dict[str, Any]:
    """A run whose status is about generation 1, as the operator writes it."""
    status = status_of(
        {"metadata": {"generation": 1}}, state, Reason.STARTING, "why", LONG_AGO, observations=verdict
    )
    return {"metadata": {"generation": generation}, "status": status}


@pytest.fixture(scope="module")
def documented() -> list[dict[str, Any]]:
    return [yaml.safe_load(block) for block in BLOCK.findall((CHECKOUT / "docs" / "gitops.md").read_text())]


@pytest.fixture(scope="module")
def argo_cd(documented: list[dict[str, Any]]) -> Any:
    """Health of an object by the documented script."""
    lupa = pytest.importorskip("lupa.lua51", reason="no Lua interpreter: pip install lupa")
    lua = lupa.LuaRuntime()
    script = documented[0]["data"]["resource.customizations.health.spark.trading_BacktestRun"]
    function = lua.eval(f"function(obj) {script} end")
    return lambda run: dict(function(lua.table_from(run, recursive=True)))


@pytest.fixture(scope="module")
def flux(documented: list[dict[str, Any]]) -> Any:
    """Which of the documented expressions are true of an object."""
    (check,) = documented[1]["spec"]["healthCheckExprs"]
    names = {"inProgress": "InProgress", "failed": "Failed", "current": "Current"}
    return lambda run: [word for name, word in names.items() if program(check[name]).execute(run)]


@pytest.mark.parametrize("state", State)
def test_argo_cd_shows_each_phase_with_reason_and_message(argo_cd: Any, state: State) -> None:
    assert argo_cd(run_in(state)) == {"status": ARGO_CD[state], "message": "Starting: why"}


@pytest.mark.parametrize("state", State)
def test_argo_cd_waits_while_a_status_is_about_an_older_spec(argo_cd: Any, state: State) -> None:
    assert argo_cd(run_in(state, generation=2))["status"] == "Progressing"


def test_argo_cd_does_not_take_a_run_that_nobody_saw_for_healthy(argo_cd: Any) -> None:
    assert argo_cd(NEW)["status"] == "Progressing"
    assert argo_cd({"metadata": {"generation": 1}})["status"] == "Progressing"


@pytest.mark.parametrize(("state", "generation"), list(product(State, (1, 2))), ids=str)
def test_flux_reads_every_phase_as_kstatus_does(flux: Any, state: State, generation: int) -> None:
    run = run_in(state, generation=generation)
    assert flux(run) == [kstatus(run["status"], generation)]


@pytest.mark.parametrize(("passed", "word"), [("True", "Current"), ("False", "Failed")])
def test_flux_fails_with_a_verdict_and_is_content_with_a_good_one(
    flux: Any, passed: Truth, word: str
) -> None:
    verdict = Condition("VerdictPassed", passed, Reason.CRITERIA_MET)
    assert flux(run_in(State.SUCCEEDED, (verdict,))) == [word]
    assert flux(run_in(State.SUCCEEDED, (verdict,), generation=2)) == ["InProgress"]


def test_flux_waits_for_a_run_that_nobody_saw(flux: Any) -> None:
    assert flux(NEW) == ["InProgress"]
