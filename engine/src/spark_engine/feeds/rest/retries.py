"""When to ask again. Pure: chance and times are arguments."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_RETRY_AFTER: Final = 3 * 86_400.0  # the longest ban an exchange is known to announce (Binance, 418)


def full_jitter(attempt: int, *, first: float, factor: float, cap: float, chance: float) -> float:
    """Seconds to wait after the `attempt`-th failure in a row (from 1); `chance` is uniform in [0, 1).

    Full jitter: uniform between 0 and the exponential bound, so that clients cut off together do not come
    back together (Brooker, "Exponential Backoff And Jitter", AWS 2015).
    """
    if attempt < 1:
        raise ValueError(f"attempts count from 1, not {attempt}")
    doublings = min(attempt - 1, 64)  # far beyond any cap, and no float overflows
    return float(chance * min(cap, first * factor**doublings))


def retry_after_seconds(value: str | None, *, date: str | None, now: float) -> float | None:
    """The header Retry-After in seconds from now (RFC 9110, 10.2.3); None where absent or unreadable.

    A moment is compared with the server's own `date` header if there is one: our clock may be wrong.
    `now` is the wall clock in seconds since 1970.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    else:
        until = _moment(text)
        if until is None:
            return None
        since = _moment(date) if date else None
        seconds = until - (now if since is None else since)
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def http_date_ms(value: str | None) -> int | None:
    """A moment of a header in ms since 1970; None where absent or unreadable."""
    moment = _moment(value) if value else None
    return None if moment is None or moment < 0 else round(moment * 1000)


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
