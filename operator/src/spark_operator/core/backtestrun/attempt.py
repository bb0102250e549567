"""An attempt is one Job: how one is settled, how it ends without a result, how the run ends with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spark_crds.resolve import SpecError, spec_hash

from spark_operator.core import job as jobs
from spark_operator.core.backtestrun.case import Case
from spark_operator.core.backtestrun.intent import intent, resolved_spec
from spark_operator.core.backtestrun.observed import job_name_of, wants_cancel
from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.status import State
from spark_operator.core.conditions import Condition, timestamp
from spark_operator.core.plan import Plan

UNGUARDED = Condition(
    "GuardrailsApplied", "False", Reason.NO_GUARDRAILS, "no guardrails are in effect in this namespace"
)


def intend(case: Case, attempt: int, reason: Reason, message: str) -> Plan:
    """Write 1. Whatever a former attempt left in the status is gone with it."""
    try:
        spec = resolved_spec(case.run, case.configuration)
    except SpecError as error:
        return fail(case, Reason.INVALID_SPEC, str(error))
    status = case.state(
        State.PENDING,
        reason,
        message,
        observations=(UNGUARDED,),
        attempt=attempt,
        jobName=job_name_of(case.run, attempt),
        jobUID=None,
        startTime=None,
        specHash=spec_hash(spec),
        intent=intent(case.run, spec, case.configuration),
    )
    return Plan(status=status, requeue_after=0)


def lose(case: Case, reason: Reason, message: str, **fields: Any) -> Plan:
    """A Job without a result: another attempt, if the run may have one."""
    if wants_cancel(case.run):
        return fail(case, Reason.CANCELLED, f"cancelled by spec.cancel; {message}", **fields)
    retries = case.spec["retries"]
    if case.attempt > retries:
        return fail(case, reason, f"{message} (attempt {case.attempt}, spec.retries is {retries})", **fields)
    plan = intend(case, case.attempt + 1, Reason.RETRYING, f"attempt {case.attempt}: {message}")
    return replace(plan, events=(*plan.events, case.event(reason, message, warning=True)))


def fail(case: Case, reason: Reason, message: str, **fields: Any) -> Plan:
    """The end of a run without a result."""
    state = State.CANCELLED if reason is Reason.CANCELLED else State.FAILED
    started = jobs.start_times(case.observed.pods)
    ends = {
        "startTime": case.status.get("startTime") or (started[0] if started else None),
        "completionTime": timestamp(case.now),
    }
    status = case.state(state, reason, message, **(ends | fields))
    return Plan(status=status, events=(case.ending_event(status),), requeue_after=0)
