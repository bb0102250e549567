"""What a symbol's feed is to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MINUTE_MS: Final = 60_000
MINUTE: Final = "1m"
LEAST_REMEMBERED: Final = 256


def remembered(snapshot_most: int) -> int:
    """How many of the latest ticks are known by id, after a restart too: a snapshot that is behind reaches
    back further than what was seen."""
    return max(4 * snapshot_most, LEAST_REMEMBERED)


@dataclass(frozen=True, slots=True)
class SymbolRules:
    """`snapshot_most`: how many ticks a snapshot of the venue holds when it holds all that it can.
    `history_after_ms`: after its end and the grace, a bar is asked of the venue's history."""

    timeframes: tuple[str, ...]
    grace_ms: int
    amend_ms: int
    sequential: bool
    snapshot_most: int
    history_after_ms: int = 5_000
