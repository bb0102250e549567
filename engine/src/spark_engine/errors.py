"""The one exception that a user may see: an exit code, the field at fault, and what is allowed."""

from __future__ import annotations

from spark_crds.formats.outcome import REASONS, ExitCode, Failure


def first_line(error: BaseException) -> str:
    """What a library says of its failure, in one line: the rest is for its developers."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


class BacktestError(Exception):
    """Ends an execution with `exit_code`. `field` is a path in the spec (`spec.data.uri`) or None."""

    exit_code: ExitCode = ExitCode.ENGINE_ERROR

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message if field is None else f"{field}: {message}")
        self.message = message
        self.field = field

    def failure(self) -> Failure:
        return Failure(reason=REASONS[self.exit_code], message=self.message, field=self.field)


class InvalidSpec(BacktestError):
    exit_code = ExitCode.INVALID_SPEC


class InvalidData(BacktestError):
    exit_code = ExitCode.INVALID_DATA


class InvalidStrategy(BacktestError):
    exit_code = ExitCode.INVALID_STRATEGY


class GuardrailBreach(BacktestError):
    exit_code = ExitCode.GUARDRAIL_BREACH


class DeadlineExceeded(BacktestError):
    exit_code = ExitCode.DEADLINE_EXCEEDED


class EngineError(BacktestError):
    exit_code = ExitCode.ENGINE_ERROR


class StoreUnavailable(BacktestError):
    exit_code = ExitCode.STORE_UNAVAILABLE
