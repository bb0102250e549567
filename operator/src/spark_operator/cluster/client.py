"""A real API server, over HTTP. JSON objects in and out; no model classes, no retries, no caches."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

import aiohttp
from prometheus_client import Counter

from spark_operator.cluster.answer import error_of, error_of_status
from spark_operator.cluster.connection import Connection, checked_token
from spark_operator.cluster.errors import ClusterError, Invalid, NotFound, Unauthorized, Unavailable
from spark_operator.cluster.interface import Object, Page
from spark_operator.cluster.metrics import NO_ANSWER
from spark_operator.cluster.resources import Resource
from spark_operator.cluster.transport import CREDENTIALS_UNREADABLE, Transport, one_line

READ_TIMEOUT = 30.0
WATCH_SECONDS = 300
WATCH_SILENCE = 75.0
"""The API server sends a bookmark a minute, so a longer silence is a dead connection."""
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
STRICT = {"fieldValidation": "Strict"}


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """`type` is ADDED, MODIFIED, DELETED or BOOKMARK, whose object has a resourceVersion only."""

    type: str
    object: Object


class KubernetesCluster:
    """`Cluster` on a real API server. One a process; `close` when it ends.

    Writes time out after `write_timeout` seconds. `requests` is what `metrics.requests_counter` makes. With a
    `token`: as its bearer, see `with_token`.
    """

    def __init__(
        self, transport: Transport, requests: Counter, *, write_timeout: float = 5.0, token: str = ""
    ) -> None:
        self._transport = transport
        self._requests = requests
        self._write_timeout = write_timeout
        self._token = token

    def with_token(self, token: str) -> KubernetesCluster:
        """The same API server as the bearer of `token`, and as nobody else.

        Shares the connections of all callers; nothing is to be closed. Raises `Unauthorized` where no header
        can carry the token.
        """
        try:
            checked = checked_token(token)
        except ValueError as error:
            raise Unauthorized(str(error), status=401, reason="Unauthorized") from None
        return KubernetesCluster(
            self._transport, self._requests, write_timeout=self._write_timeout, token=checked
        )

    async def close(self) -> None:
        """Closes all connections, also those of `with_token`."""
        await self._transport.close()

    async def connection(self) -> Connection:
        """What kopf needs to be who we are, with the token of this moment."""
        return await self._transport.connection()

    async def is_served(self, resource: Resource) -> bool:
        """Whether discovery lists the resource."""
        root = f"/apis/{resource.group}" if resource.group else "/api"
        try:
            answer = await self._send("GET", f"{root}/{resource.version}")
        except NotFound:
            return False
        return any(entry["name"] == resource.plural for entry in answer["resources"])

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        path = _path(resource, namespace, name)
        try:
            return await self._send("GET", path)
        except NotFound as error:
            if error.reason == "NotFound" and f'"{name}" not found' in error.message:
                return None
            raise  # the kind is not served: the object may well exist

    async def list_page(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 500,
        continue_token: str = "",
    ) -> Page:
        query = {
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "limit": str(limit),
            "continue": continue_token,
        }
        answer = await self._send("GET", _path(resource, namespace), query)
        metadata = answer["metadata"]
        items = answer.get("items") or []
        for item in items:
            # A list of a built-in kind leaves these out of its items.
            item.setdefault("apiVersion", resource.api_version)
            item.setdefault("kind", resource.kind)
        return Page(items, metadata["resourceVersion"], metadata.get("continue", ""))

    async def create(
        self, resource: Resource, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False
    ) -> Object:
        query = {**STRICT, "dryRun": "All" if dry_run else ""}
        return await self._send("POST", _path(resource, namespace), query, body)

    async def replace_status(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        return await self._send("PUT", _path_of(resource, body, "status"), STRICT, body)

    async def replace(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        return await self._send("PUT", _path_of(resource, body), STRICT, body)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        merge: Mapping[str, Any],
        *,
        subresource: str = "",
    ) -> Object:
        path = _path(resource, namespace, name, subresource)
        return await self._send("PATCH", path, STRICT, merge, MERGE_PATCH)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Foreground",
            "preconditions": {"uid": uid},
        }
        await self._send("DELETE", _path(resource, namespace, name), {}, options)

    async def watch(
        self,
        resource: Resource,
        namespace: str = "",
        resource_version: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> AsyncGenerator[WatchEvent, None]:
        """Changes after `resource_version`. Ends after some minutes.

        Go on from the last event's resourceVersion. Raises `Expired` when a new LIST is needed,
        `Unavailable` when the connection breaks or falls silent.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
            "resourceVersion": resource_version,
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
        }
        timeout = aiohttp.ClientTimeout(sock_connect=READ_TIMEOUT, sock_read=WATCH_SILENCE)
        async with self._answer("GET", _path(resource, namespace), query, None, JSON, timeout) as response:
            async for line in response.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise error_of_status(event["object"])
                yield WatchEvent(event["type"], event["object"])

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = JSON,
    ) -> Object:
        seconds = READ_TIMEOUT if method == "GET" else self._write_timeout
        # The server gives up as well, so that a write does not happen after we stopped waiting for it.
        limit = {} if method == "GET" else {"timeout": f"{seconds:g}s"}
        timeout = aiohttp.ClientTimeout(total=seconds)
        query = {**(query or {}), **limit}
        async with self._answer(method, path, query, body, content_type, timeout) as response:
            return cast(Object, json.loads(await response.read()))

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None,
        content_type: str,
        timeout: aiohttp.ClientTimeout,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A successful answer, its body unread. What goes wrong until the end of the block is mapped."""
        counted = False
        try:
            response = await self._transport.request(
                method, path, query, body, content_type, timeout, self._token
            )
            async with response:
                self._requests.labels(str(response.status), method).inc()
                counted = True
                if response.status >= 300:
                    text, wait = await response.read(), response.headers.get("Retry-After", "")
                    raise error_of(response.status, text, wait)
                yield response
        except ClusterError:
            raise
        except TimeoutError as error:
            raise self._no_answer(method, "did not answer in time", counted) from error
        except (aiohttp.ClientError, OSError, ValueError, CREDENTIALS_UNREADABLE) as error:
            raise self._no_answer(method, one_line(error), counted) from error

    def _no_answer(self, method: str, reason: str, counted: bool) -> Unavailable:
        if not counted:
            self._requests.labels(NO_ANSWER, method).inc()
        return Unavailable(f"{self._transport.server}: {reason}")


def _path(resource: Resource, namespace: str = "", name: str = "", subresource: str = "") -> str:
    for part in (namespace, name):
        # The server splits the path after it decoded it: an encoded slash would reach another resource.
        if part in (".", "..") or "/" in part:
            raise Invalid(f"{part!r} is no name", status=400, reason="BadRequest")
    return resource.path(quote(namespace, safe=""), quote(name, safe=""), subresource)


def _path_of(resource: Resource, body: Mapping[str, Any], subresource: str = "") -> str:
    metadata = body["metadata"]
    return _path(resource, metadata.get("namespace", ""), metadata["name"], subresource)
