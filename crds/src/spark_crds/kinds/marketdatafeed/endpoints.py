"""Addresses of a feed: each with the schemes that are read there, and never with credentials."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from spark_crds.kinds.base import Model, rule, validations

MAX_URI = 2048
# No user information in the authority: credentials do not belong into an object that many may read
REST_OF_URL = r"://[^/?#@\s]+([/?][^#\s]*)?$"


def _schemes(*allowed: str) -> dict[str, object]:
    pattern = "|".join(allowed)
    words = f"{', '.join(f'{scheme}://' for scheme in allowed[:-1])} or {allowed[-1]}://"
    return validations(
        rule(f"!self.contains('://') || self.matches('^({pattern})://.')", f"must be a path, {words}"),
        rule(
            "!self.matches('^[a-z0-9]+://[^/]*@')",
            "must not hold credentials: they come from the environment",
        ),
    )


WebSocketUrl = Annotated[str, Field(max_length=MAX_URI, pattern=f"^wss?{REST_OF_URL}")]
HttpUrl = Annotated[str, Field(max_length=MAX_URI, pattern=f"^https?{REST_OF_URL}")]
FilesUri = Annotated[
    str,
    Field(min_length=1, max_length=MAX_URI, json_schema_extra=_schemes("file", "http", "https")),
]
ArchiveUri = Annotated[
    str, Field(min_length=1, max_length=MAX_URI, json_schema_extra=_schemes("file", "s3", "gs", "az"))
]


class Endpoints(Model):
    """Addresses, where they are not the provider's own."""

    web_socket: WebSocketUrl | None = None
    """Stream of the venue, wss:// or ws://."""
    rest: HttpUrl | None = None
    """REST of the venue, https:// or http://: instruments, server time, recent trades."""
    history: HttpUrl | None = None
    """Candles of the past, where they have a host of their own, https:// or http://."""
    files: FilesUri | None = None
    """Drop folder of bist-files: a path, file://, http:// or https://."""
