"""The OpenAPI document, made from the routes of the router that serves it."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from spark_operator.api.services import Call


async def openapi(call: Call) -> Response:
    """OpenAPI 3.1."""
    return JSONResponse(call.request.app.state.openapi)
