"""HTTP servers in an event loop that does other work too."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import uvicorn

BACKLOG = 1024


class PortInUse(ValueError):
    """Nothing can listen there."""


class Server(uvicorn.Server):
    """Without signal handlers: signals are for the process, not for one of its servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(port: int, host: str = "") -> socket.socket:
    """A socket on one address, or on all of them, IPv6 too where there is any. Raises `PortInUse`."""
    try:
        if not host and socket.has_dualstack_ipv6():
            with contextlib.suppress(OSError):
                return socket.create_server(
                    ("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True
                )
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        place = f"port {port} of {host}" if host else f"port {port}"
        raise PortInUse(f"{place}: {error.strerror or error}") from None
