"""How long a feed waits before it believes that something is wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """first_data_seconds: from joining a channel to its first message. silent_heartbeats: a ticker that
    misses so many is dead, whatever else still talks. doubt_seconds: a last price without its trade for so
    long: trades may be lost. history_after_ms: the venue needs a moment to have a bar in its history.
    offline_close_ms: without a connection nothing more can come for a bar. silent_close_ms: with one, a
    frame may still."""

    first_data_seconds: float = 10.0
    silent_heartbeats: float = 8.0
    doubt_seconds: float = 5.0
    history_after_ms: int = 5_000
    offline_close_ms: int = 1_000
    silent_close_ms: int = 5_000
