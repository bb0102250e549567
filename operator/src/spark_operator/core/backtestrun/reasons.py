"""Every reason that a condition or Event of a run can carry: a closed catalogue (docs/status.md)."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Value: what users see. Docstring of each member: what it means."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Reason:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # waiting
    QUEUED = "Queued", "Waits for a slot: the namespace is at its limit of active runs."
    NO_EFFECTIVE_REVISION = "NoEffectiveRevision", "Waits for guardrails: none are in effect under that name."
    INTENDED = "Intended", "The inputs of an attempt are settled; its Job is created next."
    JOB_FORBIDDEN = (
        "JobForbidden",
        "The API server does not let the operator make the Job; its words are quoted.",
    )
    STARTING = "Starting", "The Job is there; no pod has started yet."
    PODS_NOT_CREATED = "PodsNotCreated", "The Job has made no pod; the newest Event is quoted."
    PODS_NOT_STARTED = (
        "PodsNotStarted",
        "A pod has a node but does not start, for instance for want of its image.",
    )
    UNSCHEDULABLE = "Unschedulable", "A pod waits for a node. This may take as long as it takes."
    QUOTA_NOT_RESERVED = (
        "QuotaNotReserved",
        "Kueue has not admitted the Job. Does it run, and is there such a queue?",
    )
    RUNNING = "Running", "A pod runs."
    SUSPENDING = "Suspending", "The pods of the Job are being stopped."
    RESUMING = "Resuming", "The Job may run again once its former pods are gone."
    SUSPEND_MANAGED_BY_KUEUE = (
        "SuspendManagedByKueue",
        "Kueue alone suspends a queued Job once it is created.",
    )
    CANCELLING = "Cancelling", "The Job and its pods are being deleted."
    RETRYING = "Retrying", "The Job was lost; another one is created."
    # suspended
    USER_REQUESTED = "UserRequested", "spec.suspend is true."
    # guardrails
    NO_GUARDRAILS = "NoGuardrails", "No guardrails were in effect: nothing limited the run."
    # finished
    SUCCEEDED = "Succeeded", "The run is done; its results are in the status."
    CRITERIA_MET = "CriteriaMet", "Every acceptance criterion is met."
    CRITERIA_NOT_MET = "CriteriaNotMet", "An acceptance criterion is not met. The run itself is done."
    INVALID_SPEC = "InvalidSpec", "The spec cannot be run; the message names the field. Exit code 10."
    INVALID_DATA = "InvalidData", "Candles are missing, unreadable or refused by a policy. Exit code 11."
    INVALID_STRATEGY = "InvalidStrategy", "The strategy failed. Exit code 12."
    GUARDRAIL_BREACH = "GuardrailBreach", "The guardrails do not allow it. Exit code 13."
    DEADLINE_EXCEEDED = "DeadlineExceeded", "It ran longer than spec.activeDeadlineSeconds. Exit code 14."
    ENGINE_ERROR = "EngineError", "An invariant of the engine is broken, at every retry. Exit code 20."
    STORE_UNAVAILABLE = (
        "StoreUnavailable",
        "A store of artifacts or data failed, at every retry. Exit code 21.",
    )
    OUT_OF_MEMORY = "OutOfMemory", "The engine was killed at its memory limit, at every retry."
    BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded", "Pods failed for another reason, at every retry."
    RESULT_LOST = "ResultLost", "The Job was complete, but left no valid message, at every attempt."
    JOB_VANISHED = "JobVanished", "Somebody deleted the Job, at every attempt."
    START_DEADLINE_EXCEEDED = "StartDeadlineExceeded", "No pod was created, or none started, for too long."
    NAME_CONFLICT = "NameConflict", "An object that is not ours has the name of the Job."
    CANCELLED = "Cancelled", "spec.cancel was seen true."


REASONS = {reason.value: reason for reason in Reason}
