"""The deadline that the engine keeps for itself."""

from __future__ import annotations

import signal

import pytest
from spark_crds.formats.outcome import ExitCode
from spark_engine.errors import DeadlineExceeded
from spark_engine.execute.deadline import deadline

pytestmark = pytest.mark.timeout(0)  # its limit of a test is an alarm too


def test_work_that_takes_too_long_ends_with_the_deadline_and_its_exit_code() -> None:
    with pytest.raises(DeadlineExceeded) as caught, deadline(1):
        while True:
            pass
    assert caught.value.exit_code is ExitCode.DEADLINE_EXCEEDED == 14
    assert caught.value.failure().field == "spec.activeDeadlineSeconds"


def test_nothing_is_pending_after_work_that_was_in_time() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with deadline(60):
        pass
    assert signal.alarm(0) == 0
    assert signal.getsignal(signal.SIGALRM) is before


def test_no_deadline_sets_no_alarm() -> None:
    with deadline(None):
        assert signal.alarm(0) == 0
