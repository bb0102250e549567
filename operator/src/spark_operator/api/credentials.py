"""Where credentials may stand in a request: one of three places, and only one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers

ADMIN_TOKEN_HEADER = "x-admin-token"  # noqa: S105  # a header's name
ADMIN_TOKEN_COOKIE = "admin-token"  # noqa: S105  # a cookie's name
# RFC 6750; a cap, because every token is sent to the API server
BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,16384}=*)", re.IGNORECASE | re.ASCII)


class Refusal(StrEnum):
    """Why a request is not authenticated: the closed list of the metric's label."""

    MISSING = "missing"
    AMBIGUOUS = "ambiguous"
    MALFORMED = "malformed"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A secret and whether it can only be ADMIN_TOKEN, because of where it stood."""

    secret: str = field(repr=False)
    admin_only: bool


def find_credentials(headers: Headers) -> Credentials | Refusal:
    """The credentials of a request, or why there are none."""
    bearers = headers.getlist("authorization")
    admin = headers.getlist(ADMIN_TOKEN_HEADER) + _cookies(headers)
    if len(bearers) + len(admin) > 1:
        return Refusal.AMBIGUOUS
    if admin:
        return Credentials(admin[0], admin_only=True)
    if not bearers:
        return Refusal.MISSING
    bearer = BEARER.fullmatch(bearers[0].strip())
    return Credentials(bearer[1], admin_only=False) if bearer else Refusal.MALFORMED


def _cookies(headers: Headers) -> list[str]:
    found = []
    for line in headers.getlist("cookie"):
        for pair in line.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == ADMIN_TOKEN_COOKIE:
                found.append(_unquoted(value))
    return found


def _unquoted(value: str) -> str:
    try:
        morsel = SimpleCookie(f"{ADMIN_TOKEN_COOKIE}={value}").get(ADMIN_TOKEN_COOKIE)
    except CookieError:
        return value
    return morsel.value if morsel else value
