"""Numbers as text for the terminal: thousands separated, two or three digits that matter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Form = Callable[[float], str]


def money(value: float) -> str:
    return f"{value:,.2f}" if abs(value) < 1e15 else f"{value:.6g}"


def percent(value: float) -> str:
    return f"{value * 100:,.2f} %" if abs(value) < 1e6 else f"{value * 100:.4g} %"


def signed_percent(value: float) -> str:
    return f"{'+' if value > 0 else ''}{percent(value)}"


def ratio(value: float) -> str:
    return f"{value:,.2f}" if abs(value) < 1e6 else f"{value:.4g}"


def minute(ts: int | None) -> str:
    """A time stamp in ms UTC as `2024-01-31 00:00`."""
    if ts is None:
        return "–"
    return datetime.fromtimestamp(ts / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M")


def moment(ts: int) -> str:
    """Like `minute` where it is a whole one, else `2024-01-31 00:00:12.345`."""
    if ts % 60_000 == 0:
        return minute(ts)
    second, ms = divmod(ts, 1000)
    return f"{datetime.fromtimestamp(second, tz=UTC):%Y-%m-%d %H:%M:%S}.{ms:03d}"


def intervals(count: int) -> str:
    return f"{count:,} interval{'' if count == 1 else 's'}"
