"""Start: a new BacktestRun, created with the caller's own credentials."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from spark_crds import API_VERSION
from starlette.responses import JSONResponse, Response

from spark_operator.api import idempotency
from spark_operator.api.body import read_object
from spark_operator.api.problem import Problem, from_cluster
from spark_operator.api.query import refuse_unknown
from spark_operator.api.services import Call
from spark_operator.api.start_request import InvalidDefaults, complete_defaults, requested_spec
from spark_operator.api.views import started_view
from spark_operator.cluster.errors import AlreadyExists, ClusterError
from spark_operator.cluster.interface import Object
from spark_operator.cluster.resources import BACKTEST_RUNS


async def start(call: Call) -> Response:
    """201 for a new run, 200 for the replay of a request with an Idempotency-Key."""
    refuse_unknown(call.request.query_params, ("namespace",))
    body = await read_object(call.request)
    parsed = time.perf_counter()
    namespace = call.namespace
    key = call.request.headers.get(idempotency.HEADER)
    named = idempotency.run_name(key, call.caller.key, namespace, int(time.time() * 1000))
    manifest = _manifest(named.name, body, call.services.configuration().api.run_defaults)
    try:
        created = await call.cluster().create(BACKTEST_RUNS, namespace, manifest)
    except AlreadyExists as error:
        if not named.repeatable:
            raise from_cluster(error) from None
        return await _replayed(call, namespace, named.name, body)
    except ClusterError as error:
        raise from_cluster(error) from None
    call.services.metrics.enqueue_ms.observe((time.perf_counter() - parsed) * 1000)
    call.services.runs.cache.put_written(created)
    return _answer(created, 201)


async def _replayed(call: Call, namespace: str, name: str, body: Mapping[str, Any]) -> Response:
    try:
        run = await call.cluster().get(BACKTEST_RUNS, namespace, name)
    except ClusterError as error:
        raise from_cluster(error) from None
    if run is None:
        raise Problem(409, "Conflict", "the run of this Idempotency-Key was deleted just now; try again")
    idempotency.require_same_request(run, idempotency.request_digest(body))
    return _answer(run, 200)


def _manifest(name: str, body: Mapping[str, Any], run_defaults: Mapping[str, Any]) -> Object:
    try:
        defaults = {} if "spec" in body else complete_defaults(run_defaults)
    except InvalidDefaults as error:
        raise Problem(500, "InvalidRunDefaults", f"the platform is not set up right: {error}") from None
    spec = requested_spec(body, name, defaults)
    annotations = {idempotency.REQUEST_ANNOTATION: idempotency.request_digest(body)}
    return {
        "apiVersion": API_VERSION,
        "kind": "BacktestRun",
        "metadata": {"name": name, "annotations": annotations},
        "spec": spec,
    }


def _answer(run: Object, status: int) -> Response:
    view = started_view(run)
    return JSONResponse(view, status, {"Location": view["links"]["self"]})
