"""What is missing among bars."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gaps:
    """count: places where bars are missing. missing: bars. longest_ms: most of them at one place, as time."""

    count: int
    missing: int
    longest_ms: int
