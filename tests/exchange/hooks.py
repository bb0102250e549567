"""Where a fault takes hold: lists of functions that the exchange asks before it acts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from websockets.http11 import Response

    from tests.exchange.frames import Message
    from tests.exchange.http_server import Answer, Asked
    from tests.exchange.sockets import Session

T = TypeVar("T")


@dataclass
class Hooks:
    """`frames`: what is sent in place of a message. `doors`: an answer in place of a handshake. `joins`:
    'ignored' or 'refused' for a join. `requests`: an answer in place of a REST route's. `stamps`: another
    D for a new trade. `server_time`: another server/time in ms."""

    frames: list[Callable[[Session, Message], Iterable[Message]]] = field(default_factory=list)
    doors: list[Callable[[], Response | None]] = field(default_factory=list)
    joins: list[Callable[[Session, str, str], str | None]] = field(default_factory=list)
    requests: list[Callable[[Asked], Awaitable[Answer | None]]] = field(default_factory=list)
    stamps: list[Callable[[str, int], int]] = field(default_factory=list)
    server_time: list[Callable[[int], int]] = field(default_factory=list)


@contextmanager
def among(hooks: list[T], hook: T) -> Iterator[None]:
    """The hook takes hold while the context lasts."""
    hooks.append(hook)
    try:
        yield
    finally:
        hooks.remove(hook)
