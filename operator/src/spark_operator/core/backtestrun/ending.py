"""Rules about runs and Jobs that have ended, or are being ended."""

from __future__ import annotations

from collections.abc import Mapping

from spark_operator.core import job as jobs
from spark_operator.core.backtestrun.attempt import fail, lose
from spark_operator.core.backtestrun.case import Case, deletion
from spark_operator.core.backtestrun.observed import is_finished, wants_cancel
from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.results import failure, harvest, result_fields
from spark_operator.core.backtestrun.status import State
from spark_operator.core.conditions import Condition, timestamp
from spark_operator.core.plan import Plan

DELETION_PAUSE = 2.0
SHOWN_METRICS = (
    ("return", "totalReturn", "{:+.2%}"),
    ("Sharpe", "sharpe", "{:.2f}"),
    ("trades", "trades", "{:,}"),
)


def finished(case: Case) -> Plan | None:
    """A finished run stays as it is; only its Job is put away (write 5)."""
    if not is_finished(case.run):
        return None
    job = case.job
    if job is None or jobs.is_being_deleted(job) or jobs.is_harvested(job):
        return Plan()
    if not jobs.is_finished(job):
        return Plan(actions=(deletion(job),))
    # the Event once more: a crash right after the status write would have lost it
    return Plan(actions=(case.mark(job),), events=(case.ending_event(case.status),))


def name_conflict(case: Case) -> Plan | None:
    """The Job's name is taken, by somebody else's object or by one that was made for another spec."""
    job = case.observed.job
    if not case.intended or job is None or jobs.is_being_deleted(job) or "jobUID" in case.status:
        return None
    ours = jobs.is_owned_by(job, case.run["metadata"]["uid"])
    if ours and jobs.has_spec_hash(job, case.status["specHash"]):
        return None
    if wants_cancel(case.run) and not ours:
        return None
    whose = "was made for another spec" if ours else "belongs to somebody else"
    message = f"Job {case.status['jobName']} is there already and {whose}"
    return fail(case, Reason.NAME_CONFLICT, message)


def ended(case: Case) -> Plan | None:
    """Write 4: a finished Job is harvested, whatever else was asked for in the meantime."""
    job = case.job
    if job is None or not jobs.is_finished(job) or jobs.is_being_deleted(job):
        return None
    uid = job["metadata"]["uid"]
    if not jobs.is_complete(job):
        reason, message = failure(case.observed, job)
        at = jobs.failed_condition(job).get("lastTransitionTime") or timestamp(case.now)
        return fail(case, reason, message, jobUID=uid, completionTime=at)
    found = harvest(case.observed)
    if found is None:
        message = "the Job is complete, but no pod of it left a valid message"
        return lose(case, Reason.RESULT_LOST, message, jobUID=uid)
    verdict, started = found.message.verdict, jobs.start_times(case.observed.pods)
    status = case.state(
        State.SUCCEEDED,
        Reason.SUCCEEDED,
        _told(found.message.metrics),
        observations=() if verdict is None else (_verdict(verdict),),
        jobUID=uid,
        startTime=case.status.get("startTime") or (started[0] if started else None),
        **result_fields(found, case.status["intent"]),
    )
    return Plan(status=status, events=(case.ending_event(status),), requeue_after=0)


def being_deleted(case: Case) -> Plan | None:
    """A Job on its way out is neither there nor missing."""
    job = case.observed.job
    if not case.intended or job is None or not jobs.is_being_deleted(job):
        return None
    return Plan(requeue_after=DELETION_PAUSE)


def cancelled(case: Case) -> Plan | None:
    """Latched first; the run is cancelled when its Job and all pods are gone."""
    if not wants_cancel(case.run):
        return None
    job = case.job
    if job is None:
        return fail(case, Reason.CANCELLED, "cancelled by spec.cancel", cancelRequested=True)
    if not case.status.get("cancelRequested"):
        message = f"deleting Job {case.status['jobName']}"
        status = case.state(case.live_state(), Reason.CANCELLING, message, cancelRequested=True)
        return Plan(status=status, requeue_after=0)
    return Plan(actions=(deletion(job),), requeue_after=DELETION_PAUSE)


def vanished(case: Case) -> Plan | None:
    """A recorded Job that is no longer there is a failed attempt, never silently made again."""
    if "jobUID" not in case.status or case.job is not None:
        return None
    return lose(case, Reason.JOB_VANISHED, f"Job {case.status['jobName']} is gone: somebody deleted it")


def _verdict(passed: bool) -> Condition:
    reason = Reason.CRITERIA_MET if passed else Reason.CRITERIA_NOT_MET
    return Condition("VerdictPassed", "True" if passed else "False", reason, reason.meaning)


def _told(metrics: Mapping[str, float | int]) -> str:
    parts = [f"{name} {form.format(metrics[key])}" for name, key, form in SHOWN_METRICS if key in metrics]
    return ", ".join(parts) or "done"
