"""Everything that one decision about a run looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_operator.core import job as jobs
from spark_operator.core.conditions import has_ended, is_true
from spark_operator.core.names import child_name
from spark_operator.core.slots import ADMITTED, Claim, Place

Object = dict[str, Any]

ROLE = "run"


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """Read live.

    `job` is the object of the attempt's name and `pods` are its; `others` are all Jobs that the run owns,
    read when there can be further ones; `event` is the newest about a Job that does not get going.
    """

    object: Object
    job: Object | None = None
    others: tuple[Object, ...] = ()
    pods: tuple[Object, ...] = ()
    event: str = ""
    place: Place = ADMITTED


def is_finished(run: Mapping[str, Any]) -> bool:
    """Terminal: nothing but its observed generation changes any more."""
    return has_ended(run.get("status") or {})


def is_settled(run: Mapping[str, Any]) -> bool:
    """Finished, and its status is about the present generation."""
    return is_finished(run) and run["status"]["observedGeneration"] == run["metadata"]["generation"]


def wants_cancel(run: Mapping[str, Any]) -> bool:
    """Latched in status: taking `cancel` back changes nothing."""
    return bool(run["spec"].get("cancel") or (run.get("status") or {}).get("cancelRequested"))


def wants_guardrails(run: Mapping[str, Any], required: bool) -> bool:
    """Whether the run waits for guardrails in effect."""
    return bool(run["spec"].get("guardrailRef")) or required


def job_name(run: Mapping[str, Any]) -> str | None:
    """The name of the attempt's Job, once it is intended."""
    return (run.get("status") or {}).get("jobName")


def job_name_of(run: Mapping[str, Any], attempt: int) -> str:
    metadata = run["metadata"]
    return child_name(metadata["name"], metadata["uid"], ROLE, attempt)


def may_have_other_jobs(run: Mapping[str, Any]) -> bool:
    """After a retry, or where a former leader may have made one behind our back."""
    return is_finished(run) or ((run.get("status") or {}).get("attempt") or 1) > 1


def reads_pods(run: Mapping[str, Any], job: Mapping[str, Any] | None) -> bool:
    """Whether the decision needs the Job's pods."""
    return job is not None and not is_finished(run) and jobs.is_owned_by(job, run["metadata"]["uid"])


def claim(run: Mapping[str, Any], guardrails_required: bool) -> Claim:
    """What the run says about its slot, from its own body alone."""
    status = run.get("status") or {}
    if is_finished(run) or jobs.is_being_deleted(run):
        return Claim.NONE
    held = is_true(status, "Suspended") or "queuePosition" in status
    if status.get("jobName") and not held:
        return Claim.ACTIVE
    if run["spec"].get("suspend") or wants_cancel(run) or wants_guardrails(run, guardrails_required):
        return Claim.NONE
    return Claim.WAITING


def order(run: Mapping[str, Any]) -> tuple[str, str]:
    """First come, first served."""
    return run["metadata"]["creationTimestamp"], run["metadata"]["name"]
