"""A Kubernetes API server in memory, as far as the HTTP API asks it: runs, their watch, reviews, RBAC."""

from __future__ import annotations

import asyncio
import copy
import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from spark_crds.schema import object_schema, with_defaults
from spark_operator.cluster.client import WatchEvent
from spark_operator.cluster.errors import (
    AlreadyExists,
    ClusterError,
    Conflict,
    Expired,
    Forbidden,
    NotFound,
    Unauthorized,
    Unavailable,
)
from spark_operator.cluster.interface import Object, Page
from spark_operator.cluster.resources import ACCESS_REVIEWS, BACKTEST_RUNS, TOKEN_REVIEWS, Resource

EDIT = frozenset({"get", "list", "watch", "create", "update", "patch", "delete"})
VIEW = frozenset({"get", "list", "watch"})
FIRST_CREATION = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class State:
    """What all callers share. `down`: nothing answers. `requests`: (user, verb, plural) of every request."""

    users: dict[str, tuple[str, frozenset[str]]]
    runs: dict[tuple[str, str], Object] = field(default_factory=dict)
    log: list[WatchEvent] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    refusal: ClusterError | None = None
    down: bool = False
    compacted: bool = False
    on_patch: Callable[[Object], None] = lambda _: None
    versions: Any = field(default_factory=lambda: itertools.count(100))


class MemoryCluster:
    """`user` "" is the API's own service account, which may do everything."""

    def __init__(self, users: dict[str, tuple[str, frozenset[str]]] | None = None) -> None:
        self.state = State(users or {})
        self.user = ""
        self._verbs = EDIT
        self._refused = False

    def with_token(self, token: str) -> MemoryCluster:
        other = copy.copy(self)
        known = self.state.users.get(token)
        other._refused = known is None
        other.user, other._verbs = known or ("", frozenset())
        return other

    def store(self, run: Object, event: str = "MODIFIED") -> Object:
        """Writes an object as it is, as the operator or kubectl would."""
        run = copy.deepcopy(run)
        run["metadata"]["resourceVersion"] = str(next(self.state.versions))
        key = (run["metadata"]["namespace"], run["metadata"]["name"])
        self.state.runs[key] = run
        self.state.log.append(WatchEvent(event, copy.deepcopy(run)))
        return run

    def add(self, name: str, namespace: str = "quant", **parts: Any) -> Object:
        """A run that is there already; `parts` as of `a_run`."""
        return self.store(a_run(name, namespace, order=len(self.state.log), **parts), "ADDED")

    def set_status(self, name: str, status: Mapping[str, Any], namespace: str = "quant") -> None:
        run = self.state.runs[namespace, name]
        self.store({**run, "status": dict(status)})

    def remove(self, name: str, namespace: str = "quant") -> None:
        run = self.state.runs.pop((namespace, name))
        run["metadata"]["resourceVersion"] = str(next(self.state.versions))
        self.state.log.append(WatchEvent("DELETED", run))

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        self._check("get", resource, namespace, name)
        return copy.deepcopy(self.state.runs.get((namespace, name)))

    async def list_page(self, resource: Resource, namespace: str = "", **options: Any) -> Page:
        self._check("list", resource, namespace)
        start, limit = int(options.get("continue_token") or 0), options.get("limit", 500)
        found = [run for (where, _), run in sorted(self.state.runs.items()) if namespace in ("", where)]
        rest = str(start + limit) if len(found) > start + limit else ""
        return Page(copy.deepcopy(found[start : start + limit]), str(next(self.state.versions)), rest)

    async def create(self, resource: Resource, namespace: str, body: Mapping[str, Any], **_: Any) -> Object:
        if resource in (TOKEN_REVIEWS, ACCESS_REVIEWS):
            return self._review(resource, body)
        self._check("create", resource, namespace)
        if self.state.refusal:
            raise self.state.refusal
        name = body["metadata"]["name"]
        if (namespace, name) in self.state.runs:
            raise AlreadyExists(f'backtestruns.spark.trading "{name}" already exists', status=409)
        run = with_defaults(body, object_schema("BacktestRun"))
        return self.store(_with_metadata(run, namespace, len(self.state.log)), "ADDED")

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        merge: Mapping[str, Any],
        **_: Any,
    ) -> Object:
        self._check("patch", resource, namespace, name)
        run = self.state.runs.get((namespace, name))
        if run is None:
            raise NotFound(f'backtestruns.spark.trading "{name}" not found', status=404)
        version = merge.get("metadata", {}).get("resourceVersion", run["metadata"]["resourceVersion"])
        if version != run["metadata"]["resourceVersion"]:
            raise Conflict("the object has been modified", status=409)
        stored = self.store({**run, "spec": {**run["spec"], **merge["spec"]}})
        self.state.on_patch(stored)
        return copy.deepcopy(stored)

    async def watch(
        self, resource: Resource, namespace: str = "", resource_version: str = "", **_: Any
    ) -> AsyncIterator[WatchEvent]:
        self._check("watch", resource, namespace)
        if self.state.compacted:
            self.state.compacted = False
            raise Expired("too old resource version", status=410)
        version = int(resource_version)
        while True:
            if self.state.down:
                raise Unavailable("the connection broke")
            if self.state.compacted:
                return
            for event in list(self.state.log):
                metadata = event.object["metadata"]
                if int(metadata["resourceVersion"]) > version and namespace in ("", metadata["namespace"]):
                    version = int(metadata["resourceVersion"])
                    yield event
            await asyncio.sleep(0.002)

    def _check(self, verb: str, resource: Resource, namespace: str, name: str = "") -> None:
        self.state.requests.append((self.user, verb, resource.plural))
        if self.state.down:
            raise Unavailable("https://10.0.0.1:6443: no answer")
        if self._refused:
            raise Unauthorized("Unauthorized", status=401)
        if verb not in self._verbs:
            raise Forbidden(_forbidden(self.user, verb, namespace, name), status=403)

    def _review(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        self._check("create", resource, "")
        spec = body["spec"]
        if resource is TOKEN_REVIEWS:
            known = self.state.users.get(spec["token"])
            user = {"username": known[0], "groups": ["system:authenticated"]} if known else {}
            return {**body, "status": {"authenticated": bool(known), "user": user}}
        verbs = dict(self.state.users.values()).get(spec["user"], frozenset())
        return {**body, "status": {"allowed": spec["resourceAttributes"]["verb"] in verbs}}


def a_run(name: str, namespace: str = "quant", order: int = 0, **parts: Any) -> Object:
    """A stored run; `parts`: symbol, timeframe, strategy, status, spec."""
    spec = {
        "strategy": {"name": parts.get("strategy", "sma-cross"), "params": {"fast": 9, "slow": 21}},
        "market": {"symbol": parts.get("symbol", "BTCUSDT"), "timeframe": parts.get("timeframe", "1h")},
        "data": {"uri": "sample://btcusdt-1h"},
        **parts.get("spec", {}),
    }
    body = {"apiVersion": BACKTEST_RUNS.api_version, "kind": "BacktestRun", "metadata": {"name": name}}
    run = with_defaults({**body, "spec": spec}, object_schema("BacktestRun"))
    if "status" in parts:
        run["status"] = parts["status"]
    return _with_metadata(run, namespace, order)


def ended(type_: str = "Complete", reason: str = "Succeeded", **more: Any) -> Object:
    """The status of a run with one terminal condition."""
    return conditions((type_, "True", reason)) | more


def conditions(*rows: tuple[str, str, str]) -> Object:
    """A status with conditions of (type, status, reason)."""
    since = "2026-01-01T00:00:05Z"
    return {
        "conditions": [
            {"type": type_, "status": status, "reason": reason, "message": "", "lastTransitionTime": since}
            for type_, status, reason in rows
        ]
    }


def _with_metadata(run: Mapping[str, Any], namespace: str, order: int) -> Object:
    created = (FIRST_CREATION + timedelta(seconds=order)).isoformat().replace("+00:00", "Z")
    metadata = {
        **run["metadata"],
        "namespace": namespace,
        "uid": str(uuid.uuid4()),
        "creationTimestamp": created,
    }
    return {**run, "metadata": {**metadata, "resourceVersion": "1"}}


def _forbidden(user: str, verb: str, namespace: str, name: str) -> str:
    named = f' "{name}"' if name else ""
    return (
        f'backtestruns.spark.trading{named} is forbidden: User "{user}" cannot {verb} '
        f'resource "backtestruns" in API group "spark.trading" in the namespace "{namespace}"'
    )
