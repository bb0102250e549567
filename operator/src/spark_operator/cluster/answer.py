"""Answers of the API server that are no success, as typed errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spark_operator.cluster.errors import (
    AlreadyExists,
    ClusterError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)

BY_STATUS: Mapping[int, type[ClusterError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    413: Invalid,
    422: Invalid,
    429: TooManyRequests,
}
MAX_TEXT = 512


def status_object(body: bytes) -> Mapping[str, Any]:
    """The `Status` in a body, or an empty one: proxies and unknown paths answer with text."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) and value.get("kind") == "Status" else {}


def error_of(code: int, body: bytes, retry_after: str = "") -> ClusterError:
    """The error for an HTTP status of 300 or more. `retry_after` is that header, in seconds."""
    status = status_object(body)
    text = body[:MAX_TEXT].decode(errors="replace").strip()
    return error_of_status({"message": text, **status, "code": code}, retry_after)


def error_of_status(status: Mapping[str, Any], retry_after: str = "") -> ClusterError:
    """The error that a `Status` tells, as in the ERROR event of a watch."""
    code, reason = int(status.get("code") or 0), str(status.get("reason") or "")
    kind = BY_STATUS.get(code, Unavailable if code >= 500 else ClusterError)
    if kind is Conflict and reason == "AlreadyExists":
        kind = AlreadyExists
    error = kind(str(status.get("message") or f"HTTP status {code}"), status=code, reason=reason)
    if isinstance(error, TooManyRequests):
        seconds = retry_after or str((status.get("details") or {}).get("retryAfterSeconds") or "")
        error.retry_after = float(seconds) if seconds.isdecimal() else TooManyRequests.retry_after
    return error
