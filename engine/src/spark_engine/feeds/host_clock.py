"""The host's clock, without the moments at which it is set."""

from __future__ import annotations

import time
from typing import Final

# Goes on while a laptop sleeps, where the system has such a clock.
_STEADY: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_ORIGIN_NS: Final = time.time_ns() - time.clock_gettime_ns(_STEADY)


def local_ns() -> int:
    """ns since 1970 by the host's clock as it was when the process began; only runs on from there.

    What is known, and until when, is measured by it: a clock that is set forwards would claim time to come.
    """
    return _ORIGIN_NS + time.clock_gettime_ns(_STEADY)
