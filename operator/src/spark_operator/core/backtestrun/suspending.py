"""Rules about runs that are held: by their user, or by Kueue."""

from __future__ import annotations

from spark_operator.core import job as jobs
from spark_operator.core.backtestrun.case import Case, Job, suspension
from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.render import QUEUE_LABEL
from spark_operator.core.backtestrun.status import State
from spark_operator.core.conditions import is_true
from spark_operator.core.plan import ClearJobStartTime, Plan

STOPPING_PAUSE = 2.0


def suspended(case: Case) -> Plan | None:
    """Without a Job none is made. With one, its pods are stopped and its start time is forgotten."""
    job = case.job
    if not case.spec.get("suspend") or (job is not None and _queue(job)):
        return None
    if job is None:
        return Plan(status=case.state(State.SUSPENDED, Reason.USER_REQUESTED, "held by spec.suspend"))
    if not jobs.is_suspended(job):
        status = case.state(State.PENDING, Reason.SUSPENDING, "stopping the pods")
        return Plan(actions=(suspension(job, True),), status=status, requeue_after=STOPPING_PAUSE)
    if jobs.has_pods(job):
        return Plan(requeue_after=STOPPING_PAUSE)
    message = "interrupted by spec.suspend; it starts anew when resumed"
    status = case.state(
        State.SUSPENDED, Reason.USER_REQUESTED, message, jobUID=job["metadata"]["uid"], startTime=None
    )
    clearing = (_clearing(job),) if jobs.has_start_time(job) else ()
    told = is_true(case.status, "Suspended")
    events = () if told else (case.event(Reason.USER_REQUESTED, message),)
    return Plan(actions=clearing, status=status, events=events)


def held_by_kueue(case: Case) -> Plan | None:
    """A queued Job is Kueue's to suspend and to resume."""
    job = case.job
    queue = _queue(job) if job is not None else ""
    if job is None or not queue:
        return None
    if jobs.is_suspended(job):
        message = f'queue "{queue}" has not admitted the Job; does Kueue run?'
        return Plan(status=case.state(State.PENDING, Reason.QUOTA_NOT_RESERVED, message, startTime=None))
    if case.spec.get("suspend"):
        message = f'queue "{queue}" alone suspends this Job; spec.cancel ends it'
        return Plan(status=case.state(case.live_state(), Reason.SUSPEND_MANAGED_BY_KUEUE, message))
    return None


def resumed(case: Case) -> Plan | None:
    """A Job that we suspended runs again, once its former pods and its start time are gone.

    Up to Kubernetes 1.35 the start time stays, and a Job that has one cannot be resumed.
    """
    job = case.job
    if job is None or not jobs.is_suspended(job):
        return None
    if jobs.has_pods(job):
        status = case.state(State.PENDING, Reason.RESUMING, "the former pods are still ending")
        return Plan(status=status, requeue_after=STOPPING_PAUSE)
    if jobs.has_start_time(job):
        return Plan(actions=(_clearing(job),), requeue_after=0)
    status = case.state(State.PENDING, Reason.STARTING, "resumed", startTime=None)
    return Plan(actions=(suspension(job, False),), status=status, requeue_after=STOPPING_PAUSE)


def _queue(job: Job) -> str:
    queue: str = (job["metadata"].get("labels") or {}).get(QUEUE_LABEL, "")
    return queue


def _clearing(job: Job) -> ClearJobStartTime:
    return ClearJobStartTime(job["metadata"]["name"], job["metadata"]["uid"])
