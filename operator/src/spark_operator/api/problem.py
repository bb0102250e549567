"""Errors as RFC 9457 problems. `type` is about:blank; programs read `reason` and, for bad input, `errors`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from spark_operator.cluster import errors

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
FIELD = re.compile(r"(?:^|(?<=, ))(?P<field>(?:spec|metadata)(?:[.\[][^\s:]*)?): ")


@dataclass(frozen=True, slots=True)
class FieldError:
    """`field` is a path in the request body, such as params.fast or spec.market.symbol."""

    field: str
    message: str


class Problem(Exception):
    """An answer with status 400 or above. `detail` is for people and never tells internals."""

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def document(self, request_id: str) -> dict[str, Any]:
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            "requestId": request_id,
            **self.members,
        }
        if self.errors:
            document["errors"] = [{"field": error.field, "message": error.message} for error in self.errors]
        return document

    def response(self, request_id: str) -> Response:
        content = json.dumps(self.document(request_id), ensure_ascii=False).encode()
        return Response(content, self.status, self.headers, MEDIA_TYPE)


def invalid(field: str, message: str) -> Problem:
    """422: one field of the request is wrong."""
    return Problem(422, "Invalid", f"{field}: {message}", errors=[FieldError(field, message)])


def not_found(detail: str, reason: str = "NotFound") -> Problem:
    return Problem(404, reason, detail)


def unavailable(detail: str, reason: str = "Unavailable", **members: Any) -> Problem:
    """503, to be tried again soon."""
    return Problem(503, reason, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}, members=members)


def unauthorized(detail: str) -> Problem:
    return Problem(401, "Unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


def from_cluster(error: errors.ClusterError) -> Problem:
    """What the API server said to the caller's own request. 403 and refusals keep its words."""
    match error:
        case errors.NotFound():
            return not_found(error.message)
        case errors.AlreadyExists():
            return Problem(409, "AlreadyExists", error.message)
        case errors.Conflict():
            return Problem(409, "Conflict", error.message)
        case errors.Invalid():
            return _refused(error)
        case errors.Unauthorized():
            return unauthorized("the Kubernetes API server does not accept these credentials")
        case errors.Forbidden():
            return Problem(403, "Forbidden", error.message)
        case errors.TooManyRequests():
            seconds = str(max(1, round(error.retry_after)))
            detail = "the Kubernetes API server asks to try again later"
            return Problem(429, "TooManyRequests", detail, headers={"Retry-After": seconds})
    return unavailable("the Kubernetes API server did not answer; whether a write happened is not known")


def _refused(error: errors.ClusterError) -> Problem:
    return Problem(422, "Invalid", error.message, errors=objections(error.message))


def objections(message: str) -> list[FieldError]:
    """The fields that a refusal of the API server names; it lists them as [field: words, field: words]."""
    _, _, listed = message.partition(" is invalid: ")
    text = listed.removeprefix("[").removesuffix("]") if listed.startswith("[") else listed
    starts = [*FIELD.finditer(text)]
    ends = [*(start.start() for start in starts[1:]), len(text)]
    return [
        FieldError(start["field"], text[start.end() : end].removesuffix(", "))
        for start, end in zip(starts, ends, strict=False)
    ]
