"""Where the API server is, and who we are to it."""

from __future__ import annotations

from dataclasses import dataclass


class NoConnection(ValueError):
    """There is no usable kubeconfig or service account; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What another HTTP library needs to reach the same API server as we. `authorization` is that header."""

    server: str
    authorization: str = ""
    ca_path: str | None = None
    insecure: bool = False
    certificate_path: str | None = None
    private_key_path: str | None = None


def checked_token(token: str) -> str:
    """The token, when a header can carry it."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("a bearer token is printable ASCII without spaces")
    return token
