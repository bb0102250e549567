"""What a finished Job says: results, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_crds.formats.error import FormatError
from spark_crds.formats.message import TerminationMessage, decode_message
from spark_crds.formats.outcome import REASONS, ExitCode

from spark_operator.core import job as jobs
from spark_operator.core.backtestrun.observed import ObservedRun
from spark_operator.core.backtestrun.reasons import REASONS as CATALOGUE
from spark_operator.core.backtestrun.reasons import Reason

OOM_KILLED = "OOMKilled"
EXIT_REASONS = {int(code): reason for code, reason in REASONS.items()}


@dataclass(frozen=True, slots=True)
class Harvest:
    """A valid message of a Job that is complete, and the container that left it."""

    message: TerminationMessage
    ending: jobs.Ending


@dataclass(frozen=True, slots=True)
class Execution:
    """The engine executions of a Job that has ended."""

    ended: int
    failed: int
    engine_ms: int | None
    trades: int
    files: tuple[str, ...] = ()


def harvest(observed: ObservedRun) -> Harvest | None:
    """None: the result is lost, for whatever reason; the artifact and a new attempt are the truth."""
    for ending in reversed(jobs.endings(observed.pods)):
        message = _message(observed, ending)
        if ending.exit_code == ExitCode.DONE and message is not None and message.error is None:
            stored = message.artifact is not None or not observed.object["status"]["intent"].get(
                "artifactUri"
            )
            if message.digest is not None and stored:
                return Harvest(message, ending)
    return None


def result_fields(found: Harvest, intent: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a status that hold results."""
    message, artifact = found.message, found.message.artifact
    return {
        "completionTime": found.ending.finished,
        "summary": dict(message.metrics),
        "display": _display(message.metrics),
        "digest": message.digest,
        "artifact": artifact and {"uri": artifact.uri, "sha256": artifact.sha256, "bytes": artifact.bytes},
        "provenance": _present(
            image=found.ending.image_id or None,
            engineVersion=message.engine_version,
            dataDigest=message.data_digest,
            guardrailRevision=intent.get("guardrailRevision"),
        ),
    }


def failure(observed: ObservedRun, job: Mapping[str, Any]) -> tuple[Reason, str]:
    """Why a failed Job failed: what the engine said, else what Kubernetes knows of its last pod."""
    endings = jobs.endings(observed.pods)
    condition = jobs.failed_condition(job)
    if not endings:
        return _of_pods(observed, condition)
    last = endings[-1]
    reason, text = _of_ending(observed, last) or _of_pods(observed, condition)
    tried = sum(end.exit_code != 0 for end in endings)
    return reason, text if tried <= 1 else f"{text} (the last of {tried} tries)"


def executions(observed: ObservedRun) -> Execution:
    """For metrics: the containers of the Job that ended, and what the one that counts said."""
    endings = jobs.endings(observed.pods)
    found = harvest(observed)
    return Execution(
        ended=len(endings),
        failed=sum(end.exit_code != 0 for end in endings),
        engine_ms=found.message.engine_ms if found else None,
        trades=int(found.message.metrics.get("trades", 0)) if found else 0,
        files=found.message.artifact.files if found and found.message.artifact else (),
    )


def _of_ending(observed: ObservedRun, ending: jobs.Ending) -> tuple[Reason, str] | None:
    message = _message(observed, ending)
    if message is not None and message.error is not None:
        error = message.error
        reason = CATALOGUE.get(error.reason, Reason.ENGINE_ERROR)
        return reason, f"{error.field}: {error.message}" if error.field else error.message
    if ending.reason == OOM_KILLED:
        return Reason.OUT_OF_MEMORY, "the engine was killed at its memory limit; see spec.engine.resources"
    if ending.exit_code in EXIT_REASONS:
        reason = CATALOGUE[EXIT_REASONS[ending.exit_code]]
        return reason, f"the engine ended with exit code {ending.exit_code} and left no message"
    return None


def _of_pods(observed: ObservedRun, condition: Mapping[str, Any]) -> tuple[Reason, str]:
    said = condition.get("message") or "the Job failed"
    pod = jobs.pod_reason(observed.pods)
    if pod == Reason.DEADLINE_EXCEEDED:
        return Reason.DEADLINE_EXCEEDED, "the pod outlived spec.activeDeadlineSeconds and was stopped"
    return Reason.BACKOFF_LIMIT_EXCEEDED, f"{said} ({pod})" if pod else said


def _message(observed: ObservedRun, ending: jobs.Ending) -> TerminationMessage | None:
    """The message, if it is one of this run, attempt and Job: anything else is as good as none."""
    run, job = observed.object, observed.job
    try:
        message = decode_message(ending.message.encode())
    except FormatError:
        return None
    expected = (run["metadata"]["uid"], run["status"]["attempt"], job["metadata"]["uid"] if job else "")
    return message if (message.run_uid, message.attempt, message.job_uid) == expected else None


def _display(metrics: Mapping[str, float | int]) -> dict[str, str] | None:
    shown = _present(
        **{
            "return": _formatted(metrics.get("totalReturn"), "{:+.1%}"),
            "sharpe": _formatted(metrics.get("sharpe"), "{:.2f}"),
            "maxDrawdown": _formatted(metrics.get("maxDrawdown"), "{:.1%}"),
        }
    )
    return shown or None


def _formatted(value: float | None, form: str) -> str | None:
    return None if value is None else form.format(value)[:32]


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
