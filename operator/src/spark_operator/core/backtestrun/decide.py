"""What is to be done about a run. `RULES` is the specification: the first that has a plan gives it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from spark_operator.configuration.model import Configuration
from spark_operator.core import job as jobs
from spark_operator.core.backtestrun.attempt import fail
from spark_operator.core.backtestrun.case import Case, Rule, deletion
from spark_operator.core.backtestrun.ending import (
    being_deleted,
    cancelled,
    ended,
    finished,
    name_conflict,
    vanished,
)
from spark_operator.core.backtestrun.observed import ObservedRun
from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.running import not_started, running
from spark_operator.core.backtestrun.starting import created, intended, queued, recorded, unguarded, unsound
from spark_operator.core.backtestrun.status import State, observed_again
from spark_operator.core.backtestrun.suspending import held_by_kueue, resumed, suspended
from spark_operator.core.plan import NOTHING, Action, Plan

FORBIDDEN_PAUSE = 30.0

RULES: tuple[Rule, ...] = (
    finished,
    name_conflict,
    ended,
    being_deleted,
    cancelled,
    vanished,
    unsound,
    suspended,
    unguarded,
    queued,
    intended,
    created,
    recorded,
    held_by_kueue,
    resumed,
    running,
    not_started,
)


def decide(observed: ObservedRun, now: datetime, configuration: Configuration) -> Plan:
    """Pure. A plan whose status equals the present one writes nothing."""
    case = Case(observed, now, configuration)
    if jobs.is_being_deleted(case.run):
        return NOTHING
    plan = next((plan for rule in RULES if (plan := rule(case)) is not None), NOTHING)
    if plan.status is None and case.status.get("conditions"):
        plan = replace(plan, status=observed_again(case.run))
    return replace(plan, actions=(*_tidied(case), *plan.actions))


def refused(
    observed: ObservedRun, message: str, now: datetime, configuration: Configuration, *, for_good: bool
) -> Plan:
    """What becomes of a run whose Job the API server refuses.

    For good: a quantity beyond its limit, its size, a policy. Else a right or a quota, which others may mend.
    """
    case = Case(observed, now, configuration)
    if not for_good:
        status = case.state(State.PENDING, Reason.JOB_FORBIDDEN, message)
        return Plan(status=status, requeue_after=FORBIDDEN_PAUSE)
    return fail(case, Reason.INVALID_SPEC, f"the API server refuses the Job: {message}")


def _tidied(case: Case) -> tuple[Action, ...]:
    """Jobs of former attempts, and those that a former leader made behind our back."""
    current = case.job
    actions: list[Action] = []
    for job in case.observed.others:
        if jobs.is_being_deleted(job) or (current and job["metadata"]["uid"] == current["metadata"]["uid"]):
            continue
        if not jobs.is_finished(job):
            actions.append(deletion(job))
        elif not jobs.is_harvested(job):
            actions.append(case.mark(job))
    return tuple(actions)
