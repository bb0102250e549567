"""Errors, lost answers, slowness and lost Leases leave no trace at the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from spark_operator.cluster.errors import ClusterError

from simulated.faults import LostAnswer, LostLease, Refusal, Slow, conflict, too_many_requests, unavailable
from simulated.oracle import differences, undisturbed
from simulated.pod import has_condition
from simulated.scenarios import NAMED, RUN, SCENARIOS
from simulated.session import Ending, Session

TYPICAL = (
    "success",
    "cancel while running",
    "suspend while running, then resume",
    "Job deleted by a stranger",
)


@pytest.mark.parametrize("name", NAMED)
def test_a_lost_answer_to_any_write_leaves_no_trace(name: str) -> None:
    reference = undisturbed(name)
    for call in reference.writes:
        fault = LostAnswer(call.write)
        disturbed = Session(SCENARIOS[name], faults=[fault]).play()
        assert differences(reference, disturbed) == [], f"no answer to {call}"


@pytest.mark.parametrize("error", [conflict, too_many_requests, unavailable])
@pytest.mark.parametrize("name", TYPICAL)
def test_a_refused_write_is_made_good(name: str, error: Callable[[], ClusterError]) -> None:
    reference = undisturbed(name)
    for call in reference.writes:
        fault = Refusal(call.number, error)
        disturbed = Session(SCENARIOS[name], faults=[fault]).play()
        assert differences(reference, disturbed) == [], f"{error.__name__} to {call}"


@pytest.mark.parametrize("name", NAMED)
def test_an_outage_of_the_api_server_is_survived(name: str) -> None:
    reference = undisturbed(name)
    for start in range(1, len(reference.calls), max(1, len(reference.calls) // 4)):
        fault = Refusal(start, unavailable, times=12)
        disturbed = Session(SCENARIOS[name], faults=[fault]).play()
        assert differences(reference, disturbed) == [], f"no service from call {start} on"


@pytest.mark.parametrize("name", TYPICAL)
def test_a_slow_call_is_only_slow(name: str) -> None:
    reference = undisturbed(name)
    for call in reference.calls[::3]:
        fault = Slow(call.number, 20.0)
        disturbed = Session(SCENARIOS[name], faults=[fault]).play()
        assert differences(reference, disturbed) == [], f"20 s for {call}"


@pytest.mark.parametrize("name", NAMED)
def test_a_lease_lost_at_any_write_leaves_no_trace(name: str) -> None:
    reference = undisturbed(name)
    for call in reference.writes:
        disturbed = lost_lease(name, call.write, lands=False)
        assert len(disturbed.processes) == 2
        assert differences(reference, disturbed) == [], f"Lease lost at {call}"


@pytest.mark.parametrize("name", TYPICAL)
def test_a_write_that_lands_long_after_the_lease_was_lost_does_no_lasting_harm(name: str) -> None:
    reference = undisturbed(name)
    for call in reference.writes:
        disturbed = lost_lease(name, call.write, lands=True)
        expected, run = reference.world.run(RUN), disturbed.world.run(RUN)
        assert outcome(run) == outcome(expected), f"late: {call}"
        live = [job for job in disturbed.world.jobs_of(RUN) if not is_finished(job)]
        assert live == [], f"late: {call}"


def test_a_job_that_a_former_leader_makes_after_the_end_is_deleted() -> None:
    reference = undisturbed("cancel while running")
    (create,) = [
        call.write for call in reference.writes if call.verb == "create" and call.key.plural == "jobs"
    ]
    disturbed = lost_lease("cancel while running", create, lands=True)
    job = reference.writes[create - 1].key
    assert (disturbed.births[job], disturbed.deaths[job]) == (2, 2)
    assert disturbed.world.store.get(job) is None


def lost_lease(name: str, write: int, *, lands: bool) -> Ending:
    return Session(SCENARIOS[name], faults=[LostLease(write, 30.0, lands)]).play()


def outcome(run: dict[str, object]) -> list[tuple[str, str]]:
    status = run["status"]
    assert isinstance(status, dict)
    return [(condition["type"], condition["reason"]) for condition in status["conditions"]]


def is_finished(job: dict[str, object]) -> bool:
    status = job["status"]
    assert isinstance(status, dict)
    return has_condition(status, "Complete") or has_condition(status, "Failed")
