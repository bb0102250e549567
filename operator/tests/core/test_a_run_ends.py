"""How runs end: with results, by their user's fault, after retries, by loss, by cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from spark_crds.validate import server_violations
from spark_operator.core.plan import CreateJob, DeleteJob, MarkHarvested

Worlds = Callable[..., Any]


def test_a_run_takes_five_writes_each_of_which_can_be_the_last(world: Worlds) -> None:
    w = world()
    assert w.step().status["jobName"] == w.status["jobName"]  # 1: intent
    (create,) = w.step().actions  # 2: the Job
    assert isinstance(create, CreateJob)
    assert w.step().status["jobUID"] == "job-1"  # 3: its uid
    w.end_pod(0, w.message())
    w.finish_job()
    assert w.step().status["phase"] == "Succeeded"  # 4: the result
    (mark,) = w.step().actions  # 5: the Job is put away
    assert mark == MarkHarvested(w.status["jobName"], "job-1", 3600)
    w.job["metadata"]["labels"]["spark.trading/harvested"] = "true"
    again = w.plan()
    assert (again.actions, again.events, again.status) == ((), (), w.status)


def test_the_status_of_a_run_that_is_done_is_valid_and_carries_its_results(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.end_pod(0, w.message())
    w.finish_job()
    w.step()
    assert w.condition("Complete") == ("True", "Succeeded")
    assert w.condition("Ready") == ("True", "Succeeded")
    assert w.condition("VerdictPassed") == ("True", "CriteriaMet")
    assert w.condition("GuardrailsApplied") == ("False", "NoGuardrails")
    assert w.condition("Reconciling") is w.condition("Stalled") is None
    assert w.status["summary"]["trades"] == 42
    assert w.status["display"] == {"return": "+12.3%", "sharpe": "1.02", "maxDrawdown": "20.0%"}
    assert w.status["provenance"]["image"] == "registry/engine@sha256:abc"
    assert w.status["startTime"] < w.status["completionTime"]
    assert list(server_violations(w.run)) == []


def test_a_failed_verdict_is_not_a_failed_run(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.end_pod(0, w.message(verdict=False))
    w.finish_job()
    w.step()
    assert w.condition("Complete") == ("True", "Succeeded")
    assert w.condition("VerdictPassed") == ("False", "CriteriaNotMet")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (10, "InvalidSpec"),
        (11, "InvalidData"),
        (12, "InvalidStrategy"),
        (13, "GuardrailBreach"),
        (14, "DeadlineExceeded"),
    ],
)
def test_a_fault_of_the_user_is_told_in_the_words_of_the_engine(
    world: Worlds, code: int, reason: str
) -> None:
    w = world()
    w.until_recorded()
    w.end_pod(code, w.refusal(reason, "42 is not allowed", "spec.some.field"))
    w.finish_job("Failed", reason="PodFailurePolicy")
    w.step()
    assert w.condition("Failed") == ("True", reason)
    assert w.condition("Stalled") == ("True", reason)
    assert w.text("Failed") == "spec.some.field: 42 is not allowed"
    assert list(server_violations(w.run)) == []


def test_an_error_of_the_engine_says_how_often_it_was_tried(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    for number in range(3):
        w.end_pod(20, w.refusal("EngineError", "cash and equity disagree"), name=f"pod-{number}")
    w.finish_job("Failed", reason="BackoffLimitExceeded")
    w.step()
    assert w.condition("Failed") == ("True", "EngineError")
    assert w.text("Failed") == "cash and equity disagree (the last of 3 tries)"


def test_a_pod_killed_for_its_memory_points_to_the_limit(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.end_pod(137, "", reason="OOMKilled")
    w.finish_job("Failed", reason="BackoffLimitExceeded")
    w.step()
    assert w.condition("Failed") == ("True", "OutOfMemory")
    assert "spec.engine.resources" in w.text("Failed")


def test_what_a_crash_printed_never_reaches_the_status(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.end_pod(1, 'Traceback (most recent call last):\n  File "x.py", line 1')
    w.finish_job(
        "Failed", reason="BackoffLimitExceeded", message="Job has reached the specified backoff limit"
    )
    w.step()
    assert w.condition("Failed") == ("True", "BackoffLimitExceeded")
    assert "Traceback" not in str(w.status)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"run_uid": "another-run"},
        {"job_uid": "another-job"},
        {"attempt": 7},
        {"digest": None},
    ],
)
def test_a_message_of_another_run_job_or_attempt_is_no_result(world: Worlds, spoilt: dict[str, Any]) -> None:
    w = world()
    w.until_recorded()
    w.end_pod(0, w.message(**spoilt))
    w.finish_job()
    w.step()
    assert w.status["attempt"] == 2
    assert w.condition("Reconciling") == ("True", "Retrying")


def test_a_result_without_its_artifact_is_lost_where_there_is_a_store(world: Worlds) -> None:
    w = world({"store": {"uri": "s3://evidence"}})
    w.until_recorded()
    w.end_pod(0, w.message())
    w.finish_job()
    w.step()
    assert (w.status["attempt"], w.condition("Complete")) == (2, None)


def test_lost_results_are_tried_again_until_the_retries_are_used_up(world: Worlds) -> None:
    w = world(retries=1)
    for attempt in (1, 2):
        w.until_recorded()
        assert w.status["jobName"].endswith(f"-{attempt}")
        w.end_pod(0, "half a mess")
        w.finish_job()
        w.step()
        w.job, w.pods = None, []
    assert w.condition("Failed") == ("True", "ResultLost")
    assert w.status["attempt"] == 2


def test_the_job_of_a_lost_attempt_is_put_away_while_the_next_one_runs(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.finish_job()
    w.step()
    lost, w.job = w.job, None
    assert MarkHarvested(lost["metadata"]["name"], "job-1", 3600) in w.plan(others=(lost,)).actions


def test_a_recorded_job_that_is_gone_is_a_failed_attempt_and_not_made_again(world: Worlds) -> None:
    w = world(retries=0)
    w.until_recorded()
    w.job = None
    plan = w.step()
    assert plan.actions == ()
    assert w.condition("Failed") == ("True", "JobVanished")


def test_a_new_attempt_forgets_what_the_last_one_left(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.run_pod()
    w.step()
    assert w.status["phase"] == "Running"
    w.job, w.pods = None, []
    w.step()
    assert w.status["attempt"] == 2
    assert not {"jobUID", "startTime", "summary"} & set(w.status)


def test_cancel_before_there_is_a_job_takes_one_write(world: Worlds) -> None:
    w = world(cancel=True)
    w.step()
    assert w.status["phase"] == "Cancelled"
    assert w.condition("Failed") == ("True", "Cancelled")
    assert w.status["cancelRequested"] is True


def test_cancel_is_latched_then_the_job_is_deleted_then_the_run_is_cancelled(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.run_pod()
    w.step()
    w.change(cancel=True)
    assert w.step().actions == ()
    assert (w.status["cancelRequested"], w.condition("Reconciling")) == (True, ("True", "Cancelling"))
    w.change(cancel=False)  # taken back too late
    assert w.step().actions == (DeleteJob(w.status["jobName"], "job-1"),)
    w.job["metadata"]["deletionTimestamp"] = "2026-11-21T12:00:05Z"
    assert w.step().actions == ()
    assert w.status["phase"] == "Running"
    w.job, w.pods = None, []
    w.step()
    assert w.status["phase"] == "Cancelled"


def test_a_job_that_finished_before_it_could_be_cancelled_is_harvested(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.change(cancel=True)
    w.step()
    w.end_pod(0, w.message())
    w.finish_job()
    w.step()
    assert w.condition("Complete") == ("True", "Succeeded")


def test_a_name_that_is_taken_stops_the_run_and_touches_nothing(world: Worlds) -> None:
    w = world()
    w.step()
    foreign = {"metadata": {"name": w.status["jobName"], "uid": "x"}, "spec": {}, "status": {}}
    plan = w.step(job=foreign)
    assert plan.actions == ()
    assert w.condition("Failed") == ("True", "NameConflict")
    assert w.step(job=foreign).actions == ()


def test_a_job_of_ours_that_is_there_already_is_adopted(world: Worlds) -> None:
    w = world()
    w.step()
    w.step()
    w.end_pod(0, w.message())
    w.finish_job()
    w.step()  # it ended before its uid was recorded
    assert (w.status["phase"], w.status["jobUID"]) == ("Succeeded", "job-1")


def test_a_job_that_a_former_leader_made_for_a_finished_run_is_deleted(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    (create,) = world_after_intent(world).plan().actions
    w.end_pod(0, w.message())
    w.finish_job()
    w.step()
    stray = w.created(create, uid="job-9")
    assert w.plan(job=stray, others=(stray,)).actions == (DeleteJob(stray["metadata"]["name"], "job-9"),)


def world_after_intent(world: Worlds) -> Any:
    other = world()
    other.step()
    return other


def test_a_finished_run_changes_only_its_observed_generation(world: Worlds) -> None:
    w = world()
    w.until_recorded()
    w.end_pod(0, w.message())
    w.finish_job()
    w.step()
    before = w.status
    w.change(cancel=True, suspend=True)
    w.step()
    assert w.status["observedGeneration"] == 2
    assert {c["observedGeneration"] for c in w.status["conditions"]} == {2}
    unchanged = [{**c, "observedGeneration": 1} for c in w.status["conditions"]]
    assert {**w.status, "observedGeneration": 1, "conditions": unchanged} == before


def test_a_run_that_is_being_deleted_is_left_alone(world: Worlds) -> None:
    w = world()
    w.run["metadata"]["deletionTimestamp"] = "2026-11-21T12:00:05Z"
    assert w.plan().status is None
