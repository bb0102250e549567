"""From a new run to a pod: refusals, waiting, suspending, and what is said while nothing starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from spark_crds.validate import server_violations
from spark_operator.core.backtestrun.decide import refused
from spark_operator.core.backtestrun.observed import ObservedRun
from spark_operator.core.plan import ClearJobStartTime, SuspendJob
from spark_operator.core.slots import Place

Worlds = Callable[..., Any]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"strategy": {"name": "sma-cros"}}, 'spec.strategy.name: unknown strategy "sma-cros"'),
        ({"data": {"uri": "/home/me/x.csv"}}, 'spec.data.uri: "/home/me/x.csv" cannot be read from a pod'),
        (
            {"data": {"feedRef": {"name": "btcturk"}}},
            "spec.data.feedRef: market data feeds are not there yet",
        ),
        ({"engine": {"image": "evil:1"}}, 'spec.engine.image: "evil:1" is not allowed here'),
        ({"engine": {"priorityClassName": "high"}}, "spec.engine.priorityClassName"),
        ({"engine": {"queueName": "fast"}}, "spec.engine.queueName"),
        ({"engine": {"nodeSelector": {"disk": "ssd"}}}, "spec.engine.nodeSelector"),
        ({"engine": {"tolerations": [{"operator": "Exists"}]}}, "spec.engine.tolerations[0].key"),
    ],
)
def test_what_cannot_be_run_ends_before_a_job_and_names_the_field(
    world: Worlds, spec: dict[str, Any], told: str
) -> None:
    w = world(**spec)
    assert w.step().actions == ()
    assert w.condition("Failed") == ("True", "InvalidSpec")
    assert w.text("Failed").startswith(told)
    assert "jobName" not in w.status
    assert list(server_violations(w.run)) == []


def test_wishes_on_the_list_are_granted(world: Worlds) -> None:
    engine = {
        "image": "ghcr.io/quants/mine@sha256:" + "a" * 64,
        "priorityClassName": "batch",
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "batch", "operator": "Exists"}],
        "resources": {"limits": {"memory": "4Gi"}},
    }
    allowed = {
        "image": "engine:1",
        "allowedImages": ["ghcr.io/quants/*"],
        "allowedPriorityClasses": ["batch"],
        "allowedNodeSelectorKeys": ["disk"],
        "allowedTolerationKeys": ["batch"],
    }
    w = world({"engine": allowed}, engine=engine)
    w.step()
    pod = w.step().actions[0].manifest["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["image"] == w.status["intent"]["image"] == engine["image"]
    assert container["resources"] == engine["resources"]
    assert (pod["priorityClassName"], pod["nodeSelector"]) == ("batch", {"disk": "ssd"})
    assert pod["tolerations"] == engine["tolerations"]


def test_a_node_selector_of_the_run_is_above_that_of_every_run(world: Worlds) -> None:
    engine = {
        "image": "engine:1",
        "nodeSelector": {"disk": "hdd", "pool": "batch"},
        "allowedNodeSelectorKeys": ["disk"],
    }
    w = world({"engine": engine}, engine={"nodeSelector": {"disk": "ssd"}})
    w.step()
    pod = w.step().actions[0].manifest["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"disk": "ssd", "pool": "batch"}


def test_a_job_that_the_api_server_refuses_ends_the_run_in_its_words(world: Worlds) -> None:
    w = world()
    w.step()
    words = "requests: must be less than the limit"
    plan = refused(ObservedRun(w.run), words, w.now, w.configuration, for_good=True)
    w.run["status"] = plan.status
    assert w.condition("Failed") == ("True", "InvalidSpec")
    assert w.text("Failed") == "the API server refuses the Job: requests: must be less than the limit"
    assert w.condition("Reconciling") is None
    assert [event.reason for event in plan.events] == ["InvalidSpec"]
    assert list(server_violations(w.run)) == []


def test_a_job_that_is_forbidden_holds_the_run_and_says_why(world: Worlds) -> None:
    w = world()
    w.step()
    plan = refused(ObservedRun(w.run), "exceeded quota: jobs", w.now, w.configuration, for_good=False)
    w.run["status"] = plan.status
    assert w.condition("Reconciling") == ("True", "JobForbidden")
    assert w.text("Ready") == "exceeded quota: jobs"
    assert plan.requeue_after == 30
    assert w.step().actions != ()


def test_a_spec_that_a_newer_operator_cannot_resolve_ends_before_a_job(world: Worlds) -> None:
    w = world()
    w.step()
    w.run["spec"] = {**w.run["spec"], "strategy": {"name": "sma-cross", "params": {"gone": 1}}}
    assert w.step().actions == ()
    assert w.condition("Failed") == ("True", "InvalidSpec")
    assert "gone" in w.text("Failed")


def test_a_named_guardrail_config_without_a_revision_holds_the_run(world: Worlds) -> None:
    w = world(guardrailRef={"name": "strict"})
    w.step()
    assert w.condition("Reconciling") == ("True", "NoEffectiveRevision")
    assert 'GuardrailConfig "strict"' in w.text("Ready")
    assert "jobName" not in w.status


def test_the_operator_may_demand_guardrails(world: Worlds) -> None:
    w = world({"guardrails": {"required": True}})
    w.step()
    assert w.condition("Reconciling") == ("True", "NoEffectiveRevision")


def test_a_run_in_line_says_its_position_again_only_when_that_has_halved(world: Worlds) -> None:
    w = world()
    written = []
    for position in range(100, 0, -1):
        before = w.status
        w.step(place=Place(admitted=False, position=position))
        if w.status != before:
            written.append(w.status["queuePosition"])
    assert written == [100, 50, 25, 12, 6, 3, 1]
    assert w.condition("Reconciling") == ("True", "Queued")
    w.step()
    assert "queuePosition" not in w.status
    assert w.status["attempt"] == 1


def test_the_intent_of_an_attempt_outlives_a_change_of_the_configuration(world: Worlds) -> None:
    w = world()
    w.step()
    w.configuration = world({"engine": {"image": "engine:2"}}).configuration
    manifest = w.step().actions[0].manifest
    assert manifest["spec"]["template"]["spec"]["containers"][0]["image"] == "engine:1"


def test_a_store_on_a_volume_is_mounted_where_its_uri_says(world: Worlds) -> None:
    w = world({"store": {"uri": "file:///artifacts", "claim": "evidence"}})
    w.step()
    pod = w.step().actions[0].manifest["spec"]["template"]["spec"]
    assert {"name": "store", "persistentVolumeClaim": {"claimName": "evidence"}} in pod["volumes"]
    assert {"name": "store", "mountPath": "/artifacts"} in pod["containers"][0]["volumeMounts"]
    assert w.status["intent"]["artifactUri"] == "file:///artifacts/evidence/backtest/quants/a-run-run-1"
    assert list(server_violations(w.run)) == []


def test_rendering_is_repeatable_to_the_byte(world: Worlds) -> None:
    w = world({"store": {"uri": "s3://evidence", "credentialsSecret": "s3", "region": "eu"}})
    w.step()
    w.change(notes=w.run["spec"]["notes"])
    assert repr(w.plan().actions) == repr(w.plan().actions)


def test_suspend_before_the_job_makes_none(world: Worlds) -> None:
    w = world(suspend=True)
    assert w.step().actions == ()
    assert w.status["phase"] == "Suspended"
    assert w.condition("Suspended") == ("True", "UserRequested")
    assert w.condition("Ready") is w.condition("Reconciling") is None
    w.change(suspend=False)
    w.step()
    assert w.status["attempt"] == 1


def test_suspend_stops_the_pods_and_clears_the_start_time_before_the_job_may_resume(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.run_pod()
    w.job["status"] = {"active": 1, "startTime": "2026-11-21T12:00:00Z"}
    w.step()
    name = w.status["jobName"]
    w.change(suspend=True)
    assert w.step().actions == (SuspendJob(name, "job-1", True),)
    w.job["spec"]["suspend"] = True
    w.job["status"] = {"terminating": 1, "startTime": "2026-11-21T12:00:00Z"}
    assert w.step().actions == ()
    w.job["status"]["terminating"], w.pods = 0, []
    plan = w.step()
    assert plan.actions == (ClearJobStartTime(name, "job-1"),)
    assert [event.reason for event in plan.events] == ["UserRequested"]
    assert w.plan().events == ()  # a resync an hour later would post it again
    assert w.status["phase"] == "Suspended"
    assert "startTime" not in w.status
    w.change(suspend=False)
    assert w.step().actions == (ClearJobStartTime(name, "job-1"),)  # a crash may have come between
    del w.job["status"]["startTime"]
    assert w.step().actions == (SuspendJob(name, "job-1", False),)
    assert w.condition("Suspended") is None


def test_a_resumed_run_waits_for_the_last_of_its_former_pods(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.job["spec"]["suspend"], w.job["status"] = True, {"terminating": 1}
    assert w.step().actions == ()
    assert w.condition("Reconciling") == ("True", "Resuming")


def test_a_job_in_a_queue_of_kueue_is_kueues_to_suspend(world: Worlds) -> None:
    w = world({"engine": {"image": "engine:1", "allowedQueues": ["batch"]}}, engine={"queueName": "batch"})
    w.until_recorded()
    assert w.job["spec"]["suspend"] is True
    assert w.step().actions == ()
    assert w.condition("Reconciling") == ("True", "QuotaNotReserved")
    w.job["spec"]["suspend"] = False
    w.change(suspend=True)
    assert w.step().actions == ()
    assert w.condition("Reconciling") == ("True", "SuspendManagedByKueue")


def test_a_started_pod_makes_the_run_running_since_then(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.run_pod()
    w.wait(5)
    w.step()
    assert (w.status["phase"], w.status["startTime"]) == ("Running", "2026-11-21T12:00:00Z")
    before = w.status
    w.wait(60)
    w.step()
    assert w.status == before


def test_a_job_without_pods_is_reported_after_15_s_and_given_up_after_the_deadline(world: Worlds) -> None:
    w = world({"limits": {"startDeadlineSeconds": 60}})
    w.until_recorded()
    w.take_up()
    w.wait(14)
    w.step()
    assert w.condition("Reconciling") == ("True", "Starting")
    w.wait(1)
    w.step(event="FailedCreate: exceeded quota: pods=0")
    assert w.condition("Reconciling") == ("True", "PodsNotCreated")
    assert "exceeded quota" in w.text("Ready")
    w.wait(45)
    w.step(event="FailedCreate: exceeded quota: pods=0")
    assert w.condition("Failed") == ("True", "StartDeadlineExceeded")
    assert "exceeded quota" in w.text("Failed")


def test_a_busy_job_controller_costs_a_run_neither_a_write_nor_its_life(world: Worlds) -> None:
    w = world({"limits": {"startDeadlineSeconds": 60}})
    w.until_recorded()
    before = w.status
    w.wait(59)
    w.step()
    assert w.status == before
    w.wait(3600)
    w.step()
    assert w.condition("Reconciling") == ("True", "PodsNotCreated")
    assert "has not taken the Job up yet" in w.text("Ready")
    assert w.condition("Failed") is None


def test_an_image_that_cannot_be_pulled_ends_with_the_event_quoted(world: Worlds) -> None:
    w = world({"limits": {"startDeadlineSeconds": 60}})
    w.until_recorded()
    w.add_pod({"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x"'}})
    w.wait(20)
    w.step(event="Failed: not found")
    assert w.condition("Reconciling") == ("True", "PodsNotStarted")
    w.wait(60)
    w.step(event="Failed: not found")
    assert w.condition("Failed") == ("True", "StartDeadlineExceeded")
    assert "ImagePullBackOff" in w.text("Failed")
    assert "Failed: not found" in w.text("Failed")


def test_a_run_whose_pod_was_disrupted_waits_for_the_next_one(world: Worlds) -> None:
    w = world({"limits": {"startDeadlineSeconds": 60}})
    w.until_recorded()
    w.take_up()
    w.run_pod()
    w.step()
    w.wait(3600)
    w.pods[0]["metadata"]["deletionTimestamp"] = "2026-11-21T13:00:00Z"
    before = w.status
    w.step()
    assert w.status == before
    w.pods = []
    w.step()
    assert w.condition("Reconciling") == ("True", "PodsNotCreated")
    assert w.condition("Failed") is None
    w.run_pod()
    w.step()
    assert w.status == before


def test_a_pod_that_waits_for_a_node_may_wait_for_ever(world: Worlds) -> None:
    w = world({"limits": {"startDeadlineSeconds": 60}})
    w.until_recorded()
    w.add_pod()
    unscheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes",
    }
    w.pods[0]["status"]["conditions"] = [unscheduled]
    w.wait(100_000)
    w.step()
    assert w.condition("Reconciling") == ("True", "Unschedulable")
    assert "0/3 nodes" in w.text("Ready")


def test_the_start_deadline_counts_from_the_resumption_of_a_job(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.wait(100_000)
    w.job["status"] = {"conditions": [{"type": "Suspended", "status": "True"}]}
    assert w.step().status["phase"] == "Pending"
    w.job["status"] = {"startTime": "2026-11-22T15:46:35Z"}
    w.step()
    assert w.condition("Failed") is None
