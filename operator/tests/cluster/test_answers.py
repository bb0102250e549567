"""Answers that are no success become typed errors."""

from __future__ import annotations

import json

import pytest
from spark_operator.cluster import errors
from spark_operator.cluster.answer import error_of


def status(code: int, reason: str = "", **more: object) -> bytes:
    return json.dumps(
        {"kind": "Status", "code": code, "reason": reason, "message": f"message of {code}", **more}
    ).encode()


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", errors.Invalid),
        (401, "Unauthorized", errors.Unauthorized),
        (403, "Forbidden", errors.Forbidden),
        (404, "NotFound", errors.NotFound),
        (409, "AlreadyExists", errors.AlreadyExists),
        (409, "Conflict", errors.Conflict),
        (410, "Expired", errors.Expired),
        (413, "RequestEntityTooLarge", errors.Invalid),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.TooManyRequests),
        (500, "InternalError", errors.Unavailable),
        (503, "ServiceUnavailable", errors.Unavailable),
        (504, "Timeout", errors.Unavailable),
        (405, "MethodNotAllowed", errors.ClusterError),
    ],
)
def test_a_status_becomes_its_error(code: int, reason: str, expected: type[errors.ClusterError]) -> None:
    error = error_of(code, status(code, reason))
    assert type(error) is expected
    assert (error.status, error.reason, error.message) == (code, reason, f"message of {code}")


@pytest.mark.parametrize(
    ("header", "details", "seconds"),
    [("7", {}, 7.0), ("", {"retryAfterSeconds": 3}, 3.0), ("", {}, 1.0), ("Wed, 21 Oct", {}, 1.0)],
)
def test_a_throttled_request_says_how_long_to_wait(header: str, details: object, seconds: float) -> None:
    error = error_of(429, status(429, "TooManyRequests", details=details), header)
    assert isinstance(error, errors.TooManyRequests)
    assert error.retry_after == seconds


def test_text_of_a_proxy_is_told_as_it_is_but_shortened() -> None:
    error = error_of(502, b"<html>bad gateway</html>" + b"x" * 5000)
    assert isinstance(error, errors.Unavailable)
    assert error.message.startswith("<html>bad gateway</html>")
    assert len(error.message) <= 512


def test_an_empty_body_still_says_the_status() -> None:
    assert error_of(503, b"").message == "HTTP status 503"
