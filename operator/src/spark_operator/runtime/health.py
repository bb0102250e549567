"""Health, readiness and metrics over HTTP, from the event loop that does the work."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from spark_operator.serving import Server

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


async def serve(application: Starlette, listener: socket.socket) -> None:
    """Serves until cancelled."""
    config = uvicorn.Config(application, log_config=None, access_log=False, lifespan="off")
    server = Server(config)
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        server.should_exit = True
        raise


def _answer(problem: str) -> Response:
    return PlainTextResponse(f"{problem or 'ok'}\n", status_code=503 if problem else 200)
