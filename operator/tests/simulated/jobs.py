"""The Job controller, for Jobs of one completion (control_plane_review.md sections 1.1 and 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from spark_operator.core.names import short_hash

from simulated.clock import Chance
from simulated.failure_policy import judge
from simulated.kubelet import Kubelet
from simulated.pod import (
    TRACKING,
    delete_pod,
    has_condition,
    is_leaving,
    is_terminal,
    is_tracked,
    set_condition,
)
from simulated.recorder import Recorder
from simulated.script import Refused, Scripts
from simulated.server import ApiServer
from simulated.store import EventType, Key, Object

UID_LABEL = "batch.kubernetes.io/controller-uid"
NAME_LABEL = "batch.kubernetes.io/job-name"
BACKOFF_SECONDS = 10.0
LONGEST_BACKOFF_SECONDS = 600.0
REFUSED_RETRY_SECONDS = 10.0
POD_BATCH_SECONDS = 1.0


class JobController:
    """`stuck` names Jobs that were resumed while `status.startTime` was set: up to the backports of late 2025
    their status can no longer be updated, and they never start."""

    def __init__(
        self, server: ApiServer, chance: Chance, kubelet: Kubelet, recorder: Recorder, scripts: Scripts
    ) -> None:
        self._server = server
        self._chance = chance
        self._kubelet = kubelet
        self._recorder = recorder
        self._scripts = scripts
        self._due: set[Key] = set()
        self._not_before: dict[str, float] = {}
        self._refused_since: dict[str, float] = {}
        self._pods_made: dict[str, int] = {}
        self.stuck: set[Key] = set()
        server.store.watch(self._on_event)

    def _on_event(self, type_: EventType, body: Object) -> None:
        metadata = body["metadata"]
        if body.get("kind") == "Job" and type_ != "DELETED":
            self._sync_soon(Key("jobs", metadata["namespace"], metadata["name"]))
        elif body.get("kind") == "Job":
            self._server.clock.after(0.05, lambda: self._release_pods(metadata["namespace"], metadata["uid"]))
        elif body.get("kind") == "Pod" and NAME_LABEL in metadata.get("labels", {}):
            key = Key("jobs", metadata["namespace"], metadata["labels"][NAME_LABEL])
            self._sync_soon(key, POD_BATCH_SECONDS)

    def _sync_soon(self, key: Key, delay: float = 0.0) -> None:
        if key in self._due:
            return
        self._due.add(key)
        wait = max(delay, self._chance.between(0.05, 0.15, "sync", key, self._server.store.revision))

        def sync() -> None:
            self._due.discard(key)
            self._sync(key)

        self._server.clock.after(wait, sync)

    def _sync(self, key: Key) -> None:
        job = self._server.store.get(key)
        if job is None:
            return
        pods = self._pods(job)
        if is_leaving(job) or is_finished(job):
            self._untrack(pod for pod in pods if is_terminal(pod) or is_leaving(pod))
            self._count(job, pods)
        elif is_ending(job):
            self._end(job, pods)
        elif job["spec"]["suspend"]:
            self._suspend(job, pods)
        elif self._has_started(job):
            self._run(job, pods)

    def _run(self, job: Object, pods: list[Object]) -> None:
        ended = [pod for pod in pods if is_terminal(pod) and is_tracked(pod)]
        if any(pod["status"]["phase"] == "Succeeded" for pod in ended):
            message = "Reached expected number of succeeded pods"
            return self._decide(job, "SuccessCriteriaMet", "CompletionsReached", message)
        counted = 0
        for pod in ended:
            verdict = judge(job, pod)
            if verdict.action == "FailJob":
                return self._decide(job, "FailureTarget", "PodFailurePolicy", verdict.message)
            counted += verdict.action != "Ignore"
        failed = job["status"].get("failed", 0) + counted
        if failed > job["spec"]["backoffLimit"]:
            message = "Job has reached the specified backoff limit"
            return self._decide(job, "FailureTarget", "BackoffLimitExceeded", message)
        if counted:
            wait = min(BACKOFF_SECONDS * 2 ** (failed - 1), LONGEST_BACKOFF_SECONDS)
            self._not_before[job["metadata"]["uid"]] = self._server.clock.seconds + wait
            self._change(job, lambda j: j["status"].update(failed=failed))
        self._untrack(ended)
        self._count(job, pods)
        if not any(not is_terminal(pod) for pod in pods):
            self._create_pod(job)
        return None

    def _decide(self, job: Object, interim: str, reason: str, message: str) -> None:
        """The finished pods still carry their finalizer; the terminal condition comes later."""
        now = self._server.clock.timestamp()
        self._change(job, lambda j: set_condition(j["status"], interim, "True", now, reason, message))

    def _end(self, job: Object, pods: list[Object]) -> None:
        for pod in pods:
            if not is_terminal(pod) and not is_leaving(pod):
                delete_pod(self._server, "job-controller", pod)
        if any(not is_terminal(pod) for pod in pods):
            self._count(job, pods)
        elif any(is_tracked(pod) for pod in pods):
            self._untrack(pods)
            self._count(job, pods)
            self._sync_soon(Key("jobs", job["metadata"]["namespace"], job["metadata"]["name"]))
        else:
            self._finish(job, pods)

    def _finish(self, job: Object, pods: list[Object]) -> None:
        now = self._server.clock.timestamp()
        succeeded = has_condition(job["status"], "SuccessCriteriaMet")
        interim = "SuccessCriteriaMet" if succeeded else "FailureTarget"
        why = next(c for c in job["status"]["conditions"] if c["type"] == interim)
        terminal = "Complete" if succeeded else "Failed"

        def finish(j: Object) -> None:
            set_condition(j["status"], terminal, "True", now, why["reason"], why["message"])
            for name in ("active", "terminating"):
                j["status"].pop(name, None)
            j["status"]["uncountedTerminatedPods"] = {}
            if succeeded:
                j["status"] |= {"completionTime": now, "succeeded": 1, "ready": 0}
            else:
                failed = sum(pod["status"].get("phase") == "Failed" for pod in pods)
                j["status"]["failed"] = max(failed, j["status"].get("failed", 0))

        self._change(job, finish)
        kind: Literal["Normal", "Warning"] = "Normal" if succeeded else "Warning"
        reason = "Completed" if succeeded else why["reason"]
        note = "Job completed" if succeeded else why["message"]
        self._recorder.emit("job-controller", kind, reason, note, job)

    def _suspend(self, job: Object, pods: list[Object]) -> None:
        """startTime stays. A pod that ends now is not counted, even with exit 0."""
        for pod in pods:
            if not is_terminal(pod) and not is_leaving(pod):
                delete_pod(self._server, "job-controller", pod)
        self._untrack(pods)
        now = self._server.clock.timestamp()
        if not has_condition(job["status"], "Suspended"):
            self._change(
                job,
                lambda j: set_condition(
                    j["status"], "Suspended", "True", now, "JobSuspended", "Job suspended"
                ),
            )
            self._recorder.emit("job-controller", "Normal", "Suspended", "Job suspended", job)
        self._count(job, self._pods(job))

    def _has_started(self, job: Object) -> bool:
        """Sets startTime where there is none. False where it cannot be set anew."""
        now = self._server.clock.timestamp()
        resumed = has_condition(job["status"], "Suspended")
        if resumed and "startTime" in job["status"]:
            self.stuck.add(Key("jobs", job["metadata"]["namespace"], job["metadata"]["name"]))
            return False

        def start(j: Object) -> None:
            j["status"].setdefault("startTime", now)
            if resumed:
                set_condition(j["status"], "Suspended", "False", now, "JobResumed", "Job resumed")

        if resumed or "startTime" not in job["status"]:
            self._change(job, start)
            return False
        return True

    def _create_pod(self, job: Object) -> None:
        metadata, template = job["metadata"], job["spec"]["template"]
        key = Key("jobs", metadata["namespace"], metadata["name"])
        wait = self._not_before.get(metadata["uid"], 0.0) - self._server.clock.seconds
        if wait > 0:
            return self._sync_soon(key, wait)
        if self._is_refused(job):
            return self._sync_soon(key, REFUSED_RETRY_SECONDS)
        if metadata["namespace"] in self._server.terminating:
            return None
        number = self._pods_made[metadata["uid"]] = self._pods_made.get(metadata["uid"], 0) + 1
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                **template["metadata"],
                "name": f"{metadata['name']}-{short_hash(metadata['uid'], str(number))[:5]}",
                "namespace": metadata["namespace"],
                "finalizers": [TRACKING],
                "ownerReferences": [owner | {"controller": True, "blockOwnerDeletion": True}],
            },
            "spec": template["spec"],
            "status": {"phase": "Pending"},
        }
        made = self._server.create("job-controller", "pods", metadata["namespace"], pod)
        self._kubelet.expect(made["metadata"]["uid"], self._scripts.take(template["metadata"]["labels"]))
        note = f"Created pod: {pod['metadata']['name']}"
        self._recorder.emit("job-controller", "Normal", "SuccessfulCreate", note, job)
        return self._count(job, self._pods(job))

    def _is_refused(self, job: Object) -> bool:
        outcome = self._scripts.present(job["spec"]["template"]["metadata"]["labels"])
        if not isinstance(outcome, Refused):
            return False
        now = self._server.clock.seconds
        since = self._refused_since.setdefault(job["metadata"]["labels"].get("spark.trading/run", ""), now)
        if now - since >= outcome.seconds:
            self._scripts.take(job["spec"]["template"]["metadata"]["labels"])
            return False
        self._recorder.emit(
            "job-controller", "Warning", "FailedCreate", f"Error creating: {outcome.message}", job
        )
        return True

    def _count(self, job: Object, pods: list[Object]) -> None:
        active = sum(not is_terminal(pod) and not is_leaving(pod) for pod in pods)
        terminating = sum(not is_terminal(pod) and is_leaving(pod) for pod in pods)
        ready = sum(pod["status"].get("phase") == "Running" and not is_leaving(pod) for pod in pods)

        def count(j: Object) -> None:
            j["status"] |= {"terminating": terminating, "ready": ready}
            j["status"].pop("active", None)
            if active:
                j["status"]["active"] = active

        if not is_finished(job):
            self._change(job, count)

    def _pods(self, job: Object) -> list[Object]:
        uid = job["metadata"]["uid"]
        pods = self._server.store.all("pods", job["metadata"]["namespace"])
        return [pod for pod in pods if pod["metadata"].get("labels", {}).get(UID_LABEL) == uid]

    def _untrack(self, pods: Iterable[Object]) -> None:
        for pod in pods:
            self._server.modify(
                "pods", pod["metadata"]["namespace"], pod["metadata"]["name"], _without_tracking
            )

    def _release_pods(self, namespace: str, uid: str) -> None:
        """Pods whose Job is gone are nobody's to count."""
        pods = self._server.store.all("pods", namespace)
        self._untrack(pod for pod in pods if pod["metadata"].get("labels", {}).get(UID_LABEL) == uid)

    def _change(self, job: Object, change: Callable[[Object], None]) -> None:
        self._server.modify("jobs", job["metadata"]["namespace"], job["metadata"]["name"], change)


def is_finished(job: Object) -> bool:
    return has_condition(job["status"], "Complete") or has_condition(job["status"], "Failed")


def is_ending(job: Object) -> bool:
    return has_condition(job["status"], "SuccessCriteriaMet") or has_condition(job["status"], "FailureTarget")


def _without_tracking(pod: Object) -> None:
    pod["metadata"]["finalizers"] = [
        name for name in pod["metadata"].get("finalizers", ()) if name != TRACKING
    ]
