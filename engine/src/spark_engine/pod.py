"""The engine in a pod: run.json in; an artifact, a termination message and an exit code out.

    python -m spark_engine.pod

Environment: SPARK_RUN_FILE, SPARK_GUARDRAILS_FILE, SPARK_TERMINATION_LOG, SPARK_JOB_UID, SPARK_IMAGE,
JOB_COMPLETION_INDEX.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from spark_crds.formats.error import FormatError
from spark_crds.formats.message import ArtifactReference, TerminationMessage
from spark_crds.formats.outcome import ExitCode, Failure
from spark_crds.formats.run import RunDocument, decode_run

from spark_engine.errors import BacktestError, EngineError, InvalidSpec
from spark_engine.execute.carry_out import Outcome, carry_out
from spark_engine.execute.deadline import deadline
from spark_engine.execute.guardrails import read_limits
from spark_engine.execute.store import put
from spark_engine.execute.wrap import wrap
from spark_engine.version import __version__

RUN_FILE = "/etc/backtest/run.json"
GUARDRAILS_FILE = "/etc/backtest/guardrails.json"
TERMINATION_LOG = "/dev/termination-log"


def main() -> int:
    signal.signal(signal.SIGTERM, _terminate)
    environment = os.environ
    run: RunDocument | None = None
    try:
        run = read_run(Path(environment.get("SPARK_RUN_FILE", RUN_FILE)))
        with deadline(run.deadline_seconds):
            outcome = carry_out(run, _limits(run, environment))
            artifact = _store(outcome, environment)
        breach = outcome.execution.breach
        message = _message(
            run,
            environment,
            outcome=outcome,
            artifact=artifact,
            error=None if breach is None else breach.failure(),
        )
        code = ExitCode.DONE if breach is None else breach.exit_code
    except BacktestError as error:
        message, code = _message(run, environment, error=error.failure()), error.exit_code
    except Exception as error:  # an invariant of ours is broken: say so, without a traceback in status
        unexpected = EngineError(f"{type(error).__name__}: {error}")
        message, code = _message(run, environment, error=unexpected.failure()), unexpected.exit_code
    content = message.encode()
    _write_message(Path(environment.get("SPARK_TERMINATION_LOG", TERMINATION_LOG)), content)
    sys.stdout.write(content.decode() + "\n")
    return int(code)


def read_run(path: Path) -> RunDocument:
    """The mounted run. Raises `InvalidSpec`."""
    try:
        return decode_run(json.loads(path.read_bytes()))
    except OSError as error:
        raise InvalidSpec(f"cannot read {path}: {error.strerror}") from None
    except FormatError as error:
        raise InvalidSpec(error.message, field=error.field) from None
    except (ValueError, RecursionError) as error:
        raise InvalidSpec(f"{path} is not JSON: {error}") from None


def _store(outcome: Outcome, environment: Mapping[str, str]) -> ArtifactReference | None:
    """Makes and stores the artifact. Without a store none is made: the results are in the message.

    A run may be executed more than once, by one Job after another: each has a prefix of its own.
    """
    prefix, job_uid = outcome.run.artifact_uri, environment.get("SPARK_JOB_UID", "")
    if prefix is None:
        return None
    uri = f"{prefix.rstrip('/')}/{job_uid}".rstrip("/")
    artifact = wrap(outcome)
    put(uri, artifact.files)
    return ArtifactReference(
        uri=uri, sha256=artifact.sha256, bytes=artifact.bytes, files=tuple(sorted(artifact.files))
    )


def _limits(run: RunDocument, environment: Mapping[str, str]) -> dict[str, Any] | None:
    if run.guardrails is None:
        return None
    return read_limits(Path(environment.get("SPARK_GUARDRAILS_FILE", GUARDRAILS_FILE)), run.guardrails)


def _message(
    run: RunDocument | None,
    environment: Mapping[str, str],
    *,
    outcome: Outcome | None = None,
    artifact: ArtifactReference | None = None,
    error: Failure | None = None,
) -> TerminationMessage:
    common: dict[str, Any] = {
        "run_uid": run.run.uid if run else "",
        "job_uid": environment.get("SPARK_JOB_UID", ""),
        "attempt": run.attempt if run else 1,
        "index": int(environment.get("JOB_COMPLETION_INDEX") or 0),
        "engine_version": __version__,
    }
    if run is None or outcome is None:
        return TerminationMessage(**common, error=error)
    result = outcome.execution.result
    verdict = result["checks"]["verdict"]
    return TerminationMessage(
        **common,
        digest=outcome.digest,
        metrics={
            name: metric.value
            for name, metric in outcome.execution.metrics.items()
            if metric.value is not None
        },
        verdict=verdict and verdict["passed"],
        data_digest=result["candles"],
        engine_ms=outcome.provenance["engineMs"],
        artifact=artifact,
        error=error,
    )


def _write_message(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            os.write(descriptor, content)  # one write: a reader sees all of it or none
        finally:
            os.close(descriptor)
    except OSError as error:
        sys.stderr.write(f"cannot write the termination message to {path}: {error.strerror}\n")


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(int(ExitCode.TERMINATED))


if __name__ == "__main__":
    sys.exit(main())
