"""Two ports in one process, stopped together."""

from __future__ import annotations

import asyncio
import signal
import socket

import uvicorn
from starlette.types import ASGIApp

from spark_operator.serving import Server

GRACE_SECONDS = 10


async def serve(*applications: tuple[ASGIApp, socket.socket]) -> None:
    """Serves each application at its socket until SIGTERM or SIGINT, then finishes the answers in hand."""
    servers = [Server(server_config(application)) for application, _ in applications]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    sockets = [listener for _, listener in applications]
    await asyncio.gather(
        *(server.serve(sockets=[listener]) for server, listener in zip(servers, sockets, strict=True))
    )


def server_config(application: ASGIApp) -> uvicorn.Config:
    """How each port is served."""
    return uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the address in a header is anybody's claim
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
