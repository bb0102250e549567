"""Events that are missed, doubled or late, and reads that show the past."""

from __future__ import annotations

import pytest

from simulated.faults import Delivery, OldView, deaf, doubled, missing, shuffled
from simulated.oracle import differences, undisturbed
from simulated.pod import has_condition
from simulated.scenarios import RUN, SCENARIOS
from simulated.session import Ending, Session

TYPICAL = (
    "success",
    "cancel while running",
    "suspend while running, then resume",
    "Job deleted by a stranger",
)
NEVER_SUSPENDED = ("success", "retry then success", "cancel while running", "Job deleted by a stranger")
"""Who does not see that a run was resumed, suspends its Job once more: that costs a pod."""
EVERYTHING = frozenset({"backtestruns", "jobs", "pods", "events"})


@pytest.mark.parametrize("delivery", [deaf, doubled, shuffled(1, 5.0), shuffled(2, 60.0)])
@pytest.mark.parametrize("name", SCENARIOS)
def test_events_that_are_lost_doubled_or_out_of_order_leave_no_trace(name: str, delivery: Delivery) -> None:
    disturbed = Session(SCENARIOS[name], deliver=delivery).play()
    assert differences(undisturbed(name), disturbed) == []


@pytest.mark.parametrize("name", TYPICAL)
def test_any_one_missed_event_is_made_good(name: str) -> None:
    for lost in range(1, 16):
        disturbed = Session(SCENARIOS[name], deliver=missing(lost)).play()
        assert differences(undisturbed(name), disturbed) == [], f"event {lost} was missed"


@pytest.mark.parametrize("name", NEVER_SUSPENDED)
def test_an_old_view_of_the_run_leaves_no_trace(name: str) -> None:
    reference = undisturbed(name)
    for call in reference.calls:
        if (call.verb, call.key.plural) == ("get", "backtestruns"):
            disturbed = looking_back(name, call.number, 1, frozenset({"backtestruns"}), frozenset({"get"}))
            assert differences(reference, disturbed) == [], f"old view in {call}"


@pytest.mark.parametrize("name", TYPICAL)
def test_old_lists_leave_no_trace(name: str) -> None:
    reference = undisturbed(name)
    for call in reference.calls:
        if call.verb == "list" and call.key.plural in ("pods", "events"):
            disturbed = looking_back(name, call.number, 6, frozenset({"pods", "events"}), frozenset({"list"}))
            assert differences(reference, disturbed) == [], f"old view in {call}"


@pytest.mark.parametrize("name", TYPICAL)
def test_an_old_view_of_everything_costs_an_attempt_at_most(name: str) -> None:
    """No API server answers a GET with the past. If one did: the same end, no second object of a name."""
    reference = undisturbed(name)
    for call in reference.calls[::4]:
        disturbed = looking_back(name, call.number, 6, EVERYTHING, frozenset({"get", "list"}))
        was, now = reference.world.run(RUN)["status"], disturbed.world.run(RUN)["status"]
        assert now["phase"] == was["phase"], f"old view from {call} on"
        assert now.get("digest") == was.get("digest")
        assert now["attempt"] <= was["attempt"] + 1
        assert all(count == 1 for count in disturbed.births.values())
        assert all(_is_finished(job["status"]) for job in disturbed.world.jobs_of(RUN))


def looking_back(
    name: str, number: int, calls: int, plurals: frozenset[str], verbs: frozenset[str]
) -> Ending:
    return Session(SCENARIOS[name], faults=[OldView(number, 1.0, calls, plurals, verbs)]).play()


def _is_finished(status: dict[str, object]) -> bool:
    return has_condition(status, "Complete") or has_condition(status, "Failed")
