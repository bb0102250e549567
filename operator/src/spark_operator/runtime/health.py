"""Health, readiness and metrics over HTTP, from the event loop that does the work."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

Problem = Callable[[], str]
"""Why something is not as it should be; empty when it is."""


def health_application(unhealthy: Problem, unready: Problem, registry: CollectorRegistry) -> Starlette:
    """`/healthz`: 503 only when a restart would help. `/readyz`: the truth. Both say why. `/metrics`."""

    async def healthz(_: Request) -> Response:
        return _answer(unhealthy())

    async def readyz(_: Request) -> Response:
        return _answer(unready())

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=content_type)

    routes = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in routes.items()])


class PortInUse(ValueError):
    """Nothing can listen there."""


def listen(port: int) -> socket.socket:
    """A socket on all addresses, IPv6 too where there is any. Raises `PortInUse`."""
    try:
        if socket.has_dualstack_ipv6():
            with contextlib.suppress(OSError):
                return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server(("", port))
    except OSError as error:
        raise PortInUse(f"port {port}: {error.strerror or error}") from None


async def serve(application: Starlette, listener: socket.socket) -> None:
    """Serves until cancelled."""
    config = uvicorn.Config(application, log_config=None, access_log=False, lifespan="off")
    server = _Server(config)
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        server.should_exit = True
        raise


class _Server(uvicorn.Server):
    """Without signal handlers: the process has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _answer(problem: str) -> Response:
    return PlainTextResponse(f"{problem or 'ok'}\n", status_code=503 if problem else 200)
