"""What happens to the pods of a run, as a test writes it: one outcome a pod, the last for all that follow."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from spark_crds.canonical import digest
from spark_crds.formats.message import ArtifactReference, TerminationMessage
from spark_crds.formats.outcome import REASONS, ExitCode, Failure
from spark_crds.formats.run import RunDocument, decode_run
from spark_operator.core.names import RUN_LABEL, RUN_SPEC_ANNOTATION

Object = dict[str, Any]

METRICS = {"totalReturn": 0.123, "sharpe": 1.02, "maxDrawdown": 0.182, "trades": 42}


@dataclass(frozen=True, slots=True)
class Engine:
    """What an engine in a pod knows: the mounted run.json, and the environment."""

    run: RunDocument
    job_uid: str
    exit_code: int


Writer: TypeAlias = Callable[[Engine], bytes]


def engine_of(pod: Object, exit_code: int) -> Engine:
    """Raises `FormatError` when the pod's run.json is none."""
    metadata = pod["metadata"]
    run = decode_run(json.loads(metadata["annotations"][RUN_SPEC_ANNOTATION]))
    return Engine(run, metadata["labels"]["batch.kubernetes.io/controller-uid"], exit_code)


def honest(engine: Engine) -> bytes:
    """What the engine reports: a result after exit 0, the reason after any other."""
    return _message(engine).encode()


def absent(engine: Engine) -> bytes:
    return b""


def half(engine: Engine) -> bytes:
    content = honest(engine)
    return content[: len(content) // 2]


def of_another_run(engine: Engine) -> bytes:
    other = TerminationMessage(
        "00000000-0000-4000-8000-000000000000", engine.job_uid, engine.run.attempt, 0, "0.1.0"
    )
    return other.encode()


def of_another_job(engine: Engine) -> bytes:
    other = "00000000-0000-4000-8000-000000000000"
    return _message(Engine(engine.run, other, engine.exit_code)).encode()


def _message(engine: Engine) -> TerminationMessage:
    run, failed = engine.run, engine.exit_code != 0
    reason = REASONS.get(ExitCode(engine.exit_code), "EngineError") if failed else ""
    evidence = digest({"evidence": run.spec_hash})
    return TerminationMessage(
        run_uid=run.run.uid,
        job_uid=engine.job_uid,
        attempt=run.attempt,
        index=0,
        engine_version="0.1.0",
        digest=None if failed else evidence,
        metrics={} if failed else METRICS,
        verdict=None if failed or "verdict" not in run.spec else True,
        data_digest=digest({"data": run.spec_hash}),
        engine_ms=1234,
        artifact=None
        if failed or not run.artifact_uri
        else ArtifactReference(
            f"{run.artifact_uri}/{engine.job_uid}", evidence.removeprefix("sha256:"), 4321
        ),
        error=Failure(reason, "the engine says why") if failed else None,
    )


@dataclass(frozen=True, slots=True)
class Exit:
    """The container runs for `seconds` and ends. `vanishes`: somebody deletes the pod as it ends."""

    code: int = 0
    message: Writer = honest
    seconds: float = 2.0
    reason: str = ""
    pod_reason: str = ""
    logs: str = ""
    vanishes: bool = False
    on_sigterm: int | None = 143
    """Exit code after SIGTERM; None: it is ignored, and SIGKILL follows after the grace period."""


@dataclass(frozen=True, slots=True)
class Evicted:
    """Through the Eviction API, while running: the condition DisruptionTarget, then SIGTERM."""

    seconds: float = 2.0
    on_sigterm: int = 12


@dataclass(frozen=True, slots=True)
class Deleted:
    """`kubectl delete pod` while running."""

    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Unschedulable:
    """No node takes the pod for `seconds`; then it runs to an honest end."""

    message: str = "0/1 nodes are available: 1 Insufficient cpu."
    seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class PullError:
    """The image cannot be pulled, ever."""

    message: str = 'failed to resolve reference "registry.example/engine:absent": not found'


@dataclass(frozen=True, slots=True)
class Refused:
    """The pod cannot be created, by quota or Pod Security, for `seconds` after the first try."""

    message: str = (
        'pods "x" is forbidden: exceeded quota: runs, requested: pods=1, used: pods=1, limited: pods=1'
    )
    seconds: float = math.inf


Outcome: TypeAlias = Exit | Evicted | Deleted | Unschedulable | PullError | Refused


def out_of_memory() -> Exit:
    return Exit(137, absent, reason="OOMKilled")


def disk_full() -> Exit:
    """An emptyDir beyond its sizeLimit: evicted by the kubelet, without DisruptionTarget."""
    return Exit(137, absent, reason="Error", pod_reason="Evicted")


class Scripts:
    """The outcomes of all runs, handed out in the order in which pods are made."""

    def __init__(self) -> None:
        self._by_run: dict[str, list[Outcome]] = {}

    def write(self, run: str, outcomes: Sequence[Outcome]) -> None:
        self._by_run[run] = list(outcomes)

    def present(self, labels: Mapping[str, str]) -> Outcome:
        """The outcome of the next pod."""
        outcomes = self._by_run.get(labels.get(RUN_LABEL, ""), [])
        return outcomes[0] if outcomes else Exit()

    def take(self, labels: Mapping[str, str]) -> Outcome:
        outcome = self.present(labels)
        outcomes = self._by_run.get(labels.get(RUN_LABEL, ""), [])
        if len(outcomes) > 1:
            outcomes.pop(0)
        return outcome
