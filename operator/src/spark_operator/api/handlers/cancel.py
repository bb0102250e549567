"""Cancel: `spec.cancel` set with the caller's own credentials, and a short wait for the end that follows."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import JSONResponse, Response

from spark_operator.api.handlers.read import tag_matches
from spark_operator.api.problem import Problem, from_cluster, not_found
from spark_operator.api.query import refuse_unknown
from spark_operator.api.services import Call
from spark_operator.api.views import links
from spark_operator.cluster.errors import ClusterError, Conflict, NotFound
from spark_operator.cluster.interface import Object
from spark_operator.cluster.resources import BACKTEST_RUNS
from spark_operator.core.vocabulary import Standing, standing

WAIT_SECONDS = 2.0
CANCELLED = "Cancelled"


async def cancel(call: Call) -> Response:
    """200 once it is cancelled, 202 where that takes longer, 409 where it had ended before."""
    refuse_unknown(call.request.query_params, ("namespace",))
    namespace, name = call.namespace, call.id
    try:
        before = await call.cluster().get(BACKTEST_RUNS, namespace, name)
        if before is None:
            raise _no_run(namespace, name)
        _require_not_ended(before)
        after = await call.cluster().patch(BACKTEST_RUNS, namespace, name, _merge(call, before))
    except NotFound:
        raise _no_run(namespace, name) from None
    except Conflict as error:
        if "if-match" in call.request.headers:
            raise Problem(412, "PreconditionFailed", "the run changed since you read it") from None
        raise from_cluster(error) from None
    except ClusterError as error:
        raise from_cluster(error) from None
    call.services.runs.cache.put_written(after)
    return _answer(namespace, name, await _ending(call, after))


def _merge(call: Call, run: Object) -> dict[str, Any]:
    merge: dict[str, Any] = {"spec": {"cancel": True}}
    if wanted := call.request.headers.get("if-match"):
        version = run["metadata"]["resourceVersion"]
        if not tag_matches(wanted, version):
            raise Problem(412, "PreconditionFailed", "the run changed since you read it")
        merge["metadata"] = {"resourceVersion": version}
    return merge


async def _ending(call: Call, run: Object) -> Standing:
    """Where the run is after a wait for its end. What the cache shows of it may be older than our write."""
    metadata = run["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    cache = call.services.runs.cache
    found = standing(run.get("status") or {})

    def ended() -> bool:
        entry = cache.get(namespace, name)
        return entry is None or entry.uid != metadata["uid"] or entry.ended

    if found.ended:
        return found
    await asyncio.shield(cache.wait_until(ended, WAIT_SECONDS))
    entry = cache.get(namespace, name)
    if entry is None or entry.uid != metadata["uid"]:
        raise not_found(f'run "{name}" was deleted while it was being cancelled', "Deleted")
    return Standing(entry.word, entry.reason)


def _require_not_ended(run: Object) -> None:
    found = standing(run.get("status") or {})
    if found.ended:
        raise _ended(run["metadata"]["name"], found)


def _answer(namespace: str, name: str, found: Standing) -> Response:
    if found.ended and found.reason != CANCELLED:
        raise _ended(name, found)
    body = {"ok": True, "id": name, "status": found.word.value, "reason": found.reason}
    body |= {"namespace": namespace, "links": links(namespace, name)}
    return JSONResponse(body, 200 if found.ended else 202)


def _ended(name: str, found: Standing) -> Problem:
    told = {"id": name, "runStatus": found.word.value, "runReason": found.reason}
    return Problem(409, "AlreadyEnded", f'run "{name}" ended before: {found.word}', members=told)


def _no_run(namespace: str, name: str) -> Problem:
    return not_found(f'there is no run "{name}" in the namespace "{namespace}"')
