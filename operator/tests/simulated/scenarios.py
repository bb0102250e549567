"""The lives of a run that issue 4 names: what is applied, what the pods do, who interferes and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spark_operator.core.names import child_name

from simulated.garbage import terminate_namespace
from simulated.pod import has_condition
from simulated.script import (
    Deleted,
    Evicted,
    Exit,
    PullError,
    Refused,
    Unschedulable,
    absent,
    disk_full,
    half,
    of_another_job,
    of_another_run,
    out_of_memory,
)
from simulated.world import NAMESPACE, World

RUN = "first"
LONG = 800.0
"""Seconds of a pod that somebody interrupts: longer than any downtime of the operator."""

Scenario = Callable[[World], None]


def runs(*outcomes: Any, **spec: Any) -> Scenario:
    """Nobody interferes."""
    return lambda world: world.apply(RUN, outcomes, **spec)


def interrupted(
    *outcomes: Any, when: Callable[[World], bool], act: Callable[[World], None], **spec: Any
) -> Scenario:
    """Somebody does something once something is seen."""

    def prepare(world: World) -> None:
        world.when(lambda: when(world), lambda: act(world))
        world.apply(RUN, outcomes, **spec)

    return prepare


def exists(world: World) -> bool:
    return any(run["metadata"]["name"] == RUN for run in world.store.all("backtestruns"))


def is_intended(world: World) -> bool:
    return exists(world) and "jobName" in world.run(RUN)["status"]


def has_job(world: World) -> bool:
    return bool(world.jobs_of(RUN))


def has_pod(world: World) -> bool:
    return bool(world.pods_of(RUN))


def job_is_recorded(world: World) -> bool:
    return exists(world) and "jobUID" in world.run(RUN)["status"]


def pod_waits(world: World) -> bool:
    """For a node, and the operator knows its Job."""
    return job_is_recorded(world) and has_pod(world)


def pod_runs(world: World) -> bool:
    """And the operator knows its Job: a Job that goes before that is made again."""
    return job_is_recorded(world) and any(pod["status"]["phase"] == "Running" for pod in world.pods_of(RUN))


def is_suspended(world: World) -> bool:
    return exists(world) and has_condition(world.run(RUN)["status"], "Suspended")


def is_finished(world: World) -> bool:
    return exists(world) and any(has_condition(world.run(RUN)["status"], c) for c in ("Complete", "Failed"))


def cancel(world: World) -> None:
    world.change(RUN, cancel=True)


def suspend(world: World) -> None:
    world.change(RUN, suspend=True)


def resume(world: World) -> None:
    world.change(RUN, suspend=False)


def suspend_until_stopped(world: World) -> None:
    world.when(lambda: is_suspended(world), lambda: resume(world))
    suspend(world)


def suspend_then_cancel(world: World) -> None:
    world.when(lambda: is_suspended(world), lambda: cancel(world))
    suspend(world)


def suspend_and_cancel(world: World) -> None:
    world.change(RUN, suspend=True, cancel=True)


def cancel_then_delete(world: World) -> None:
    world.clock.after(3.0, lambda: delete_run(world))
    cancel(world)


def delete_job(world: World) -> None:
    for job in world.jobs_of(RUN):
        world.delete("jobs", job["metadata"]["name"])


def delete_run(world: World) -> None:
    world.delete("backtestruns", RUN)


def end_namespace(world: World) -> None:
    terminate_namespace(world.server, NAMESPACE)


def name_is_taken(world: World) -> None:
    """A stranger's Job has the very name that the run's will get."""
    world.apply(RUN)
    name = child_name(RUN, world.run(RUN)["metadata"]["uid"], "run", 1)
    container = {"name": "engine", "image": "registry.example/other:1"}
    template = {"metadata": {"labels": {}}, "spec": {"restartPolicy": "Never", "containers": [container]}}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": "other"}},
        "spec": {"template": template, "suspend": True},
    }
    world.server.create("stranger", "jobs", NAMESPACE, job)


NAMED: Mapping[str, Scenario] = {
    "success": runs(Exit()),
    "user error": runs(Exit(12)),
    "retry then success": runs(Exit(20), Exit()),
    "retries exhausted": runs(Exit(20), retries=1),
    "deadline of the engine": runs(Exit(14)),
    "deadline of the pod": runs(Exit(seconds=10 * LONG), activeDeadlineSeconds=5, retries=0),
    "cancel while pending": interrupted(Unschedulable(), when=pod_waits, act=cancel),
    "cancel while running": interrupted(Exit(seconds=LONG), when=pod_runs, act=cancel),
    "suspend while running, then resume": interrupted(
        Exit(seconds=LONG), Exit(), when=pod_runs, act=suspend_until_stopped
    ),
    "Job deleted by a stranger": interrupted(Exit(seconds=LONG), Exit(), when=pod_runs, act=delete_job),
    "Job deleted by a stranger, no retry": interrupted(
        Exit(seconds=LONG), when=pod_runs, act=delete_job, retries=0
    ),
    "name conflict": name_is_taken,
    "result lost, then success": runs(Exit(0, absent), Exit()),
    "result always lost": runs(Exit(0, absent), retries=1),
    "pods never created": runs(Refused()),
}
"""Those of issue 4: disturbed at every write."""

VARIANTS: Mapping[str, Scenario] = {
    "a verdict not asked for": runs(Exit(), verdict=None),
    "spec that cannot be resolved": runs(strategy={"name": "sma-cross", "params": {"fast": 30, "slow": 20}}),
    "out of memory then success": runs(out_of_memory(), Exit()),
    "disk full then success": runs(disk_full(), Exit()),
    "evicted then success": runs(Evicted(), Exit()),
    "pod deleted then success": runs(Deleted(), Exit()),
    "image that cannot be pulled": runs(PullError()),
    "unschedulable for a while": runs(Unschedulable(seconds=900.0)),
    "cancel at once": runs(Exit(), cancel=True),
    "cancel while running, SIGTERM ignored": interrupted(
        Exit(seconds=LONG, on_sigterm=None), when=pod_runs, act=cancel
    ),
    "cancel after the end": interrupted(Exit(), when=is_finished, act=cancel),
    "created suspended, then resumed": interrupted(Exit(), when=is_suspended, act=resume, suspend=True),
    "suspend while pending, then resume": interrupted(
        Unschedulable(), Exit(), when=pod_waits, act=suspend_until_stopped
    ),
    "suspend while running, then cancel": interrupted(
        Exit(seconds=LONG), when=pod_runs, act=suspend_then_cancel
    ),
    "suspend after the end": interrupted(Exit(), when=is_finished, act=suspend),
    "result cut in half, then success": runs(Exit(0, half), Exit()),
    "result of another run, then success": runs(Exit(0, of_another_run), Exit()),
    "result of another Job, then success": runs(Exit(0, of_another_job), Exit()),
    "pod gone before the harvest, then success": runs(Exit(vanishes=True), Exit()),
    "pods refused for a while": runs(Refused(seconds=60.0), Exit()),
}
"""Disturbed at some writes."""

SCENARIOS: Mapping[str, Scenario] = {**NAMED, **VARIANTS}

DELETIONS: Mapping[str, Scenario] = {
    "before anything": interrupted(Exit(), when=exists, act=delete_run),
    "when intended": interrupted(Exit(), when=is_intended, act=delete_run),
    "when its Job is there": interrupted(Exit(seconds=LONG), when=has_job, act=delete_run),
    "while pending": interrupted(Unschedulable(), when=has_pod, act=delete_run),
    "while running": interrupted(Exit(seconds=LONG), when=pod_runs, act=delete_run),
    "while cancelling": interrupted(
        Exit(seconds=LONG, on_sigterm=None), when=pod_runs, act=cancel_then_delete
    ),
    "while suspended": interrupted(Exit(), when=is_suspended, act=delete_run, suspend=True),
    "when finished": interrupted(Exit(), when=is_finished, act=delete_run),
    "with its namespace": interrupted(Exit(seconds=LONG), when=pod_runs, act=end_namespace),
    "with its namespace, when intended": interrupted(Exit(), when=is_intended, act=end_namespace),
}
"""At the end nothing is left, whatever else went wrong."""

RACES: Mapping[str, Scenario] = {
    "cancel when intended": interrupted(Unschedulable(), when=is_intended, act=cancel),
    "cancel when the Job is there": interrupted(Unschedulable(), when=has_job, act=cancel),
    "cancel when a pod is there": interrupted(Unschedulable(), when=has_pod, act=cancel),
    "cancel while suspending": interrupted(Exit(seconds=LONG), when=pod_runs, act=suspend_and_cancel),
}
"""How far the operator comes before it is cancelled is chance; the end is not."""
