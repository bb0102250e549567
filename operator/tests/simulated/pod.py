"""What controllers and kubelet both know of pods."""

from __future__ import annotations

from simulated.server import ApiServer
from simulated.store import Object

TRACKING = "batch.kubernetes.io/job-tracking"


def is_terminal(pod: Object) -> bool:
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def is_leaving(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def is_tracked(pod: Object) -> bool:
    """Whether the Job controller has not counted it yet."""
    return TRACKING in pod["metadata"].get("finalizers", ())


def delete_pod(server: ApiServer, actor: str, pod: Object) -> None:
    """With its grace period where a kubelet runs it, at once otherwise."""
    lives = bool(pod["spec"].get("nodeName")) and not is_terminal(pod)
    grace = pod["spec"].get("terminationGracePeriodSeconds", 30) if lives else 0
    server.delete(actor, "pods", pod["metadata"]["namespace"], pod["metadata"]["name"], grace=grace)


def set_condition(
    status: Object, type_: str, truth: str, at: str, reason: str = "", message: str = ""
) -> None:
    """Replaces the condition of that type, or adds it at the end."""
    condition = {
        "type": type_,
        "status": truth,
        "lastTransitionTime": at,
        "reason": reason,
        "message": message,
    }
    conditions = status.setdefault("conditions", [])
    for place, present in enumerate(conditions):
        if present["type"] == type_:
            conditions[place] = condition
            return
    conditions.append(condition)


def has_condition(status: Object, type_: str) -> bool:
    return any(c["type"] == type_ and c["status"] == "True" for c in status.get("conditions") or ())
