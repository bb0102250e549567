"""What a request to the API server can end with, besides an answer."""

from __future__ import annotations


class ClusterError(Exception):
    """`status` is the HTTP status, 0 where there was no answer. `reason` and `message` are the server's."""

    def __init__(self, message: str, *, status: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason


class NotFound(ClusterError):
    """404."""


class AlreadyExists(ClusterError):
    """409 with reason AlreadyExists: a create met an object of that name."""


class Conflict(ClusterError):
    """409 otherwise: the object changed since it was read, or a precondition on its uid does not hold."""


class Invalid(ClusterError):
    """400 or 422: the object itself is refused."""


class Unauthorized(ClusterError):
    """401."""


class Forbidden(ClusterError):
    """403. Also a namespace that is being terminated, and a quota."""

    @property
    def namespace_terminating(self) -> bool:
        return "because it is being terminated" in self.message


class Expired(ClusterError):
    """410: a resourceVersion or continue token is too old."""


class TooManyRequests(ClusterError):
    """429; `retry_after` in seconds."""

    retry_after: float = 1.0


class Unavailable(ClusterError):
    """5xx, no connection, or no answer in time. A write may or may not have happened."""


class NotLeading(ClusterError):
    """A write that was not sent: the Lease is not provably ours."""
