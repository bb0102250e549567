"""Objects in memory behind the protocol `Cluster`, with faults: just enough for the machinery's own tests."""

# ruff: noqa: ARG002 - methods of a protocol

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from spark_operator.cluster.errors import AlreadyExists, ClusterError, Conflict, NotFound, Unavailable
from spark_operator.cluster.interface import Object, Page
from spark_operator.cluster.resources import Resource

Place = tuple[str, str, str]


class MemoryCluster:
    """`requests` are (verb, plural, name). `fault` gives an error, `lost` the verbs without answer."""

    def __init__(self) -> None:
        self.objects: dict[Place, Object] = {}
        self.requests: list[tuple[str, str, str]] = []
        self.bodies: list[Any] = []
        self.fault: Callable[[str, str, str], ClusterError | None] = lambda *_: None
        self.lost: set[str] = set()
        self._versions = itertools.count(1)

    def put(self, resource: Resource, body: Object) -> Object:
        metadata = body["metadata"]
        place = (resource.plural, metadata["namespace"], metadata["name"])
        uid = self.objects.get(place, {}).get("metadata", {}).get("uid") or f"uid-{next(self._versions)}"
        kept = {"uid": uid, "resourceVersion": str(next(self._versions))}
        self.objects[place] = copy.deepcopy({**body, "metadata": {**metadata, **kept}})
        return copy.deepcopy(self.objects[place])

    def writes(self) -> list[tuple[str, str, str]]:
        return [each for each in self.requests if each[0] not in ("get", "list")]

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        self._note("get", resource, name)
        return copy.deepcopy(self.objects.get((resource.plural, namespace, name)))

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
        self._note("list", resource, label_selector)
        found = [
            copy.deepcopy(body)
            for (plural, where, _), body in self.objects.items()
            if plural == resource.plural and namespace in ("", where) and _selected(body, label_selector)
        ]
        start = int(continue_token or 0)
        end = start + limit
        return Page(found[start:end], str(next(self._versions)), str(end) if end < len(found) else "")

    async def create(
        self, resource: Resource, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False
    ) -> Object:
        self._note("create", resource, body["metadata"]["name"], body)
        if (resource.plural, namespace, body["metadata"]["name"]) in self.objects:
            raise AlreadyExists("there", status=409, reason="AlreadyExists")
        return self._answer("create", self.put(resource, {**body}))

    async def replace_status(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        return self._replace("replace_status", resource, body)

    async def replace(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        return self._replace("replace", resource, body)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        merge: Mapping[str, Any],
        *,
        subresource: str = "",
    ) -> Object:
        self._note(f"patch{subresource and '/' + subresource}", resource, name, merge)
        body = self._there((resource.plural, namespace, name))
        return self._answer("patch", body)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        self._note("delete", resource, name, uid)
        self._there((resource.plural, namespace, name))
        del self.objects[resource.plural, namespace, name]

    def _replace(self, verb: str, resource: Resource, body: Mapping[str, Any]) -> Object:
        metadata = body["metadata"]
        self._note(verb, resource, metadata["name"], body)
        present = self._there((resource.plural, metadata["namespace"], metadata["name"]))
        if present["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            raise Conflict("modified", status=409, reason="Conflict")
        return self._answer(verb, self.put(resource, {**body}))

    def _there(self, place: Place) -> Object:
        if place not in self.objects:
            raise NotFound("gone", status=404, reason="NotFound")
        return self.objects[place]

    def _note(self, verb: str, resource: Resource, name: str, body: Any = None) -> None:
        self.requests.append((verb, resource.plural, name))
        self.bodies.append(body)
        if error := self.fault(verb, resource.plural, name):
            raise error

    def _answer(self, verb: str, body: Object) -> Object:
        if verb in self.lost:
            raise Unavailable("the answer got lost")
        return body


def _selected(body: Object, selector: str) -> bool:
    labels = body["metadata"].get("labels") or {}
    wanted = [part for part in selector.split(",") if part]
    return all((part[1:] not in labels) if part.startswith("!") else part in labels for part in wanted)
