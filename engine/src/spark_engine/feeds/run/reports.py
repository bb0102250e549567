"""What a feed says on stderr: each thing once, until it changes or a minute has passed."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, TextIO

from spark_engine.printable import printable

AGAIN_SECONDS: Final = 60.0
REMEMBERED: Final = 256


class Reports:
    """A line a report, with the time in UTC. Repeats within a minute are left out."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._said: dict[str, float] = {}

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if now - self._said.get(text, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return
        if len(self._said) >= REMEMBERED:
            self._said.clear()
        self._said[text] = now
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with suppress(OSError):  # a full disk or a reader that has gone ends no feed
            self._stream.write(f"{stamp} {printable(text)}\n")
            self._stream.flush()
