"""Whom a fault hits, and how a substitute stands in for a socket's transport."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.exchange.sockets import Session
from tests.exchange.transports import Substitute


def substitute(session: Session, stand_in: Substitute) -> None:
    """Everything that the connection writes goes there from now on."""
    connection: Any = session.connection
    connection.transport = stand_in


def restore(session: Session, stand_in: Substitute) -> None:
    """Takes it out, also from under another fault's substitute."""
    connection: Any = session.connection
    if connection.transport is stand_in:
        connection.transport = stand_in.transport
        return
    outer = connection.transport
    while isinstance(outer, Substitute):
        inner: Any = outer.transport
        if inner is stand_in:
            outer.transport = stand_in.transport
            return
        outer = inner


@contextmanager
def substituted(pairs: list[tuple[Session, Substitute]]) -> Iterator[None]:
    for session, stand_in in pairs:
        substitute(session, stand_in)
    try:
        yield
    finally:
        for session, stand_in in pairs:
            restore(session, stand_in)
