"""stdout is for results: what a strategy prints goes to stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TextIO

_lock = Lock()
_set_aside: list[TextIO] = []  # stdout, once for each that is inside: runs of a sweep overlap in threads


@contextmanager
def prints_to_stderr() -> Iterator[None]:
    """While user code runs, `print` writes to stderr, where progress and logs are."""
    with _lock:
        _set_aside.append(_set_aside[0] if _set_aside else sys.stdout)
        sys.stdout = sys.stderr
    try:
        yield
    finally:
        with _lock:
            before = _set_aside.pop()
            if not _set_aside:
                sys.stdout = before
