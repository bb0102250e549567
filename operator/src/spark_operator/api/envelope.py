"""Around every request: its id, headers that keep a browser safe, one line in the log, no traceback out."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spark_operator.api.problem import Problem

ACCESS = logging.getLogger("spark_operator.api.access")
LOG = logging.getLogger(__name__)

REQUEST_ID_HEADER = "x-request-id"
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
UNHANDLED = Problem(500, "InternalError", "something went wrong here; the log has more under this request id")


def request_id(scope: Scope) -> str:
    """Of the request that is being answered."""
    return str(scope["state"]["request_id"])


class Envelope:
    """The one middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = _given_id(Headers(scope=scope)) or uuid.uuid4().hex
        answer = _Answer(send, state["request_id"])
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            pass  # nobody is there to be told
        except Exception as error:
            if answer.status:
                raise  # half an answer is out: the connection must break
            LOG.error("unhandled", exc_info=error, extra={"requestId": state["request_id"]})
            await UNHANDLED.response(state["request_id"])(scope, receive, answer.send)
        finally:
            ACCESS.info("request", extra=_line(scope, answer))


class _Answer:
    """Sends on, with our headers; remembers what was sent."""

    def __init__(self, send: Send, identifier: str) -> None:
        self._send = send
        self._identifier = identifier
        self.started = time.perf_counter()
        self.status = 0
        self.bytes = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID_HEADER] = self._identifier
            for name, value in SAFE_HEADERS.items():
                headers.setdefault(name, value)
        elif message["type"] == "http.response.body":
            self.bytes += len(message.get("body", b""))
        await self._send(message)


def _given_id(headers: Headers) -> str:
    given = headers.get(REQUEST_ID_HEADER, "")
    return given if REQUEST_ID.fullmatch(given) else ""


def _line(scope: Scope, answer: _Answer) -> dict[str, Any]:
    """Neither query nor headers: both may hold secrets."""
    client = scope.get("client")
    return {
        "requestId": scope["state"]["request_id"],
        "method": scope["method"],
        "path": scope["path"],
        "status": answer.status,
        "bytes": answer.bytes,
        "ms": round((time.perf_counter() - answer.started) * 1000, 1),
        "user": scope["state"].get("user", ""),
        "address": client[0] if client else "",
        "userAgent": Headers(scope=scope).get("user-agent", "")[:256],
    }
