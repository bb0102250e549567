"""The routes of a feed. No credentials: they tell state, and change none."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from spark_engine.feeds.serve.documents import health_document, symbol_documents
from spark_engine.feeds.serve.health import FeedHealth, unhealthy, unready
from spark_engine.feeds.serve.metrics import FeedMetrics
from spark_engine.feeds.settings import FeedSettings

Source = Callable[[], FeedHealth]
"""The state of the feed now. Called in the event loop, at every request; must not block."""
NOT_STORED = {"Cache-Control": "no-store"}


def application(settings: FeedSettings, source: Source, metrics: FeedMetrics) -> Starlette:
    """`/api/feeds/health|symbols`; `/healthz`: 503 only when a restart would help; `/readyz`: 503 while the
    data are not live; both say why. `/metrics`."""
    symbols = symbol_documents(settings)

    async def health(_: Request) -> Response:
        return JSONResponse([health_document(source(), settings.stale_after_ms)], headers=NOT_STORED)

    async def listed(_: Request) -> Response:
        return JSONResponse(symbols, headers=NOT_STORED)

    async def healthz(_: Request) -> Response:
        problem = unhealthy(source())
        return PlainTextResponse(f"{problem or 'ok'}\n", status_code=503 if problem else 200)

    async def readyz(_: Request) -> Response:
        reasons = unready(source(), settings.stale_after_ms)
        body = "\n".join(reasons) or "ok"
        return PlainTextResponse(f"{body}\n", status_code=503 if reasons else 200)

    async def exposition(request: Request) -> Response:
        metrics.update(source())
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(metrics.registry), media_type=content_type)

    routes = {
        "/api/feeds/health": health,
        "/api/feeds/symbols": listed,
        "/healthz": healthz,
        "/readyz": readyz,
        "/metrics": exposition,
    }
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in routes.items()])
