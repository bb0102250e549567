"""List, status and detail: from the watch cache, after the caller's right to read was checked."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response

from spark_operator.api.cache import Entry, entry_of, joined
from spark_operator.api.problem import not_found, unavailable
from spark_operator.api.query import filter_of, limit_of, page, position_of, refuse_unknown
from spark_operator.api.services import Call
from spark_operator.cluster.errors import ClusterError
from spark_operator.cluster.resources import BACKTEST_RUNS

LOG = logging.getLogger(__name__)

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,252}", re.ASCII)
LIST_PARAMETERS = ("namespace", "status", "strategy", "symbol", "limit", "continue")


async def list_runs(call: Call) -> Response:
    """Newest first, a page at a time."""
    parameters = call.request.query_params
    refuse_unknown(parameters, LIST_PARAMETERS)
    chosen, limit, before = filter_of(parameters), limit_of(parameters), position_of(parameters)
    namespace = await call.require_read("list")
    runs = call.services.runs
    runs.require_ready()
    found, token = page(runs.cache.newest(namespace, before), chosen, limit)
    body = b'{"runs":%s,"continue":%s}' % (_summaries(found), json.dumps(token).encode())
    return tagged(call.request, body, _list_tag(runs.cache.version(namespace), str(parameters)))


async def status(call: Call) -> Response:
    """One run with `id`; without, how many runs are where, and the newest of them."""
    parameters = call.request.query_params
    refuse_unknown(parameters, ("namespace", "id", "limit"))
    if "id" in parameters:
        return await _one(call, parameters["id"])
    limit = limit_of(parameters)
    namespace = await call.require_read("list")
    runs = call.services.runs
    runs.require_ready()
    counts = json.dumps(runs.cache.counts(namespace))[:-1].encode()
    newest = _summaries(islice(runs.cache.newest(namespace), limit))
    tag = _list_tag(runs.cache.version(namespace), str(parameters))
    return tagged(call.request, b'%s,"runs":%s}' % (counts, newest), tag)


async def detail(call: Call) -> Response:
    """One run, whole."""
    refuse_unknown(call.request.query_params, ("namespace",))
    return await _one(call, call.id)


async def read_entry(call: Call, name: str) -> Entry:
    """The run from the cache, else live: another replica may have just created it. Raises a 404 `Problem`."""
    namespace = await call.require_read("get", name)
    call.services.runs.require_ready()
    if found := call.services.runs.cache.get(namespace, name):
        return found
    try:
        run = await call.services.cluster.get(BACKTEST_RUNS, namespace, name) if ID.fullmatch(name) else None
    except ClusterError as error:
        LOG.error("run %s/%s cannot be read: %s", namespace, name, error.message)
        raise unavailable("the run cannot be read now: the Kubernetes API server did not answer") from None
    if run is None:
        raise not_found(f'there is no run "{name}" in the namespace "{namespace}"')
    return entry_of(run)


def tagged(request: Request, body: bytes, tag: str) -> Response:
    """The body with an ETag, or 304 where the client has it."""
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if tag_matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def tag_matches(header: str, tag: str) -> bool:
    """Whether an If-None-Match or If-Match names the tag."""
    wanted = [part.strip().removeprefix("W/").strip('"') for part in header.split(",")]
    return bool(tag) and (tag in wanted or "*" in wanted)


async def _one(call: Call, name: str) -> Response:
    entry = await read_entry(call, name)
    return tagged(call.request, entry.detail, entry.version)


def _summaries(entries: islice[Entry] | list[Entry]) -> bytes:
    return joined(entry.summary for entry in entries)


def _list_tag(version: str, query: str) -> str:
    """resourceVersion of the last change; other questions at that time have other answers."""
    return f"{version or 0}-{hashlib.sha256(query.encode()).hexdigest()[:8]}"
