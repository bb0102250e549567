"""What a run costs: a fixed, small number of writes, and none after its end."""

from __future__ import annotations

import pytest

from simulated.oracle import undisturbed
from simulated.scenarios import RUN, SCENARIOS
from simulated.session import Ending, Session
from simulated.world import NAMESPACE, World


def writes(ended: Ending) -> list[str]:
    """As verb and kind, without Events."""
    names = [
        f"{call.verb} {call.key.plural}{call.subresource and '/'}{call.subresource}" for call in ended.writes
    ]
    return [name for name in names if not name.endswith("events")]


def settled(world: World) -> None:
    assert all(run["status"]["phase"] == "Succeeded" for run in world.store.all("backtestruns"))


def test_a_run_that_succeeds_is_five_writes_and_the_one_that_says_it_runs() -> None:
    assert writes(undisturbed("success")) == [
        "update backtestruns/status",  # the intent
        "create jobs",
        "update backtestruns/status",  # the Job's uid
        "update backtestruns/status",  # it runs
        "update backtestruns/status",  # the result
        "patch jobs",  # TTL and label
    ]


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("user error", 6),
        ("retry then success", 6),
        ("retries exhausted", 6),
        ("cancel at once", 1),
        ("cancel while running", 7),
        ("spec that cannot be resolved", 1),
        ("name conflict", 2),
        ("Job deleted by a stranger", 11),
        ("result lost, then success", 13),
        ("pods never created", 7),
        ("unschedulable for a while", 8),
        ("suspend while running, then resume", 14),
    ],
)
def test_other_lives_are_cheap_too(name: str, most: int) -> None:
    assert len(writes(undisturbed(name))) <= most


def test_a_run_that_starts_at_once_costs_no_search_among_events() -> None:
    assert [
        call for call in undisturbed("success").calls if call.key.plural == "events" and call.verb == "list"
    ] == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_events_are_posted_twice_at_most_and_exist_once(name: str) -> None:
    ended = undisturbed(name)
    posts = [call.key for call in ended.writes if call.key.plural == "events"]
    assert all(posts.count(key) <= 2 for key in posts)
    assert all(count == 1 for key, count in ended.births.items() if key.plural == "events")


def test_finished_runs_cost_a_new_process_no_write_and_no_read_of_their_own() -> None:
    def prepare(world: World) -> None:
        for number in range(5):
            world.apply(f"run-{number}")

    first = Session(prepare)
    first.play()
    ended = Session(settled, world=first.world).play()
    assert ended.writes == []
    assert {call.verb for call in ended.calls} == {"list"}


def test_what_is_left_of_a_run_after_its_time_to_live_is_the_run() -> None:
    ended = Session(lambda world: world.apply(RUN, ttlSecondsAfterFinished=5)).play()
    assert [key for key in ended.state if key.plural != "events"] == [("backtestruns", NAMESPACE, RUN)]
    assert ended.world.run(RUN)["status"]["phase"] == "Succeeded"


def test_a_finished_run_notes_a_later_change_of_its_spec_and_nothing_else() -> None:
    ended = undisturbed("suspend after the end")
    run = ended.world.run(RUN)
    assert run["metadata"]["generation"] == run["status"]["observedGeneration"] == 2
    assert {condition["observedGeneration"] for condition in run["status"]["conditions"]} == {2}
    assert run["status"]["phase"] == "Succeeded"
