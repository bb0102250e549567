"""A port at which nobody listens."""

from __future__ import annotations

import socket

import pytest


@pytest.fixture
def refused_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
