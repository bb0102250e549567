"""How each life of a run ends when nothing goes wrong around it."""

from __future__ import annotations

import pytest

from simulated.oracle import undisturbed
from simulated.pod import has_condition
from simulated.scenarios import RUN, SCENARIOS

# scenario: phase, reason, attempts, Jobs made, pods made, Jobs that the operator deleted
ENDS = {
    "success": ("Succeeded", "Succeeded", 1, 1, 1, 0),
    "a verdict not asked for": ("Succeeded", "Succeeded", 1, 1, 1, 0),
    "user error": ("Failed", "InvalidStrategy", 1, 1, 1, 0),
    "spec that cannot be resolved": ("Failed", "InvalidSpec", None, 0, 0, 0),
    "retry then success": ("Succeeded", "Succeeded", 1, 1, 2, 0),
    "out of memory then success": ("Succeeded", "Succeeded", 1, 1, 2, 0),
    "disk full then success": ("Succeeded", "Succeeded", 1, 1, 2, 0),
    "evicted then success": ("Succeeded", "Succeeded", 1, 1, 2, 0),
    "pod deleted then success": ("Succeeded", "Succeeded", 1, 1, 2, 0),
    "retries exhausted": ("Failed", "EngineError", 1, 1, 2, 0),
    "deadline of the engine": ("Failed", "DeadlineExceeded", 1, 1, 1, 0),
    "deadline of the pod": ("Failed", "DeadlineExceeded", 1, 1, 1, 0),
    "image that cannot be pulled": ("Failed", "StartDeadlineExceeded", 1, 1, 1, 1),
    "unschedulable for a while": ("Succeeded", "Succeeded", 1, 1, 1, 0),
    "cancel at once": ("Cancelled", "Cancelled", None, 0, 0, 0),
    "cancel while pending": ("Cancelled", "Cancelled", 1, 1, 1, 1),
    "cancel while running": ("Cancelled", "Cancelled", 1, 1, 1, 1),
    "cancel while running, SIGTERM ignored": ("Cancelled", "Cancelled", 1, 1, 1, 1),
    "cancel after the end": ("Succeeded", "Succeeded", 1, 1, 1, 0),
    "created suspended, then resumed": ("Succeeded", "Succeeded", 1, 1, 1, 0),
    "suspend while pending, then resume": ("Succeeded", "Succeeded", 1, 1, 2, 0),
    "suspend while running, then resume": ("Succeeded", "Succeeded", 1, 1, 2, 0),
    "suspend while running, then cancel": ("Cancelled", "Cancelled", 1, 1, 1, 1),
    "suspend after the end": ("Succeeded", "Succeeded", 1, 1, 1, 0),
    "Job deleted by a stranger": ("Succeeded", "Succeeded", 2, 2, 2, 0),
    "Job deleted by a stranger, no retry": ("Failed", "JobVanished", 1, 1, 1, 0),
    "name conflict": ("Failed", "NameConflict", 1, 1, 0, 0),
    "result lost, then success": ("Succeeded", "Succeeded", 2, 2, 2, 0),
    "result cut in half, then success": ("Succeeded", "Succeeded", 2, 2, 2, 0),
    "result of another run, then success": ("Succeeded", "Succeeded", 2, 2, 2, 0),
    "result of another Job, then success": ("Succeeded", "Succeeded", 2, 2, 2, 0),
    "pod gone before the harvest, then success": ("Succeeded", "Succeeded", 2, 2, 2, 0),
    "result always lost": ("Failed", "ResultLost", 2, 2, 2, 0),
    "pods never created": ("Failed", "StartDeadlineExceeded", 1, 1, 0, 1),
    "pods refused for a while": ("Succeeded", "Succeeded", 1, 1, 1, 0),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_life_ends_as_it_should(name: str) -> None:
    ended = undisturbed(name)
    phase, reason, attempt, *numbers = ENDS[name]
    status = ended.world.run(RUN)["status"]
    (ready,) = [condition for condition in status["conditions"] if condition["type"] == "Ready"]
    assert (status["phase"], ready["reason"], status.get("attempt")) == (phase, reason, attempt)
    made = [sum(key.plural == plural for key in ended.births.elements()) for plural in ("jobs", "pods")]
    assert [*made, sum(ended.deaths.values())] == numbers


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_lives_on_after_the_end(name: str) -> None:
    ended = undisturbed(name)
    ours = ended.world.jobs_of(RUN)
    assert all(
        has_condition(job["status"], "Complete") or has_condition(job["status"], "Failed") for job in ours
    )
    assert all(job["metadata"]["labels"]["spark.trading/harvested"] == "true" for job in ours)
    assert all(job["spec"]["ttlSecondsAfterFinished"] == 3600 for job in ours)
    assert ended.world.jobs.stuck == set()


@pytest.mark.parametrize("name", [name for name, end in ENDS.items() if end[0] == "Succeeded"])
def test_a_success_says_where_its_result_came_from(name: str) -> None:
    world = undisturbed(name).world
    status = world.run(RUN)["status"]
    assert status["digest"].startswith("sha256:")
    assert status["artifact"]["uri"].endswith(status["jobUID"])
    assert status["jobUID"] in {job["metadata"]["uid"] for job in world.jobs_of(RUN)}
    assert status["summary"]["trades"] == 42
