"""One look: actions, then one status write, then events; each told once, whatever got lost."""

# ruff: noqa: ARG002 - methods of a protocol

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from probe.kind import PROBES, ObservedProbe, probe
from probe.memory import MemoryCluster
from prometheus_client import CollectorRegistry
from spark_operator.cluster import errors
from spark_operator.cluster.interface import Cluster
from spark_operator.cluster.resources import EVENTS, JOBS, Resource
from spark_operator.configuration.model import Configuration, EnginePods
from spark_operator.core.plan import (
    ClearJobStartTime,
    CreateJob,
    DeleteJob,
    EventDraft,
    MarkHarvested,
    Plan,
    SuspendJob,
)
from spark_operator.runtime.controller import Controller
from spark_operator.runtime.emit import event_object
from spark_operator.runtime.kind import Key
from spark_operator.runtime.metrics import QueueFamilies, ReconcileFamilies
from spark_operator.runtime.queue import Backoff, WorkQueue
from spark_operator.runtime.reconcile import Reconciler
from spark_operator.runtime.resync import Resync

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = Key("probes", "ns", "one")
CONFIGURATION = Configuration(engine=EnginePods(image="example.test/engine:1"))
DONE = EventDraft("one.done", "Normal", "Done", "it is done")


@dataclass
class Planned:
    """A kind whose decision is given."""

    plan: Callable[[dict[str, Any]], Plan]
    resource: Resource = PROBES
    children: tuple[Resource, ...] = (JOBS,)
    recorded: list[tuple[Any, Any]] = field(default_factory=list)
    remembered: list[str] = field(default_factory=list)
    forgotten: list[Key] = field(default_factory=list)
    to_wake: list[Key] = field(default_factory=list)

    def remember(self, body: Mapping[str, Any]) -> None:
        self.remembered.append(body["metadata"]["name"])

    def forget(self, key: Key) -> None:
        self.forgotten.append(key)

    def is_settled(self, body: Mapping[str, Any]) -> bool:
        return bool((body.get("status") or {}).get("phase") == "Succeeded")

    async def observe(self, cluster: Cluster, key: Key, now: datetime) -> ObservedProbe | None:
        body = await cluster.get(PROBES, key.namespace, key.name)
        return None if body is None else ObservedProbe(body)

    def decide(self, observed: ObservedProbe, now: datetime, configuration: Configuration) -> Plan:
        return self.plan(observed.object)

    def refused(
        self,
        observed: ObservedProbe,
        message: str,
        now: datetime,
        configuration: Configuration,
        *,
        for_good: bool,
    ) -> Plan:
        return Plan(status={"phase": "Failed" if for_good else "Pending", "message": message})

    def woken(self) -> Iterable[Key]:
        woken, self.to_wake = self.to_wake, []
        return woken

    def record(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        self.recorded.append((before.get("status"), after.get("status")))


class Bench:
    """A controller of one planned kind over objects in memory."""

    def __init__(self, plan: Callable[[dict[str, Any]], Plan] | Plan) -> None:
        self.cluster = MemoryCluster()
        self.registry = CollectorRegistry()
        self.kind = Planned(plan if callable(plan) else lambda _: plan)
        reconciler = Reconciler(
            self.kind, self.cluster, lambda: CONFIGURATION, instance="pod_1", now=lambda: NOW
        )
        queue = WorkQueue[Key](lambda: 0.0, QueueFamilies(self.registry).queue("probe"), Backoff(60, 600))
        self.controller = Controller(
            reconciler, queue, lambda key: self.controller.add(key), ReconcileFamilies(self.registry)
        )

    def add(self, name: str = "one", **status: Any) -> dict[str, Any]:
        body = probe("ns", name)
        return self.cluster.put(PROBES, {**body, "status": status} if status else body)

    def status(self) -> Any:
        return self.cluster.objects["probes", "ns", "one"].get("status")

    def run(self, *keys: Key) -> None:
        async def process() -> None:
            for key in keys or (KEY,):
                await self.controller.process(key)

        asyncio.run(process())

    def results(self) -> dict[str, float]:
        samples = next(
            family.samples
            for family in self.registry.collect()
            if family.name == "controller_runtime_reconcile"
        )
        return {
            each.labels["result"]: each.value
            for each in samples
            if each.value and each.name.endswith("_total")
        }


def test_actions_come_first_then_one_status_then_events() -> None:
    manifest = {"metadata": {"name": "job", "namespace": "ns"}}
    bench = Bench(Plan((CreateJob(manifest),), {"phase": "Running"}, (DONE,)))
    bench.add()
    bench.run()
    assert bench.cluster.writes() == [
        ("create", "jobs", "job"),
        ("replace_status", "probes", "one"),
        ("create", "events", "one.done"),
    ]
    assert bench.kind.recorded == [(None, {"phase": "Running"})]
    assert bench.results() == {"success": 1}


def test_a_status_that_is_so_already_is_not_written() -> None:
    bench = Bench(Plan(status={"phase": "Running"}))
    bench.add(phase="Running")
    bench.run()
    assert bench.cluster.writes() == []
    assert bench.kind.recorded == []


def test_a_status_is_total_what_is_not_planned_goes() -> None:
    bench = Bench(Plan(status={"phase": "Pending"}))
    bench.add(phase="Running", jobName="old")
    bench.run()
    assert bench.status() == {"phase": "Pending"}


def test_an_object_that_is_gone_is_forgotten_and_nothing_is_written() -> None:
    bench = Bench(Plan(status={"phase": "Running"}))
    bench.run()
    assert bench.kind.forgotten == [KEY]
    assert bench.cluster.writes() == []


@pytest.mark.parametrize(
    ("action", "request_line", "body"),
    [
        (
            SuspendJob("job", "u", True),
            ("patch", "jobs", "job"),
            {"metadata": {"uid": "u"}, "spec": {"suspend": True}},
        ),
        (
            ClearJobStartTime("job", "u"),
            ("patch/status", "jobs", "job"),
            {"metadata": {"uid": "u"}, "status": {"startTime": None}},
        ),
        (DeleteJob("job", "u"), ("delete", "jobs", "job"), "u"),
        (
            MarkHarvested("job", "u", 60),
            ("patch", "jobs", "job"),
            {
                "metadata": {"uid": "u", "labels": {"spark.trading/harvested": "true"}},
                "spec": {"ttlSecondsAfterFinished": 60},
            },
        ),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_an_action_on_a_job_is_one_guarded_request_and_a_job_that_is_gone_is_no_error(
    action: Any, request_line: Any, body: Any, there: bool
) -> None:
    bench = Bench(Plan((action,), {"phase": "Running"}))
    bench.add()
    if there:
        bench.cluster.put(JOBS, {"metadata": {"name": "job", "namespace": "ns"}})
    bench.run()
    assert bench.cluster.writes() == [request_line, ("replace_status", "probes", "one")]
    assert bench.cluster.bodies[bench.cluster.requests.index(request_line)] == body
    assert bench.results() == {"success": 1}


def test_a_job_that_is_there_already_is_no_error() -> None:
    manifest = {"metadata": {"name": "job", "namespace": "ns"}}
    bench = Bench(Plan((CreateJob(manifest),), {"phase": "Running"}))
    bench.add()
    bench.cluster.put(JOBS, manifest)
    bench.run()
    assert bench.status() == {"phase": "Running"}


def test_a_job_that_is_refused_as_invalid_is_told_and_not_asked_for_again() -> None:
    manifest = {"metadata": {"name": "job", "namespace": "ns"}}
    bench = Bench(Plan((CreateJob(manifest),), requeue_after=0))
    bench.add()
    bench.cluster.fault = lambda verb, *_: errors.Invalid("too large") if verb == "create" else None
    bench.run()
    assert bench.status() == {"phase": "Failed", "message": "too large"}
    assert bench.results() == {"success": 1}


def test_a_guard_that_does_not_hold_is_looked_at_again() -> None:
    bench = Bench(Plan((DeleteJob("job", "u"),), {"phase": "Cancelled"}))
    bench.add()
    bench.cluster.fault = lambda verb, *_: errors.Invalid("uid") if verb == "delete" else None
    bench.run()
    assert bench.status() is None
    assert bench.results() == {"error": 1}


def test_a_failed_action_stops_before_the_status() -> None:
    bench = Bench(Plan((DeleteJob("job", "u"),), {"phase": "Cancelled"}, (DONE,)))
    bench.add()
    bench.cluster.fault = lambda verb, *_: errors.Unavailable("down") if verb == "delete" else None
    bench.run()
    assert bench.status() is None
    assert bench.cluster.writes() == [("delete", "jobs", "job")]
    assert bench.results() == {"error": 1}
    assert bench.controller.queue.failures(KEY) == 1


def test_an_event_that_cannot_be_posted_fails_nothing() -> None:
    bench = Bench(Plan(status={"phase": "Running"}, events=(DONE,)))
    bench.add()
    bench.cluster.fault = lambda _, plural, __: errors.Forbidden("no") if plural == "events" else None
    bench.run()
    assert bench.results() == {"success": 1}


def test_an_event_that_was_posted_before_is_fine() -> None:
    bench = Bench(Plan(events=(DONE,)))
    bench.add()
    bench.run(KEY, KEY)
    assert bench.results() == {"success": 2}


def test_no_event_is_posted_when_the_status_was_not_written() -> None:
    bench = Bench(Plan(status={"phase": "Running"}, events=(DONE,)))
    bench.add()
    bench.cluster.fault = lambda verb, *_: errors.Conflict("stale") if verb == "replace_status" else None
    bench.run()
    assert ("create", "events", "one.done") not in bench.cluster.requests


def test_a_conflict_is_looked_at_again_at_once_and_later_when_it_goes_on() -> None:
    bench = Bench(Plan(status={"phase": "Running"}))
    bench.add()
    bench.cluster.fault = lambda verb, *_: errors.Conflict("stale") if verb == "replace_status" else None
    bench.run()
    assert len(bench.controller.queue) == 1
    assert bench.results() == {"requeue": 1}
    bench.run()
    assert bench.results() == {"requeue": 1, "error": 1}


def test_a_namespace_that_goes_is_left_alone() -> None:
    bench = Bench(Plan((CreateJob({"metadata": {"name": "job"}}),)))
    bench.add()
    message = "unable to create new content in namespace ns because it is being terminated"
    bench.cluster.fault = lambda verb, *_: errors.Forbidden(message, status=403) if verb == "create" else None
    bench.run()
    assert bench.results() == {"success": 1}
    assert bench.controller.queue.failures(KEY) == 0


def test_a_job_that_is_forbidden_is_told_and_tried_again() -> None:
    bench = Bench(Plan((CreateJob({"metadata": {"name": "job"}}),)))
    bench.add()
    bench.cluster.fault = lambda verb, *_: errors.Forbidden("exceeded quota") if verb == "create" else None
    bench.run()
    assert bench.kind.recorded[-1][1] == {"phase": "Pending", "message": "exceeded quota"}


def test_what_is_forbidden_otherwise_is_tried_again() -> None:
    bench = Bench(Plan(status={"phase": "Running"}))
    bench.add()
    bench.cluster.fault = lambda verb, *_: errors.Forbidden("no") if verb == "replace_status" else None
    bench.run()
    assert bench.results() == {"error": 1}
    assert bench.controller.queue.failures(KEY) == 1


def test_a_write_refused_by_the_fence_is_not_retried() -> None:
    bench = Bench(Plan(status={"phase": "Running"}))
    bench.add()
    bench.cluster.fault = lambda verb, *_: errors.NotLeading("no") if verb == "replace_status" else None
    bench.run()
    assert bench.controller.queue.failures(KEY) == 0


def test_a_fault_of_ours_is_counted_and_tried_later_and_ends_nothing() -> None:
    def broken(_: dict[str, Any]) -> Plan:
        raise ZeroDivisionError("ours")

    bench = Bench(broken)
    bench.add()
    bench.run()
    assert bench.results() == {"error": 1}
    labels = {"controller": "probe"}
    assert bench.registry.get_sample_value("controller_runtime_reconcile_errors_total", labels) == 1


def test_a_status_write_whose_answer_got_lost_is_told_once_with_its_events() -> None:
    def plan(body: dict[str, Any]) -> Plan:
        return Plan() if body.get("status") else Plan(status={"phase": "Running"}, events=(DONE,))

    bench = Bench(plan)
    bench.add()
    bench.cluster.lost = {"replace_status"}
    bench.run()
    assert bench.status() == {"phase": "Running"}
    assert bench.kind.recorded == []
    bench.cluster.lost = set()
    bench.run(KEY, KEY)
    assert bench.kind.recorded == [(None, {"phase": "Running"})]
    assert bench.cluster.writes().count(("create", "events", "one.done")) == 1


def test_a_status_write_that_did_not_happen_is_told_when_it_does() -> None:
    bench = Bench(Plan(status={"phase": "Running"}, events=(DONE,)))
    bench.add()
    bench.cluster.fault = lambda verb, *_: errors.Unavailable("down") if verb == "replace_status" else None
    bench.run(KEY, KEY)
    assert bench.kind.recorded == []
    bench.cluster.fault = lambda *_: None
    bench.run(KEY, KEY)
    assert bench.kind.recorded == [(None, {"phase": "Running"})]


def test_a_late_commit_is_told_once_though_the_plan_has_changed_meanwhile() -> None:
    """The first write happens only after a second look still saw the old status."""
    times = iter("abc")

    def plan(body: dict[str, Any]) -> Plan:
        return Plan() if body.get("status") else Plan(status={"phase": "Running", "at": next(times)})

    bench = Bench(plan)
    before = bench.add()
    bench.cluster.fault = lambda verb, *_: errors.Unavailable("late") if verb == "replace_status" else None
    bench.run(KEY, KEY)
    bench.cluster.fault = lambda *_: None
    bench.cluster.put(PROBES, {**before, "status": {"phase": "Running", "at": "a"}})
    bench.run(KEY, KEY)
    assert bench.kind.recorded == [(None, {"phase": "Running", "at": "a"})]


def test_a_status_that_somebody_else_wrote_is_not_told_as_ours() -> None:
    bench = Bench(lambda body: Plan() if body.get("status") else Plan(status={"phase": "Running"}))
    before = bench.add()
    bench.cluster.fault = lambda verb, *_: errors.Unavailable("down") if verb == "replace_status" else None
    bench.run()
    bench.cluster.fault = lambda *_: None
    bench.cluster.put(PROBES, {**before, "status": {"phase": "Failed"}})
    bench.run()
    bench.cluster.put(PROBES, {**before, "status": {"phase": "Running"}})
    bench.run()
    assert bench.kind.recorded == []


def test_what_a_decision_wakes_is_enqueued_even_after_a_failure() -> None:
    bench = Bench(Plan(status={"phase": "Running"}))
    bench.add()
    bench.cluster.fault = lambda verb, *_: errors.Unavailable("down") if verb == "replace_status" else None
    bench.kind.to_wake = [Key("probes", "ns", "next")]
    bench.run()
    assert len(bench.controller.queue) == 1
    assert Key("probes", "ns", "next") in bench.controller.known


@pytest.mark.parametrize("text", ["x" * 5000, "ş" * 1000, "…" * 342])
def test_an_event_is_valid_and_its_note_is_bounded_in_bytes(text: str) -> None:
    bench = Bench(Plan())
    body = bench.add()
    event = event_object("pod" * 100, body, EventDraft("e", "Warning", "Failed", text), NOW)
    assert event["eventTime"] == "2026-01-02T03:04:05.000000Z"
    assert 1020 < len(event["note"].encode()) <= 1024
    assert event["note"].endswith(text[0] + "…")
    assert len(event["reportingInstance"]) == 128
    assert event["regarding"]["uid"] == body["metadata"]["uid"]
    assert event["apiVersion"] == EVENTS.api_version


def resync(bench: Bench, namespaces: tuple[str, ...] = ()) -> Resync:
    return Resync(bench.cluster, [bench.controller], namespaces, lambda: 0.5)


def drained(bench: Bench) -> list[str]:
    async def drain() -> list[str]:
        names = []
        while len(bench.controller.queue):
            key = await bench.controller.queue.get()
            assert key is not None
            names.append(key.name)
        return names

    return asyncio.run(drain())


def test_every_object_is_remembered_and_only_unsettled_ones_are_looked_at() -> None:
    bench = Bench(Plan())
    for number in range(1203):
        bench.add(f"p{number}", phase="Succeeded" if number else "Running")
    asyncio.run(_in_loop(resync(bench).once))
    assert len(bench.kind.remembered) == 1203
    assert bench.cluster.requests.count(("list", "probes", "")) == 3
    assert not [each for each in bench.cluster.requests if each[0] != "list"]
    assert drained(bench) == ["p0"]


async def _in_loop(call: Callable[[], Any]) -> None:
    await call()


def test_a_job_with_an_unfinished_write_wakes_its_settled_owner() -> None:
    bench = Bench(Plan())
    for name, labels in (
        ("left", {"spark.trading/run": "left"}),
        ("tidy", {"spark.trading/run": "tidy", "spark.trading/harvested": "true"}),
        ("foreign", {}),
    ):
        bench.add(name, phase="Succeeded")
        owner = {"apiVersion": "machinery.test/v1", "kind": "Probe", "name": name, "controller": True}
        metadata = {"name": f"{name}-job", "namespace": "ns", "labels": labels, "ownerReferences": [owner]}
        bench.cluster.put(JOBS, {"metadata": metadata})
    asyncio.run(_in_loop(resync(bench).once))
    assert drained(bench) == ["left"]


def test_an_object_that_vanished_unseen_is_forgotten() -> None:
    bench = Bench(Plan())
    bench.add("one", phase="Succeeded")
    bench.add("two", phase="Succeeded")
    whole = resync(bench)
    asyncio.run(_in_loop(whole.once))
    del bench.cluster.objects["probes", "ns", "one"]
    asyncio.run(_in_loop(whole.once))
    assert bench.kind.forgotten == [KEY]
    assert drained(bench) == []


def test_only_watched_namespaces_are_listed() -> None:
    bench = Bench(Plan())
    bench.add("one", phase="Running")
    bench.cluster.put(PROBES, probe("other", "two"))
    asyncio.run(_in_loop(resync(bench, ("ns",)).once))
    assert drained(bench) == ["one"]
