"""Where a run is, in one word, from its conditions."""

from __future__ import annotations

import pytest
from spark_operator.core.vocabulary import Standing, Word, standing

from api.memory import conditions, ended

START = {"startTime": "2026-01-01T00:00:01Z"}


@pytest.mark.parametrize(
    ("status", "word", "reason"),
    [
        ({}, Word.QUEUED, ""),
        ({"observedGeneration": -1, "phase": "Pending"}, Word.QUEUED, ""),
        (conditions(("Reconciling", "True", "Queued")), Word.QUEUED, "Queued"),
        (conditions(("Reconciling", "True", "Starting")), Word.QUEUED, "Starting"),
        (conditions(("Reconciling", "True", "Running")), Word.RUNNING, "Running"),
        (conditions(("Reconciling", "True", "Harvesting")) | START, Word.RUNNING, "Harvesting"),
        (conditions(("Reconciling", "True", "Cancelling")) | START, Word.RUNNING, "Cancelling"),
        (conditions(("Suspended", "True", "UserRequested")) | START, Word.QUEUED, "UserRequested"),
        (
            conditions(("Suspended", "False", "Resumed"), ("Reconciling", "True", "Running")) | START,
            Word.RUNNING,
            "Running",
        ),
        (ended("Complete", "Succeeded"), Word.DONE, "Succeeded"),
        (
            conditions(("VerdictPassed", "False", "MinTrades"), ("Complete", "True", "Succeeded")),
            Word.DONE,
            "Succeeded",
        ),
        (
            conditions(("Stalled", "True", "Cancelled"), ("Failed", "True", "Cancelled")),
            Word.FAILED,
            "Cancelled",
        ),
        (ended("Failed", "DeadlineExceeded") | START, Word.FAILED, "DeadlineExceeded"),
        (conditions(("Complete", "False", "Running")), Word.QUEUED, ""),
    ],
)
def test_conditions_decide(status: dict, word: Word, reason: str) -> None:
    found = standing(status)
    assert (found.word, found.reason) == (word, reason)


def test_the_phase_decides_nothing() -> None:
    assert standing({"phase": "Succeeded"}) == Standing(Word.QUEUED)


def test_only_done_and_failed_are_ends() -> None:
    assert [word for word in Word if Standing(word).ended] == [Word.DONE, Word.FAILED]
