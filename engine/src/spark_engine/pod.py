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
        outcome = _carry_out(run, environment)
        message = _message(run, environment, outcome=outcome)
        code = ExitCode.DONE
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


def _carry_out(run: RunDocument, environment: Mapping[str, str]) -> Outcome:
    with deadline(run.deadline_seconds):
        limits = _limits(run, environment)
        outcome = carry_out(run, limits, with_report=run.artifact_uri is not None)
        if run.artifact_uri is not None:
            put(run.artifact_uri, outcome.artifact.files)
        return outcome


def _limits(run: RunDocument, environment: Mapping[str, str]) -> dict[str, Any] | None:
    if run.guardrails is None:
        return None
    return read_limits(Path(environment.get("SPARK_GUARDRAILS_FILE", GUARDRAILS_FILE)), run.guardrails)


def _message(
    run: RunDocument | None,
    environment: Mapping[str, str],
    *,
    outcome: Outcome | None = None,
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
    artifact, result = outcome.artifact, outcome.artifact.evidence["result"]
    verdict = result["checks"]["verdict"]
    return TerminationMessage(
        **common,
        digest=artifact.digest,
        metrics={
            name: metric.value
            for name, metric in outcome.execution.metrics.items()
            if metric.value is not None
        },
        verdict=verdict and verdict["passed"],
        data_digest=result["candles"],
        engine_ms=artifact.evidence["run"]["engineMs"],
        artifact=_reference(run, outcome),
    )


def _reference(run: RunDocument, outcome: Outcome) -> ArtifactReference | None:
    if run.artifact_uri is None:
        return None
    artifact = outcome.artifact
    return ArtifactReference(uri=run.artifact_uri, sha256=artifact.sha256, bytes=artifact.bytes)


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
