"""What the machine, the day and chance would otherwise decide, for all tests alike."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.cluster.network import ask_directly

# What a shell, a CI or a Job sets for itself, and what we test heeds: colours and width of its output, the
# options of pytest, a traceback where a message belongs, the place of a pod.
OF_OTHERS = (
    *("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "PYTEST_ADDOPTS"),
    *("SPARK_DEBUG", "SPARK_IMAGE", "SPARK_JOB_UID", "JOB_COMPLETION_INDEX"),
)

# A busy machine is no failure (time is measured in bench/), nor is chance: the examples are always the same.
# `pytest --hypothesis-profile=search` looks for others.
settings.register_profile(
    "repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", settings.get_profile("repeatable"), derandomize=False, database=None)
settings.load_profile("repeatable")

# Where the way out of this machine leads through a proxy, servers of tests are asked without it.
ask_directly("127.0.0.1", "localhost", "::1", "invalid")

# The background of a script ignores SIGINT, and so does what is started there: Ctrl-C would end nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def environment() -> Iterator[None]:
    """Of the variables that change what is tested, a test sets those that it means."""
    with pytest.MonkeyPatch.context() as variables:
        for name in OF_OTHERS:
            variables.delenv(name, raising=False)
        yield
