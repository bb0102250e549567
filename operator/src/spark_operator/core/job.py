"""Facts about a batch/v1 Job and its pods, read from their JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spark_operator.core.conditions import find_condition, has_ended, is_true
from spark_operator.core.names import HARVESTED_LABEL, SPEC_HASH_ANNOTATION

Object = Mapping[str, Any]

CONTAINER = "engine"


def is_finished(job: Object) -> bool:
    """Complete or Failed; FailureTarget and SuccessCriteriaMet come before all pods are gone."""
    return has_ended(job.get("status") or {})


def is_complete(job: Object) -> bool:
    return is_true(job.get("status") or {}, "Complete")


def failed_condition(job: Object) -> Object:
    """The condition that says why a failed Job failed."""
    return find_condition(job.get("status") or {}, "Failed") or {}


def is_being_deleted(thing: Object) -> bool:
    return "deletionTimestamp" in thing["metadata"]


def is_harvested(job: Object) -> bool:
    return HARVESTED_LABEL in (job["metadata"].get("labels") or {})


def is_suspended(job: Object) -> bool:
    return bool(job["spec"].get("suspend"))


def has_pods(job: Object) -> bool:
    """Whether pods of it are alive or ending."""
    status = job.get("status") or {}
    return bool(status.get("active") or status.get("terminating"))


def has_start_time(job: Object) -> bool:
    return bool((job.get("status") or {}).get("startTime"))


def is_owned_by(job: Object, uid: str) -> bool:
    owners = job["metadata"].get("ownerReferences") or ()
    return any(owner["uid"] == uid and owner.get("controller") for owner in owners)


def has_spec_hash(job: Object, spec_hash: str) -> bool:
    return (job["metadata"].get("annotations") or {}).get(SPEC_HASH_ANNOTATION) == spec_hash


@dataclass(frozen=True, slots=True)
class Ending:
    """How the engine's container in a pod ended."""

    pod: str
    exit_code: int
    reason: str
    message: str
    started: str
    finished: str
    image_id: str


def ending(pod: Object) -> Ending | None:
    """None while the container runs, or when it never did."""
    status = _engine_status(pod)
    terminated = status.get("state", {}).get("terminated")
    if terminated is None:
        return None
    return Ending(
        pod=pod["metadata"]["name"],
        exit_code=terminated["exitCode"],
        reason=terminated.get("reason") or "",
        message=terminated.get("message") or "",
        started=terminated.get("startedAt") or "",
        finished=terminated.get("finishedAt") or "",
        image_id=status.get("imageID") or "",
    )


def endings(pods: Iterable[Object]) -> list[Ending]:
    """In the order in which they finished; a successful one last, should times be equal."""
    found = [end for pod in pods if (end := ending(pod)) is not None]
    return sorted(found, key=lambda end: (end.finished, end.exit_code == 0, end.pod))


def start_times(pods: Iterable[Object]) -> list[str]:
    """When the engine's containers started, earliest first."""
    times = []
    for pod in pods:
        state = _engine_status(pod).get("state", {})
        running = state.get("running") or state.get("terminated") or {}
        if running.get("startedAt"):
            times.append(running["startedAt"])
    return sorted(times)


def pod_reason(pods: Iterable[Object]) -> str:
    """What the newest failed pod as a whole says, such as Evicted or DeadlineExceeded."""
    failed = [pod for pod in pods if pod["status"].get("phase") == "Failed"]
    newest = max(failed, key=lambda pod: pod["metadata"]["creationTimestamp"], default=None)
    return "" if newest is None else newest["status"].get("reason") or ""


def waiting(pod: Object) -> tuple[str, str]:
    """Reason and message of a container that does not start, such as ImagePullBackOff; empty if unsaid."""
    state = _engine_status(pod).get("state", {}).get("waiting") or {}
    return state.get("reason") or "", state.get("message") or ""


def _engine_status(pod: Object) -> Object:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((status for status in statuses if status["name"] == CONTAINER), {})
