"""Rules from a new run to a recorded Job."""

from __future__ import annotations

from spark_crds.resolve import SpecError, spec_hash

from spark_operator.core.backtestrun.attempt import fail, intend
from spark_operator.core.backtestrun.case import Case
from spark_operator.core.backtestrun.intent import resolved, resolved_spec
from spark_operator.core.backtestrun.observed import wants_guardrails
from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.render import render_job
from spark_operator.core.backtestrun.status import State
from spark_operator.core.plan import CreateJob, Plan

SHORTEST_QUEUE_PAUSE, LONGEST_QUEUE_PAUSE = 5.0, 300.0
FIRST_LOOK = 15.0


def unsound(case: Case) -> Plan | None:
    """What cannot be run ends before a Job is made."""
    if case.intended:
        return None
    try:
        resolved_spec(case.run, case.configuration)
    except SpecError as error:
        return fail(case, Reason.INVALID_SPEC, str(error))
    return None


def unguarded(case: Case) -> Plan | None:
    """A guardrail config that is named, or demanded by the operator, must have a revision in effect."""
    if case.intended or not wants_guardrails(case.run, case.configuration.guardrails.required):
        return None
    name = (case.spec.get("guardrailRef") or {}).get("name", "default")
    message = f'GuardrailConfig "{name}" has no effective revision'
    return Plan(status=case.state(State.PENDING, Reason.NO_EFFECTIVE_REVISION, message))


def queued(case: Case) -> Plan | None:
    """At the limit of the namespace the run waits.

    Its position is written only when it has halved: 14 writes for the last of 10,000, not 10,000.
    """
    place = case.observed.place
    if place.admitted:
        return None
    pause = min(max(place.position / 3, SHORTEST_QUEUE_PAUSE), LONGEST_QUEUE_PAUSE)
    told = case.status.get("queuePosition")
    if told is not None and place.position <= told < 2 * place.position:
        return Plan(requeue_after=pause)
    limit = case.configuration.limits.max_active_runs
    message = f"position {place.position}; {limit} runs of the namespace may be active at a time"
    status = case.state(State.PENDING, Reason.QUEUED, message, queuePosition=place.position)
    return Plan(status=status, requeue_after=pause)


def intended(case: Case) -> Plan | None:
    """Write 1: every input of the attempt, before there is anything of it."""
    if case.intended:
        return None
    return intend(case, case.attempt, Reason.INTENDED, "the inputs are settled")


def created(case: Case) -> Plan | None:
    """Write 2: the Job, from spec and intent alone."""
    if case.observed.job is not None:
        return None
    try:
        spec = resolved(case.run)
    except SpecError as error:
        return fail(case, Reason.INVALID_SPEC, str(error))
    if spec_hash(spec) != case.status["specHash"]:
        return intend(case, case.attempt + 1, Reason.RETRYING, "this operator resolves the spec otherwise")
    manifest = render_job(
        case.run,
        spec,
        name=case.status["jobName"],
        attempt=case.attempt,
        spec_hash=case.status["specHash"],
        intent=case.status["intent"],
    )
    return Plan(actions=(CreateJob(manifest),), requeue_after=0)


def recorded(case: Case) -> Plan | None:
    """Write 3: the Job's uid. From now on its absence means that it vanished."""
    job = case.job
    if job is None or "jobUID" in case.status:
        return None
    metadata = job["metadata"]
    message = f"Job {metadata['name']} is created"
    status = case.state(State.PENDING, Reason.STARTING, message, jobUID=metadata["uid"])
    return Plan(status=status, events=(case.event(Reason.STARTING, message),), requeue_after=FIRST_LOOK)
