"""What a user is told of a failure outside: one line, without tags, class names or traces."""

from __future__ import annotations

import html
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import msgspec

from spark_engine.errors import first_line

LONGEST: Final = 160
READ: Final = 65_536  # of a body; nothing worth telling comes later
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_MESSAGES: Final = ("message", "msg", "error", "detail")  # how venues name it


def cause_of(error: BaseException) -> str:
    """The failure at the root of `error`: name not known, connection refused, certificate, cut off, …"""
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, socket.gaierror):
            return "its name cannot be resolved"
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({one.verify_message})"
        if isinstance(one, ssl.SSLError):
            return f"TLS failed ({(one.reason or 'no reason given').replace('_', ' ').lower()})"
    for one in chain:
        if isinstance(one, ConnectionRefusedError):
            return "connection refused"
        if isinstance(one, ConnectionResetError | BrokenPipeError):
            return "it reset the connection"
        if isinstance(one, TimeoutError):
            return "no answer in time"
    for one in chain:
        if isinstance(one, EOFError):
            return "it closed the connection without answering"
        if isinstance(one, OSError) and one.strerror:
            return one.strerror[:1].lower() + one.strerror[1:LONGEST]
    return first_line(chain[-1])[:LONGEST]


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error`, what it groups and what caused it, outermost first."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        cause = one.__cause__ or one.__context__
        if cause is not None:
            waiting.append(cause)


def said_in(body: bytes) -> str:
    """What the body of an error answer says: a field of JSON, an HTML title, or its first words; maybe ''."""
    return _json_message(body) or _plain(body)


def _json_message(body: bytes) -> str:
    try:
        value = msgspec.json.decode(body[:READ])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if not isinstance(value, dict):
        return ""
    return next((one_line(value[name]) for name in _MESSAGES if isinstance(value.get(name), str)), "")


def _plain(body: bytes) -> str:
    text = body[:READ].decode("utf-8", "replace")
    title = _TITLE.search(text)
    return one_line(html.unescape(title.group(1) if title else _TAG.sub(" ", text)))


def one_line(text: str) -> str:
    """Printable, and not too long."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:LONGEST]
