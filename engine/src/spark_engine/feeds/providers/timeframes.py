"""The timeframes whose history a venue has."""

from __future__ import annotations

from collections.abc import Collection

from spark_engine.errors import InvalidSpec


def check_timeframe(timeframe: str, known: Collection[str]) -> None:
    """Raises `InvalidSpec` for one that is not among the `known`."""
    if timeframe not in known:
        allowed = ", ".join(known)
        raise InvalidSpec(f"must be one of {allowed}; is {timeframe!r:.40}", field="spec.timeframes")
