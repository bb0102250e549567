"""DELETE /api/backtest/cancel/{id}."""

from __future__ import annotations

import threading

import pytest
from spark_operator.api.handlers import cancel as handler

from api.memory import MemoryCluster, conditions, ended
from api.serving import Api

CANCELLED = conditions(("Failed", "True", "Cancelled"), ("Stalled", "True", "Cancelled"))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a run is waited for until it comes, on a busy machine too."""
    monkeypatch.setattr(handler, "WAIT_SECONDS", 15.0)


def cancel(api: Api, name: str, **options: object) -> object:
    return api.ask("DELETE", f"/api/backtest/cancel/{name}", **options)


@pytest.mark.usefixtures("patient")
def test_a_run_that_ends_soon_is_told_as_failed_by_cancel(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one")
    cluster.state.on_patch = lambda _: threading.Timer(0.1, cluster.set_status, ("one", CANCELLED)).start()
    answer = cancel(api, "one")
    assert answer.status == 200
    expected = {"ok": True, "id": "one", "status": "failed", "reason": "Cancelled"}
    assert expected.items() <= answer.json.items()
    assert cluster.state.runs["quant", "one"]["spec"]["cancel"] is True


def test_a_run_that_takes_longer_answers_202_with_where_it_is(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one", status=conditions(("Reconciling", "True", "Running")))
    answer = cancel(api, "one")
    assert (answer.status, answer.json["status"]) == (202, "running")


def test_a_run_that_ended_before_answers_409_with_its_real_status(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one", status=ended("Complete", "Succeeded"))
    answer = cancel(api, "one")
    assert answer.status == 409
    assert (answer.json["runStatus"], answer.json["reason"]) == ("done", "AlreadyEnded")
    assert cluster.state.runs["quant", "one"]["spec"]["cancel"] is False


@pytest.mark.usefixtures("patient")
def test_a_run_that_finished_all_the_same_answers_409(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one")
    cluster.state.on_patch = lambda _: cluster.set_status("one", ended("Complete", "Succeeded"))
    answer = cancel(api, "one")
    assert (answer.status, answer.json["runStatus"]) == (409, "done")


def test_a_second_cancel_answers_409_cancelled(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one", status=CANCELLED)
    answer = cancel(api, "one")
    assert (answer.status, answer.json["runReason"]) == (409, "Cancelled")


@pytest.mark.usefixtures("patient")
def test_a_run_that_is_deleted_meanwhile_is_404(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one")
    cluster.state.on_patch = lambda _: threading.Timer(0.1, cluster.remove, ("one",)).start()
    assert cancel(api, "one").status == 404


def test_an_unknown_run_is_404(api: Api) -> None:
    assert cancel(api, "none").status == 404


def test_who_may_only_view_is_refused_in_the_servers_words(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one")
    answer = cancel(api, "one", bearer="bob-token")
    assert answer.status == 403
    assert answer.json["detail"].startswith(
        'backtestruns.spark.trading "one" is forbidden: User "bob" cannot patch'
    )


def test_if_match_refuses_a_run_that_changed(api: Api, cluster: MemoryCluster) -> None:
    old = cluster.add("one")["metadata"]["resourceVersion"]
    cluster.set_status("one", conditions(("Reconciling", "True", "Running")))
    assert cancel(api, "one", headers={"If-Match": f'"{old}"'}).status == 412
    new = cluster.state.runs["quant", "one"]["metadata"]["resourceVersion"]
    assert cancel(api, "one", headers={"If-Match": f'"{new}"'}).status == 202
