"""uvicorn in an event loop that does other work too, and that decides when to stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.applications import Starlette

from spark_engine.errors import EngineError, InvalidSpec

PORT: Final = 5001
BACKLOG: Final = 128
GRACE_SECONDS: Final = 3  # for answers under way when the feed stops


def listen(port: int = PORT, host: str = "") -> socket.socket:
    """A socket on one address, or on all of them, IPv6 too where there is any; port 0 takes a free one.

    Raises `InvalidSpec` where nothing can listen there: before the feed starts, not while it runs.
    """
    try:
        if not host and socket.has_dualstack_ipv6():
            with contextlib.suppress(OSError):
                return socket.create_server(
                    ("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True
                )
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        place = f"{port} of {host}" if host else str(port)
        raise InvalidSpec(f"nothing can listen on {place}: {_cause(error)}", field="port") from None


async def serve(application: Starlette, listening: socket.socket, stop: asyncio.Event) -> None:
    """Serves until `stop` is set or the task is cancelled, then closes the socket.

    Raises `EngineError` where the server ends by itself.
    """
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="http")
    stopping = asyncio.create_task(stop.wait(), name="http-stop")
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        stopping.cancel()
        await serving
    if not stop.is_set():
        raise EngineError("the HTTP server ended by itself")


class _Server(uvicorn.Server):
    """Without signal handlers: signals are for the process, not for one of its tasks."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _cause(error: Exception) -> str:
    """Without the address that the socket module adds: the message has it."""
    text = getattr(error, "strerror", None) or str(error)
    return text.partition(" (while attempting")[0]
