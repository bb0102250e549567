"""The operator is killed before and after every write: the end is that of a run in which nobody was."""

from __future__ import annotations

import random
from itertools import product
from typing import Literal

import pytest

from simulated.client import Fault
from simulated.clock import Chance
from simulated.faults import Crash, CrashAtCall
from simulated.oracle import differences, lost_events, undisturbed
from simulated.scenarios import DELETIONS, NAMED, RACES, RUN, SCENARIOS, VARIANTS
from simulated.session import Ending, Session

MOMENTS: tuple[Literal["before", "after"], ...] = ("before", "after")


def crashed(name: str, *faults: Fault, seed: object = "") -> Ending:
    """Out of service for a second to a minute after each crash."""
    downtime = Chance(4).between(1, 60, name, seed, *faults)
    return Session(SCENARIOS[name], faults=faults, downtime=downtime).play()


@pytest.mark.parametrize("name", NAMED)
def test_a_crash_before_or_after_any_write_leaves_no_trace(name: str) -> None:
    reference = undisturbed(name)
    for write, moment in product(range(1, len(reference.writes) + 1), MOMENTS):
        disturbed = crashed(name, Crash(write, moment))
        assert len(disturbed.processes) == 2
        assert differences(reference, disturbed) == [], (
            f"crash {moment} write {write}: {reference.writes[write - 1]}"
        )


@pytest.mark.parametrize("name", VARIANTS)
def test_a_crash_leaves_no_trace_in_other_lives_either(name: str) -> None:
    reference = undisturbed(name)
    points = list(product(range(1, len(reference.writes) + 1), MOMENTS))
    for write, moment in random.Random(name).sample(points, min(4, len(points))):  # noqa: S311
        disturbed = crashed(name, Crash(write, moment))
        assert differences(reference, disturbed) == [], (
            f"crash {moment} write {write}: {reference.writes[write - 1]}"
        )


@pytest.mark.parametrize("name", SCENARIOS)
def test_two_crashes_leave_no_more_trace_than_one(name: str) -> None:
    reference = undisturbed(name)
    chance = random.Random(f"two {name}")  # noqa: S311
    for _ in range(2):
        first = chance.randint(1, len(reference.writes))
        second = first + chance.randint(1, 3)
        faults = Crash(first, chance.choice(MOMENTS)), Crash(second, chance.choice(MOMENTS))
        assert differences(reference, crashed(name, *faults)) == [], f"crashes: {faults}"


def test_a_crash_during_any_read_leaves_no_trace() -> None:
    reference = undisturbed("success")
    for call in reference.calls:
        if not call.write:
            disturbed = crashed("success", CrashAtCall(call.number))
            assert differences(reference, disturbed) == [], f"crash during {call}"


@pytest.mark.parametrize("name", ["success", "user error", "retries exhausted", "deadline of the engine"])
def test_a_crash_never_costs_the_event_of_the_end_of_a_job(name: str) -> None:
    reference = undisturbed(name)
    for write, moment in product(range(1, len(reference.writes) + 1), MOMENTS):
        assert set(lost_events(reference, crashed(name, Crash(write, moment)))) <= {"Starting"}


@pytest.mark.parametrize("name", DELETIONS)
def test_a_deleted_run_leaves_nothing_behind_wherever_the_operator_dies(name: str) -> None:
    writes = len(Session(DELETIONS[name]).play().writes)
    for fault in (Fault(), *(Crash(*point) for point in product(range(1, writes + 1), MOMENTS))):
        ended = Session(DELETIONS[name], faults=[fault]).play()
        assert [key for key in ended.state if key.plural != "events"] == [], fault
        assert all(count == 1 for count in ended.births.values())


@pytest.mark.parametrize("name", RACES)
def test_a_cancelled_run_has_no_job_wherever_the_operator_dies(name: str) -> None:
    writes = len(Session(RACES[name]).play().writes)
    for fault in (Fault(), *(Crash(*point) for point in product(range(1, writes + 1), MOMENTS))):
        ended = Session(RACES[name], faults=[fault]).play()
        assert ended.world.run(RUN)["status"]["phase"] == "Cancelled"
        assert [key for key in ended.state if key.plural in ("jobs", "pods")] == []
        assert all(count == 1 for count in (*ended.births.values(), *ended.deaths.values()))
