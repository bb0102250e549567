"""What a person does about each phase, condition and reason. `docs.tables` refuses a catalogue with gaps."""

from __future__ import annotations

from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.status import State

STATES: dict[State, str] = {
    State.PENDING: "Accepted; no pod has started. The reason says what it waits for.",
    State.RUNNING: "A pod has started.",
    State.SUSPENDED: "Held by `spec.suspend`: nothing runs, nothing is lost but the work of a stopped pod.",
    State.SUCCEEDED: "Done; results are in the status. Look at `VerdictPassed` too: it is another question.",
    State.FAILED: "Ended without a result. The reason says whose turn it is.",
    State.CANCELLED: "Ended by `spec.cancel`; its Job and pods are gone.",
}

TYPES: dict[str, str] = {
    "Ready": "True: the result is there. False: there will be none. Unknown: not yet. Absent: suspended.",
    "Reconciling": "True: the operator is at work, or waits for something. Absent otherwise.",
    "Stalled": "True: it will not go on by itself, and this run never will. Absent otherwise.",
    "Complete": "True: the run is done, as of a Job. `kubectl wait --for=condition=Complete`.",
    "Failed": "True: the run ended without a result, as of a Job. `Cancelled` too.",
    "Suspended": "True: held by `spec.suspend`.",
    "GuardrailsApplied": "Whether guardrails limited the run.",
    "VerdictPassed": "Whether every criterion of `spec.verdict` is met. Absent where there are none.",
}

ADVICE: dict[str, dict[Reason, str]] = {
    "While it waits or runs": {
        Reason.QUEUED: (
            "Wait, or raise `limits.maxActiveRuns`. `status.queuePosition` is written when it has halved."
        ),
        Reason.NO_EFFECTIVE_REVISION: (
            "Nothing puts guardrails in effect yet: leave out `spec.guardrailRef` and `guardrails.required`."
        ),
        Reason.JOB_FORBIDDEN: (
            "Mend what the message names: a right of the operator, a quota of Jobs. It goes on by itself."
        ),
        Reason.INTENDED: "Nothing: a moment.",
        Reason.STARTING: "Nothing: seconds. After 15 s another reason says what keeps it.",
        Reason.PODS_NOT_CREATED: (
            "Mend what the Event names: a quota, a policy, a service account. It goes on by itself."
        ),
        Reason.PODS_NOT_STARTED: (
            "Mend the name of the image, the pull secret, or the Secret of the store in this namespace."
        ),
        Reason.UNSCHEDULABLE: "Add room, or ask for less in `spec.engine.resources` of a new run.",
        Reason.QUOTA_NOT_RESERVED: "`kubectl get workloads`: is there a LocalQueue of that name, with room?",
        Reason.RUNNING: "Wait.",
        Reason.SUSPENDING: "Wait.",
        Reason.RESUMING: "Wait.",
        Reason.SUSPEND_MANAGED_BY_KUEUE: "Hold the queue in Kueue, or end the run with `spec.cancel`.",
        Reason.CANCELLING: "Wait; pods have up to 10 s to end. It cannot be taken back.",
        Reason.RETRYING: "The message has the cause. Nothing, unless it comes again.",
    },
    "Suspended": {
        Reason.USER_REQUESTED: "Set `spec.suspend` to false. A run that was interrupted starts anew.",
    },
    "Beside the phase": {
        Reason.NO_GUARDRAILS: "Nothing.",
        Reason.CRITERIA_MET: "Nothing.",
        Reason.CRITERIA_NOT_MET: "`status.summary`; each criterion: `checks.verdict` of the evidence.",
    },
    "Done": {
        Reason.SUCCEEDED: "Read `status.summary`, `status.digest`, `status.artifact`.",
    },
    "Ended without a result, and not tried again": {
        Reason.INVALID_SPEC: 'Mend the field; "not allowed here" is for who runs the operator.',
        Reason.INVALID_DATA: "Mend the data, or its policies ([data.md](data.md)).",
        Reason.INVALID_STRATEGY: "Mend the strategy or its parameters.",
        Reason.GUARDRAIL_BREACH: "Stay within the limits.",
        Reason.DEADLINE_EXCEEDED: "A shorter window, or more seconds.",
        Reason.CANCELLED: "Nothing.",
        Reason.START_DEADLINE_EXCEEDED: "As of the reason before it, which the message quotes.",
        Reason.NAME_CONFLICT: "Remove the object that the message names.",
    },
    "Ended without a result, after every retry": {
        Reason.OUT_OF_MEMORY: "More in `spec.engine.resources.limits.memory`.",
        Reason.STORE_UNAVAILABLE: (
            "The message names the artifact store or `spec.data.uri`: look at endpoint, bucket, the Secret "
            "in this namespace, and the NetworkPolicy's port."
        ),
        Reason.BACKOFF_LIMIT_EXCEEDED: "`kubectl describe job`: evictions want higher requests.",
        Reason.RESULT_LOST: "Who or what removes pods before the operator has read them?",
        Reason.JOB_VANISHED: "Who deletes Jobs? The audit log of Kubernetes knows.",
        Reason.ENGINE_ERROR: "A fault of ours: report the message with the manifest.",
    },
}
