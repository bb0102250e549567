"""How a request can end badly. Each message names host and path and is fit for a user."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

EventKind = Literal["sent", "answered", "waited", "limited", "retried", "unavailable", "refused", "malformed"]


class RestError(Exception):
    """`host` with the port where it is not the usual one, `path` without the query, `cause` in words."""

    def __init__(self, url: str, cause: str) -> None:
        self.url = url
        self.host, self.path = host_and_path(url)
        self.cause = cause
        super().__init__(f"{self.host}{self.path}: {cause}")


class RestUnavailable(RestError):
    """No answer could be had for now. `retry_in`: seconds until asking again makes sense; None: unknown."""

    def __init__(self, url: str, cause: str, *, retry_in: float | None = None) -> None:
        super().__init__(url, cause)
        self.retry_in = retry_in


class RestRefused(RestError):
    """The venue answered, and the answer is no. Asking the same again is pointless."""

    def __init__(self, url: str, status: int, message: str) -> None:
        super().__init__(url, f"answered {status}" + (f": {message}" if message else ""))
        self.status = status
        self.message = message


class RestMalformed(RestError):
    """The answer is not what the venue's protocol says."""


def host_and_path(url: str) -> tuple[str, str]:
    """Without user, password and query: those are no part of a message."""
    try:
        parts = urlsplit(url)
        return parts.netloc.rpartition("@")[2] or url, parts.path
    except ValueError:
        return url, ""
