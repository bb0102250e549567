"""The four words of the public interface for where a run is: one function, from conditions alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from spark_operator.core.conditions import find_condition, is_true


class Word(StrEnum):
    """queued: no pod yet, or suspended. done: Complete, whatever the verdict. failed: ended otherwise."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Standing:
    """`reason` and `message` are the deciding condition's; empty before the operator saw the run."""

    word: Word
    reason: str = ""
    message: str = ""

    @property
    def ended(self) -> bool:
        return self.word in (Word.DONE, Word.FAILED)


def standing(status: Mapping[str, Any]) -> Standing:
    """Where the run with this `status` is."""
    if is_true(status, "Complete"):
        return _by(Word.DONE, status, "Complete")
    if is_true(status, "Failed"):
        return _by(Word.FAILED, status, "Failed")
    if is_true(status, "Suspended"):
        return _by(Word.QUEUED, status, "Suspended")
    found = _by(Word.QUEUED, status, "Reconciling")
    started = found.reason == "Running" or "startTime" in status
    return Standing(Word.RUNNING, found.reason, found.message) if started and found.reason else found


def _by(word: Word, status: Mapping[str, Any], type_: str) -> Standing:
    condition = find_condition(status, type_)
    if condition is None or condition["status"] != "True":
        return Standing(word)
    return Standing(word, condition["reason"], condition.get("message", ""))
