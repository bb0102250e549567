"""What needs no credentials: health, metrics, and what there is."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from spark_operator.api.operator_metrics import with_leader
from spark_operator.api.problem import unavailable
from spark_operator.api.services import Call


async def live(call: Call) -> Response:
    """503 once the working loop ended: only a restart helps."""
    if not call.services.runs.working:
        raise unavailable("the watch of runs ended by an error", "NotWorking")
    return PlainTextResponse("ok\n")


async def ready(call: Call) -> Response:
    """503 while reads would not be the truth."""
    if reason := call.services.runs.not_ready:
        raise unavailable(reason, "NotReady")
    return JSONResponse({"status": "ok"})


async def metrics(call: Call) -> Response:
    """Our own series."""
    call.services.metrics.ui_hits.inc()
    return Response(generate_latest(call.services.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def all_metrics(call: Call) -> Response:
    """Our own series, and those of the operator's leader."""
    call.services.metrics.ui_hits.inc()
    text = await with_leader(call.services.metrics.registry, call.services.operator_metrics_url)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def list_routes(call: Call) -> Response:
    """Every route of the router, as it is."""
    routes = [route for route in call.request.app.routes if isinstance(route, Route)]
    listed = [{"path": route.path_format, "methods": methods_of(route)} for route in routes]
    return JSONResponse({"routes": listed})


def methods_of(route: Route) -> str:
    """HEAD comes with every GET and is not told."""
    return ",".join(sorted((route.methods or set()) - {"HEAD"}))
