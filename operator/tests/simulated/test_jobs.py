"""The simulated Job controller and kubelet against control_plane_review.md sections 1.1, 2 and 3."""

from __future__ import annotations

import json

import pytest
from spark_crds.formats.run import RunDocument, RunIdentity
from spark_operator.core.names import RUN_LABEL, RUN_SPEC_ANNOTATION

from simulated.pod import TRACKING
from simulated.script import (
    Deleted,
    Evicted,
    Exit,
    Outcome,
    PullError,
    Refused,
    Unschedulable,
    absent,
    disk_full,
    out_of_memory,
)
from simulated.store import Key, Object
from simulated.world import NAMESPACE, World

JOB = Key("jobs", NAMESPACE, "job")
RULES = [
    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
    {
        "action": "FailJob",
        "onExitCodes": {"containerName": "engine", "operator": "In", "values": list(range(10, 20))},
    },
]


class Lab:
    """One Job, made by hand, and the conditions that it showed, in order."""

    def __init__(self, *outcomes: Outcome, pod: Object | None = None, **spec: object) -> None:
        self.world = World()
        self.seen: list[str] = []
        self.world.store.watch(self._look)
        self.world.scripts.write("lab", outcomes)
        run = RunDocument(RunIdentity("lab"), {}, "sha256:" + "0" * 64).document()
        template = {
            "metadata": {
                "labels": {RUN_LABEL: "lab"},
                "annotations": {RUN_SPEC_ANNOTATION: json.dumps(run)},
            },
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 5,
                "containers": [{"name": "engine", "image": "registry.example/engine:1"}],
            }
            | (pod or {}),
        }
        body = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "job", "namespace": NAMESPACE, "labels": {RUN_LABEL: "lab"}},
            "spec": {"template": template, "podFailurePolicy": {"rules": RULES}, **spec},
        }
        self.world.server.create("user", "jobs", NAMESPACE, body)

    def _look(self, _: str, body: Object) -> None:
        for condition in body.get("status", {}).get("conditions", ()) if body.get("kind") == "Job" else ():
            name = f"{condition['type']}={condition['status']}"
            if name not in self.seen:
                self.seen.append(name)

    @property
    def job(self) -> Object:
        found = self.world.store.get(JOB)
        assert found is not None
        return found

    @property
    def pods(self) -> list[Object]:
        return self.world.store.all("pods")

    def patch(self, **spec: object) -> None:
        self.world.server.patch("user", "jobs", NAMESPACE, "job", {"spec": spec})

    def reason(self, condition: str) -> str:
        return next(str(c["reason"]) for c in self.job["status"]["conditions"] if c["type"] == condition)


@pytest.mark.parametrize(
    ("outcomes", "limit", "conditions", "reason", "pods"),
    [
        ([Exit(0)], 2, ["SuccessCriteriaMet", "Complete"], "CompletionsReached", 1),
        ([Exit(0, absent)], 2, ["SuccessCriteriaMet", "Complete"], "CompletionsReached", 1),
        ([Exit(12)], 3, ["FailureTarget", "Failed"], "PodFailurePolicy", 1),
        ([Exit(20)], 1, ["FailureTarget", "Failed"], "BackoffLimitExceeded", 2),
        ([out_of_memory(), Exit(0)], 1, ["SuccessCriteriaMet", "Complete"], "CompletionsReached", 2),
        ([out_of_memory()], 0, ["FailureTarget", "Failed"], "BackoffLimitExceeded", 1),
        ([Evicted(on_sigterm=12), Exit(0)], 0, ["SuccessCriteriaMet", "Complete"], "CompletionsReached", 2),
        ([disk_full(), Exit(0)], 0, ["FailureTarget", "Failed"], "BackoffLimitExceeded", 1),
        ([Deleted(), Exit(0)], 0, ["FailureTarget", "Failed"], "BackoffLimitExceeded", 1),
        ([Deleted(), Exit(0)], 1, ["SuccessCriteriaMet", "Complete"], "CompletionsReached", 2),
    ],
)
def test_a_job_ends_as_the_table_of_the_review_says(
    outcomes: list[Outcome], limit: int, conditions: list[str], reason: str, pods: int
) -> None:
    lab = Lab(*outcomes, backoffLimit=limit)
    lab.world.settle(120)
    assert lab.seen == [f"{name}=True" for name in conditions]
    assert lab.reason(conditions[-1]) == reason
    made = [key for key in lab.world.store.created if key.plural == "pods"]
    assert len(made) == pods


def test_the_message_of_a_failure_policy_names_pod_code_and_rule() -> None:
    lab = Lab(Exit(12))
    lab.world.settle(20)
    (failed,) = [c for c in lab.job["status"]["conditions"] if c["type"] == "Failed"]
    pod = lab.pods[0]["metadata"]["name"]
    words = "failed with exit code 12 matching FailJob rule at index 1"
    assert failed["message"] == f"Container engine for pod {NAMESPACE}/{pod} {words}"


def test_a_failed_job_has_no_completion_time() -> None:
    complete, failed = Lab(Exit(0)), Lab(Exit(12))
    complete.world.settle(20)
    failed.world.settle(20)
    assert "completionTime" in complete.job["status"]
    assert "completionTime" not in failed.job["status"]


def test_finished_pods_carry_their_finalizer_until_after_the_first_condition() -> None:
    lab = Lab(Exit(0))
    tracked: list[bool] = []

    def look(type_: str, body: Object) -> None:
        if body.get("kind") == "Job" and lab.seen == ["SuccessCriteriaMet=True"] and not tracked:
            tracked.append(TRACKING in lab.pods[0]["metadata"]["finalizers"])

    lab.world.store.watch(look)
    lab.world.settle(20)
    assert tracked == [True]
    assert lab.pods[0]["metadata"]["finalizers"] == []


def test_an_image_that_cannot_be_pulled_waits_until_the_deadline_of_the_pod() -> None:
    lab = Lab(PullError(), backoffLimit=0, pod={"activeDeadlineSeconds": 60})
    lab.world.settle(30)
    waiting = lab.pods[0]["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    lab.world.settle(60)
    assert (lab.pods[0]["status"]["phase"], lab.pods[0]["status"]["reason"]) == ("Failed", "DeadlineExceeded")
    assert lab.reason("Failed") == "BackoffLimitExceeded"


def test_the_deadline_of_a_pod_keeps_it_with_sigterms_exit_code() -> None:
    lab = Lab(Exit(seconds=100), backoffLimit=0, pod={"activeDeadlineSeconds": 10})
    lab.world.settle(30)
    (pod,) = lab.pods
    assert pod["status"]["reason"] == "DeadlineExceeded"
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 143


def test_a_job_whose_pods_are_refused_shows_nothing_but_events() -> None:
    lab = Lab(Refused())
    lab.world.settle(3600)
    assert lab.job["status"].keys() <= {"startTime", "terminating", "ready"}
    assert lab.pods == []
    (event,) = lab.world.store.all("events")
    assert (event["reason"], event["regarding"]["name"]) == ("FailedCreate", "job")
    assert event["deprecatedCount"] > 100


def test_a_pod_without_a_node_waits_and_says_why() -> None:
    lab = Lab(Unschedulable(seconds=50))
    lab.world.settle(40)
    (scheduled,) = lab.pods[0]["status"]["conditions"]
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
    lab.world.settle(30)
    assert lab.seen[-1] == "Complete=True"


def test_a_job_created_suspended_has_not_started() -> None:
    lab = Lab(Exit(0), suspend=True)
    lab.world.settle(10)
    assert "startTime" not in lab.job["status"]
    lab.patch(suspend=False)
    lab.world.settle(10)
    assert lab.seen == ["Suspended=True", "Suspended=False", "SuccessCriteriaMet=True", "Complete=True"]


def test_a_suspended_job_keeps_its_start_time_and_cannot_resume_with_it() -> None:
    lab = Lab(Exit(seconds=100), Exit(0))
    lab.world.settle(5)
    lab.patch(suspend=True)
    lab.world.settle(10)
    assert (lab.pods, "startTime" in lab.job["status"]) == ([], True)
    lab.patch(suspend=False)
    lab.world.settle(60)
    assert (lab.pods, lab.world.jobs.stuck) == ([], {JOB})


def test_a_suspended_job_resumes_once_its_start_time_is_cleared() -> None:
    lab = Lab(Exit(seconds=100), Exit(0))
    lab.world.settle(5)
    lab.patch(suspend=True)
    lab.world.settle(10)
    lab.world.server.patch("user", "jobs", NAMESPACE, "job", {"status": {"startTime": None}}, "status")
    lab.patch(suspend=False)
    lab.world.settle(60)
    assert lab.seen[-1] == "Complete=True"


def test_a_deletion_in_the_foreground_waits_for_the_pod() -> None:
    lab = Lab(Exit(seconds=100, on_sigterm=None))
    lab.world.settle(5)
    lab.world.server.delete("user", "jobs", NAMESPACE, "job", propagation="Foreground")
    lab.world.settle(3)
    assert "deletionTimestamp" in lab.job["metadata"]
    assert lab.job["status"]["terminating"] == 1
    lab.world.settle(4)
    assert (lab.world.store.get(JOB), lab.pods) == (None, [])


def test_a_deletion_that_orphans_leaves_the_pod_running() -> None:
    lab = Lab(Exit(seconds=100))
    lab.world.settle(5)
    lab.world.server.delete("user", "jobs", NAMESPACE, "job", propagation="Orphan")
    lab.world.settle(5)
    assert lab.world.store.get(JOB) is None
    assert [pod["status"]["phase"] for pod in lab.pods] == ["Running"]


def test_a_time_to_live_counts_from_the_end_and_not_from_the_patch() -> None:
    lab = Lab(Exit(0))
    lab.world.settle(20)
    lab.patch(ttlSecondsAfterFinished=3)
    lab.world.settle(2)
    assert (lab.world.store.get(JOB), lab.pods) == (None, [])


def test_a_termination_message_is_cut_at_4096_bytes_and_logs_stand_in_for_a_missing_one() -> None:
    long, silent = Lab(Exit(20, lambda _: b"x" * 12000)), Lab(Exit(20, absent, logs="y" * 5000))
    for lab, expected in ((long, "x" * 4096), (silent, "y" * 2048)):
        lab.world.settle(5)
        assert lab.pods[0]["status"]["containerStatuses"][0]["state"]["terminated"]["message"] == expected
