"""How an execution ends: exit codes and the reason that each one carries into status, audit and evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

MAX_MESSAGE_CHARACTERS = 512


class ExitCode(IntEnum):
    """10 to 19 are the user's to mend and are never retried; 20 and above count against `spec.retries`."""

    DONE = 0
    DIFFERENCE = 1
    USAGE = 2
    INVALID_SPEC = 10
    INVALID_DATA = 11
    INVALID_STRATEGY = 12
    GUARDRAIL_BREACH = 13
    DEADLINE_EXCEEDED = 14
    ENGINE_ERROR = 20
    STORE_UNAVAILABLE = 21
    INTERRUPTED = 130
    TERMINATED = 143


REASONS: dict[ExitCode, str] = {
    ExitCode.INVALID_SPEC: "InvalidSpec",
    ExitCode.INVALID_DATA: "InvalidData",
    ExitCode.INVALID_STRATEGY: "InvalidStrategy",
    ExitCode.GUARDRAIL_BREACH: "GuardrailBreach",
    ExitCode.DEADLINE_EXCEEDED: "DeadlineExceeded",
    ExitCode.ENGINE_ERROR: "EngineError",
    ExitCode.STORE_UNAVAILABLE: "StoreUnavailable",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, for a person: which field, what is allowed. Never a traceback."""

    reason: str
    message: str
    field: str | None = None

    def document(self) -> dict[str, str]:
        document = {"reason": self.reason, "message": shortened(self.message)}
        if self.field is not None:
            document["field"] = self.field
        return document


def shortened(message: str, most: int = MAX_MESSAGE_CHARACTERS) -> str:
    """At most so many characters, with an ellipsis where text was cut."""
    return message if len(message) <= most else message[: most - 1] + "…"
