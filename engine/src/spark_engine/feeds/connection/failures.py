"""The library's exceptions as a reason and a line for a user, who is told which host and port."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)
from websockets.http11 import Response

from spark_engine.errors import first_line
from spark_engine.feeds.connection.socket import LARGEST_FRAME
from spark_engine.feeds.connection.state import CloseReason, Ending
from spark_engine.feeds.rest.causes import cause_of, one_line, said_in
from spark_engine.feeds.rest.retries import retry_after_seconds

TOO_MANY_FLOOR: Final = 60.0  # seconds; BTCTurk blocks for as long
_BY_US: Final = {
    1002: "it broke the WebSocket protocol",
    1007: "it sent text that is not UTF-8",
    1009: f"it sent a frame larger than {LARGEST_FRAME // (1024 * 1024)} MiB",
}


def address(url: str) -> str:
    """host:port, the port always."""
    try:
        parts = urlsplit(url)
        port = parts.port or (80 if parts.scheme == "ws" else 443)
        host = parts.hostname or url
    except ValueError:
        return url
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def ended(error: ConnectionClosed, url: str) -> Ending:
    """An open connection is over."""
    if error.sent is not None and not error.rcvd_then_sent and error.sent.code in _BY_US:
        detail = f" ({error.sent.reason})" if error.sent.code == 1002 and error.sent.reason else ""
        return Ending(CloseReason.PROTOCOL, f"{address(url)}: {_BY_US[error.sent.code]}{detail}")
    if error.rcvd is not None:
        return Ending(
            CloseReason.CLOSED_BY_PEER, f"{address(url)} closed the connection: {one_line(str(error.rcvd))}"
        )
    how = cause_of(error.__cause__) if isinstance(error.__cause__, OSError) else "no close frame came"
    return Ending(CloseReason.DROPPED, f"{address(url)}: the connection was cut ({how})")


def refused(error: Exception, url: str) -> Ending:
    """No connection came to be."""
    where = address(url)
    if isinstance(error, InvalidStatus):
        return _status(error.response, where)
    if isinstance(error, TimeoutError):
        return Ending(CloseReason.UNREACHABLE, f"{where}: no WebSocket handshake in time")
    if isinstance(error, OSError) or (isinstance(error, InvalidMessage) and _cut(error)):
        return Ending(CloseReason.UNREACHABLE, f"{where} cannot be reached: {cause_of(error)}")
    if isinstance(error, InvalidURI) and error.uri != url:
        cause = f"{where} redirects to {error.uri[:200]!r}, no address of a WebSocket"
        return Ending(CloseReason.REFUSED_OTHER, cause)
    if isinstance(error, InvalidURI | ValueError):
        why = error.msg if isinstance(error, InvalidURI) else first_line(error)
        return Ending(CloseReason.UNREACHABLE, f"{url[:200]!r} is not an address of a WebSocket: {why}")
    if isinstance(error, ProxyError):
        return Ending(
            CloseReason.UNREACHABLE, f"{where}: the proxy does not let us through ({cause_of(error)})"
        )
    if isinstance(error, InvalidHandshake):
        what = first_line(error)
        return Ending(CloseReason.REFUSED_OTHER, f"{where} does not answer as a WebSocket server: {what}")
    return Ending(CloseReason.REFUSED_OTHER, f"{where}: {cause_of(error)}")


def _cut(error: InvalidMessage) -> bool:
    return isinstance(error.__cause__, EOFError | OSError)


def _status(response: Response, where: str) -> Ending:
    status = response.status_code
    said = said_in(bytes(response.body or b""))
    phrase = response.reason_phrase or _phrase(status)
    cause = f"{where} refused the connection: {status} {phrase}".rstrip() + (f" ({said})" if said else "")
    headers = response.headers
    floor = retry_after_seconds(
        _single(headers.get_all("Retry-After")), date=_single(headers.get_all("Date")), now=time.time()
    )
    if status == 429:
        return Ending(CloseReason.REFUSED_429, cause, TOO_MANY_FLOOR if floor is None else floor)
    reason = CloseReason.REFUSED_5XX if status >= 500 else CloseReason.REFUSED_OTHER
    return Ending(reason, cause, floor or 0.0)


def _single(values: list[str]) -> str | None:
    return values[0] if values else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
