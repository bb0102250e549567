"""Places that nobody reaches, on whatever machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def refused_port() -> Iterator[int]:
    """Nobody listens there. It is bound: nobody else takes it, nor does a client connect to itself."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def unknown_name(monkeypatch: pytest.MonkeyPatch) -> str:
    """A name that does not exist, without asking a resolver, which may be slow, absent or a liar."""
    name, resolve = "nowhere.invalid", socket.getaddrinfo

    def resolved(host: Any, *arguments: Any, **options: Any) -> Any:
        if host in (name, name.encode()):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return name
