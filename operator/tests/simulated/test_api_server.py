"""The simulated API server against the tables of control_plane_review.md sections 2 to 5."""

from __future__ import annotations

import asyncio

import pytest
from spark_operator.cluster.errors import AlreadyExists, Conflict, Expired, Forbidden, Invalid, NotFound
from spark_operator.cluster.interface import every
from spark_operator.cluster.resources import BACKTEST_RUNS, JOBS

from simulated.client import SimulatedCluster, Wire
from simulated.clock import Clock
from simulated.garbage import terminate_namespace
from simulated.loop import NothingWillHappen, run
from simulated.store import Key, Object
from simulated.world import NAMESPACE, World, manifest

RUN = Key("backtestruns", NAMESPACE, "first")
OTHER_UID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def world() -> World:
    world = World()
    world.apply("first")
    return world


class Person:
    """Somebody who calls the API server and never dies."""

    alive = True
    leads = True


def job(name: str = "job", **spec: object) -> Object:
    container = {"name": "engine", "image": "registry.example/engine:1"}
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"a": "b"}},
        "spec": {"template": template, "suspend": True, **spec},
    }


def event(**changes: object) -> Object:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "first.x", "namespace": NAMESPACE},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "spark.trading/operator",
        "reportingInstance": "spark-operator-0",
        "action": "Reconcile",
        "reason": "Succeeded",
        "type": "Normal",
        "note": "done",
        "regarding": {"kind": "BacktestRun", "namespace": NAMESPACE, "name": "first"},
        **changes,
    }


def test_a_new_run_gets_its_defaults_and_a_status_that_reads_as_in_progress(world: World) -> None:
    created = world.run("first")
    assert created["status"] == {"observedGeneration": -1, "phase": "Pending"}
    assert created["spec"]["retries"] == 2
    assert created["metadata"]["generation"] == 1


def test_a_status_at_creation_is_dropped() -> None:
    world = World()
    world.server.create(
        "user", "backtestruns", NAMESPACE, manifest("first") | {"status": {"phase": "Succeeded"}}
    )
    assert world.run("first")["status"]["phase"] == "Pending"


def test_the_words_of_the_contract_are_those_of_a_refusal(world: World) -> None:
    with pytest.raises(Invalid, match=r"spec\.retries"):
        world.apply("bad", retries=11)
    with pytest.raises(Invalid, match="seed is immutable"):
        world.change("first", seed=7)


def test_every_write_raises_the_version_and_only_a_change_of_spec_the_generation(world: World) -> None:
    before = world.run("first")
    world.server.replace("operator", "backtestruns", before | {"status": {"phase": "Running"}}, "status")
    world.server.patch("user", "backtestruns", NAMESPACE, "first", {"metadata": {"labels": {"team": "a"}}})
    after = world.run("first")
    assert int(after["metadata"]["resourceVersion"]) == int(before["metadata"]["resourceVersion"]) + 2
    assert after["metadata"]["generation"] == 1
    world.change("first", suspend=True)
    assert world.run("first")["metadata"]["generation"] == 2


def test_a_write_that_changes_nothing_is_no_write(world: World) -> None:
    before = world.run("first")
    world.server.replace("operator", "backtestruns", before, "status")
    world.change("first", suspend=False)
    assert world.run("first") == before


def test_spec_and_status_are_written_apart(world: World) -> None:
    body = world.run("first")
    body["status"]["phase"], body["spec"]["suspend"] = "Running", True
    written = world.server.replace("operator", "backtestruns", body, "status")
    assert (written["status"]["phase"], written["spec"]["suspend"]) == ("Running", False)
    written["status"]["phase"], written["spec"]["suspend"] = "Failed", True
    written = world.server.replace("user", "backtestruns", written)
    assert (written["status"]["phase"], written["spec"]["suspend"]) == ("Running", True)


def test_a_status_is_replaced_whole(world: World) -> None:
    body = world.run("first")
    written = world.server.replace("operator", "backtestruns", body | {"status": {"attempt": 1}}, "status")
    written = world.server.replace(
        "operator", "backtestruns", written | {"status": {"jobName": "x"}}, "status"
    )
    assert written["status"] == {"jobName": "x"}


def test_a_stale_or_foreign_body_is_a_conflict(world: World) -> None:
    body = world.run("first")
    world.change("first", suspend=True)
    with pytest.raises(Conflict):
        world.server.replace("operator", "backtestruns", body | {"status": {"phase": "Failed"}}, "status")
    fresh = world.run("first")
    fresh["metadata"]["uid"] = OTHER_UID
    del fresh["metadata"]["resourceVersion"]
    with pytest.raises(Conflict):
        world.server.replace("operator", "backtestruns", fresh, "status")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"phase": "Done"}, "Unsupported value"),
        ({"phases": "Failed"}, 'unknown field "status.phases"'),
        ({"conditions": [{"type": "Ready"}]}, "Required value"),
    ],
)
def test_a_status_beside_the_schema_is_refused(world: World, status: Object, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        world.server.replace("operator", "backtestruns", world.run("first") | {"status": status}, "status")


def test_a_second_create_is_told_that_the_object_exists(world: World) -> None:
    with pytest.raises(AlreadyExists):
        world.apply("first")


def test_a_dry_run_leaves_nothing(world: World) -> None:
    world.server.create("user", "backtestruns", NAMESPACE, manifest("second"), dry_run=True)
    assert world.store.get(RUN._replace(name="second")) is None


def test_a_uid_guards_a_patch_of_a_job_but_not_of_a_run(world: World) -> None:
    world.server.create("user", "jobs", NAMESPACE, job())
    with pytest.raises(Invalid, match="uid"):
        world.server.patch("operator", "jobs", NAMESPACE, "job", {"metadata": {"uid": OTHER_UID}})
    world.server.patch("operator", "backtestruns", NAMESPACE, "first", {"metadata": {"uid": OTHER_UID}})
    assert world.run("first")["metadata"]["uid"] != OTHER_UID


def test_what_may_change_in_a_job_is_what_batch_v1_says(world: World) -> None:
    world.server.create("user", "jobs", NAMESPACE, job())
    changed = {"suspend": False, "ttlSecondsAfterFinished": 3, "parallelism": 2, "backoffLimit": 1}
    world.server.patch("operator", "jobs", NAMESPACE, "job", {"spec": changed})
    for name, value in (("completions", 2), ("template", {"metadata": {"annotations": {"a": "b"}}})):
        with pytest.raises(Invalid, match=f"spec.{name}"):
            world.server.patch("operator", "jobs", NAMESPACE, "job", {"spec": {name: value}})


def test_a_failure_policy_allows_one_replacement_policy_only(world: World) -> None:
    with pytest.raises(Invalid, match="podReplacementPolicy"):
        body = job(podFailurePolicy={"rules": []}, podReplacementPolicy="TerminatingOrFailed")
        world.server.create("user", "jobs", NAMESPACE, body)


def test_the_start_time_can_be_cleared_of_a_suspended_job_only(world: World) -> None:
    world.server.create("user", "jobs", NAMESPACE, job(suspend=False))
    world.settle(1)
    cleared = {"status": {"startTime": None}}
    with pytest.raises(Invalid, match="startTime cannot be removed for unsuspended job"):
        world.server.patch("operator", "jobs", NAMESPACE, "job", cleared, "status")
    world.server.patch("operator", "jobs", NAMESPACE, "job", {"spec": {"suspend": True}})
    written = world.server.patch("operator", "jobs", NAMESPACE, "job", cleared, "status")
    assert "startTime" not in written["status"]


@pytest.mark.parametrize(
    "changes",
    [
        {"eventTime": "2026-01-01T00:00:00Z"},
        {"action": ""},
        {"reportingInstance": ""},
        {"type": "Error"},
        {"note": "x" * 1025},
        {"regarding": {"kind": "BacktestRun", "namespace": "elsewhere", "name": "first"}},
    ],
)
def test_an_event_of_another_form_is_refused(world: World, changes: Object) -> None:
    world.server.create("operator", "events", NAMESPACE, event())
    with pytest.raises(Invalid):
        world.server.create("operator", "events", NAMESPACE, event(**changes))


def test_a_second_event_of_that_name_is_refused(world: World) -> None:
    world.server.create("operator", "events", NAMESPACE, event())
    with pytest.raises(AlreadyExists):
        world.server.create("operator", "events", NAMESPACE, event())


def test_a_namespace_that_ends_takes_nothing_and_is_emptied(world: World) -> None:
    terminate_namespace(world.server, NAMESPACE)
    with pytest.raises(Forbidden) as refusal:
        world.apply("second")
    assert refusal.value.namespace_terminating
    world.settle(2)
    assert world.store.get(RUN) is None


def test_children_go_with_their_owner_and_orphans_at_once(world: World) -> None:
    owner = {
        "apiVersion": "spark.trading/v1alpha1",
        "kind": "BacktestRun",
        "name": "first",
        "controller": True,
    }
    mine, orphan = job("mine"), job("orphan")
    mine["metadata"]["ownerReferences"] = [owner | {"uid": world.run("first")["metadata"]["uid"]}]
    orphan["metadata"]["ownerReferences"] = [owner | {"uid": OTHER_UID}]
    world.server.create("user", "jobs", NAMESPACE, mine)
    world.server.create("user", "jobs", NAMESPACE, orphan)
    world.settle(1)
    assert [body["metadata"]["name"] for body in world.store.all("jobs")] == ["mine"]
    world.delete("backtestruns", "first")
    world.settle(1)
    assert world.store.all("jobs") == []


def test_a_precondition_on_another_uid_stops_a_deletion(world: World) -> None:
    with pytest.raises(Conflict):
        world.server.delete("operator", "backtestruns", NAMESPACE, "first", uid=OTHER_UID)
    with pytest.raises(NotFound):
        world.server.delete("operator", "backtestruns", NAMESPACE, "absent", uid=OTHER_UID)


def test_lists_come_in_pages_of_one_revision_until_that_is_too_old(world: World) -> None:
    for number in range(5):
        world.apply(f"more-{number}")

    async def names() -> list[str]:
        cluster = SimulatedCluster(world.server, Wire(world.chance), Person())
        page = await cluster.list_page(BACKTEST_RUNS, limit=2)
        world.apply("late")
        found = [body["metadata"]["name"] for body in page.items]
        while page.continue_token:
            page = await cluster.list_page(BACKTEST_RUNS, limit=2, continue_token=page.continue_token)
            found += [body["metadata"]["name"] for body in page.items]
        first = await cluster.list_page(BACKTEST_RUNS, limit=2)
        world.server.oldest_revision = world.store.revision + 1
        with pytest.raises(Expired):
            await cluster.list_page(BACKTEST_RUNS, limit=2, continue_token=first.continue_token)
        return found

    assert run(world.clock, names()) == ["first", *(f"more-{number}" for number in range(5))]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("", ["a", "b", "c"]),
        ("!done", ["a", "c"]),
        ("done", ["b"]),
        ("team=x", ["a", "b"]),
        ("team=x,!done", ["a"]),
        ("team!=x", ["c"]),
        ("team in (x, y)", ["a", "b"]),
    ],
)
def test_labels_select(selector: str, names: list[str]) -> None:
    world = World()
    for name, labels in (("a", {"team": "x"}), ("b", {"team": "x", "done": "true"}), ("c", {})):
        body = job(name)
        body["metadata"]["labels"] = labels
        world.server.create("user", "jobs", NAMESPACE, body)

    async def found() -> list[str]:
        cluster = SimulatedCluster(world.server, Wire(world.chance), Person())
        return [body["metadata"]["name"] async for body in every(cluster, JOBS, label_selector=selector)]

    assert run(world.clock, found()) == names


def test_fields_select_where_the_kind_says_so(world: World) -> None:
    async def phases(selector: str) -> int:
        cluster = SimulatedCluster(world.server, Wire(world.chance), Person())
        return len((await cluster.list_page(BACKTEST_RUNS, field_selector=selector)).items)

    assert run(world.clock, phases("status.phase=Pending")) == 1
    assert run(world.clock, phases("status.phase!=Pending,spec.market.symbol=BTCUSDT")) == 0
    with pytest.raises(Invalid, match="field label not supported"):
        run(world.clock, phases("spec.seed=0"))


def test_time_jumps_to_what_happens_next_and_waiting_for_nothing_is_an_error() -> None:
    clock = Clock()
    seen: list[float] = []
    clock.after(5.0, lambda: seen.append(clock.seconds))

    async def sleep() -> None:
        await asyncio.sleep(10)

    run(clock, sleep())
    assert (seen, clock.seconds) == ([5.0], 10.0)

    async def wait_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(NothingWillHappen):
        run(Clock(), wait_for_ever())
