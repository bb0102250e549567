"""The Starlette application: guarded routes, a problem for every error, one middleware around all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from spark_crds.kinds.backtestrun.kind import RESERVED_NAMES
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spark_operator.api.caller import Anonymous
from spark_operator.api.cross_site import require_own_site
from spark_operator.api.envelope import Envelope, request_id
from spark_operator.api.handlers import public
from spark_operator.api.openapi import openapi_document
from spark_operator.api.operation import Access, Operation
from spark_operator.api.problem import Problem, unavailable
from spark_operator.api.routes import ROUTES
from spark_operator.api.services import Call, Services

REASONS = {404: "NotFound", 405: "MethodNotAllowed"}


class RunNameConvertor(Convertor[str]):
    """A name that a run can have, so that no fixed path is ever read as one."""

    regex = rf"(?!(?:{'|'.join(RESERVED_NAMES)})(?:/|\Z))[a-z0-9][a-z0-9-]{{0,252}}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("run", RunNameConvertor())


def create_application(services: Services, operations: Iterable[Operation] = ROUTES) -> Starlette:
    """The application of the port `http`; watches run from its start to its end."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with services.runs.watched():
            yield

    listed = tuple(operations)
    application = _application(services, listed, lifespan)
    application.state.openapi = openapi_document(listed)
    return application


def create_metrics_application(services: Services) -> Starlette:
    """The application of the port `metrics`."""
    return _application(
        services, tuple(each for each in ROUTES if each.handler in (public.metrics, public.live))
    )


def _application(
    services: Services,
    operations: Iterable[Operation],
    lifespan: Callable[[Starlette], object] | None = None,
) -> Starlette:
    application = Starlette(
        routes=[_route(operation, services) for operation in operations],
        middleware=[Middleware(Envelope)],
        exception_handlers={Problem: _problem, HTTPException: _http_exception},
        lifespan=lifespan,  # type: ignore[arg-type]  # Starlette's type asks for its own alias
    )
    application.router.redirect_slashes = False
    return application


def _route(operation: Operation, services: Services) -> Route:
    async def endpoint(request: Request) -> Response:
        return await operation.handler(await _guarded(request, operation.access, services))

    path = operation.path.replace("{id}", "{id:run}")
    return Route(path, endpoint, methods=[operation.method], name=f"{operation.method} {operation.path}")


async def _guarded(request: Request, access: Access, services: Services) -> Call:
    """The call, once its caller is known as the route demands."""
    if access is Access.OPEN:
        return Call(request, services, Anonymous())
    api = services.configuration().api
    if access is Access.WRITE:
        if api.mode == "readOnly":
            raise unavailable("this API is read-only now; kubectl is not affected", "ReadOnly")
        require_own_site(request.headers)
    anonymous_allowed = access is Access.READ and api.anonymous_read
    caller = await services.authenticator.caller(request.headers, anonymous_allowed=anonymous_allowed)
    request.state.user = caller.user
    return Call(request, services, caller)


Handler = Callable[[Request, Exception], Awaitable[Response]]


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101  # registered for this type
    return error.response(request_id(request.scope))


async def _http_exception(request: Request, error: Exception) -> Response:
    """What the router says: 404 and 405."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this type
    method, path = request.method, request.url.path
    words = {
        404: f"there is nothing at {path}",
        405: f"{method} is not allowed at {path}",
    }
    detail = words.get(error.status_code, error.detail)
    reason = REASONS.get(error.status_code, "BadRequest")
    problem = Problem(error.status_code, reason, detail, headers=error.headers)
    return problem.response(request_id(request.scope))
