"""Rules about a Job that should run: it does, or what keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from spark_operator.core import job as jobs
from spark_operator.core.backtestrun.attempt import fail
from spark_operator.core.backtestrun.case import Case, Job
from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.status import State
from spark_operator.core.conditions import find_condition, parse_time
from spark_operator.core.plan import Plan

LOOK_AGAIN = 15.0
TAKEN_UP_WITHIN = 60.0
"""The stock Job controller takes up about 8 Jobs a second: of a burst, the last ones wait."""


@dataclass(frozen=True, slots=True)
class _Holdup:
    reason: Reason
    message: str
    since: datetime
    patience: float = LOOK_AGAIN
    bounded: bool = True


def running(case: Case) -> Plan | None:
    """A pod has started."""
    pods = [pod for pod in case.observed.pods if not jobs.is_being_deleted(pod)]
    started = jobs.start_times(pods)
    if not started:
        return None
    since = case.status.get("startTime") or started[0]
    message = f"Job {case.status['jobName']} runs"
    return Plan(status=case.state(State.RUNNING, Reason.RUNNING, message, startTime=since))


def not_started(case: Case) -> Plan | None:
    """Said with the newest Event, and given up after the start deadline; never while others are slow."""
    if case.job is None:
        return None
    if any(map(jobs.is_being_deleted, case.observed.pods)):
        return Plan(requeue_after=LOOK_AGAIN)  # a disrupted pod: its successor comes when it is gone
    holdup = _holdup(case, case.job)
    waited = (case.now - holdup.since).total_seconds()
    deadline = case.configuration.limits.start_deadline_seconds
    if waited < holdup.patience:
        return Plan(requeue_after=holdup.patience - max(waited, 0.0))
    if waited >= deadline and holdup.bounded:
        message = f"nothing started for {deadline} s: {holdup.message}"
        return fail(case, Reason.START_DEADLINE_EXCEEDED, message)
    status = case.state(State.PENDING, holdup.reason, holdup.message)
    return Plan(status=status, requeue_after=LOOK_AGAIN)


def quotes_events(job: Job, now: datetime) -> bool:
    """Whether a Job of which nothing has started is old enough for its newest Event to be told."""
    return (now - parse_time(job["metadata"]["creationTimestamp"])).total_seconds() >= LOOK_AGAIN


def _holdup(case: Case, job: Job) -> _Holdup:
    event = case.observed.event or "no Event says why"
    pods = case.observed.pods
    if not pods:
        return _without_pods(case, job, event)
    pod = max(pods, key=lambda pod: pod["metadata"]["creationTimestamp"])
    scheduled = find_condition(pod["status"], "PodScheduled") or {}
    if scheduled.get("status") != "True":
        message = f"a pod waits for a node: {scheduled.get('message') or event}"
        since = parse_time(pod["metadata"]["creationTimestamp"])
        return _Holdup(Reason.UNSCHEDULABLE, message, since, bounded=False)
    waiting = jobs.waiting(pod)
    return _Holdup(
        Reason.PODS_NOT_STARTED,
        f"a pod does not start: {': '.join(filter(None, (*waiting, event)))}",
        parse_time(scheduled["lastTransitionTime"]),
    )


def _without_pods(case: Case, job: Job, event: str) -> _Holdup:
    """A Job without a start time is not taken up by the Job controller yet; refused pods come after that."""
    since = _active_since(job, case.now)
    if not jobs.has_start_time(job):
        message = "the Job controller has not taken the Job up yet"
        return _Holdup(Reason.PODS_NOT_CREATED, message, since, TAKEN_UP_WITHIN, bounded=False)
    # once something ran, what is waited for is the successor of a disrupted pod
    bounded = "startTime" not in case.status
    return _Holdup(Reason.PODS_NOT_CREATED, f"the Job has made no pod: {event}", since, bounded=bounded)


def _active_since(job: Job, now: datetime) -> datetime:
    """When the Job could first make pods: creation, or when it was last resumed."""
    status = job.get("status") or {}
    if (find_condition(status, "Suspended") or {}).get("status") == "True":
        return now  # the Job controller has not seen yet that it is resumed
    return parse_time(status.get("startTime") or job["metadata"]["creationTimestamp"])
