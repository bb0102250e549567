"""The deadline of a run, kept by the engine itself: a kubelet's deadline would take the message with it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from spark_engine.errors import DeadlineExceeded


@contextmanager
def deadline(seconds: int | None) -> Iterator[None]:
    """Raises `DeadlineExceeded` in the body after `seconds`; None means no deadline. Main thread only."""
    if seconds is None:
        yield
        return

    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise DeadlineExceeded(f"the run took longer than {seconds} s", field="spec.activeDeadlineSeconds")

    previous = signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
