"""Durations as manifests write them: `30s`, `10m`, `24h`, `30d`."""

from __future__ import annotations

import re

from spark_crds.patterns import DURATION_PATTERN

UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(text: str) -> int:
    """Raises `ValueError` that says what is allowed."""
    if re.fullmatch(DURATION_PATTERN, text, re.ASCII) is None:
        raise ValueError(f"must be a whole number of s, m, h or d, as 30s; is {text[:40]!r}")
    return int(text[:-1]) * UNITS_MS[text[-1]]
