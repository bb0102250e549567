"""The requests that the control plane makes, as a protocol: `client` speaks to a real API server, the
simulated cluster of the tests to objects in memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from spark_operator.cluster.resources import Resource

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `continue_token` is empty on the last."""

    items: list[Object]
    resource_version: str
    continue_token: str


class Cluster(Protocol):
    """Every method raises `ClusterError`s. Objects are JSON values, as the server sent them."""

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object as it is now, or None."""

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
        """One page."""

    async def create(
        self, resource: Resource, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False
    ) -> Object:
        """POST. Raises `AlreadyExists`."""

    async def replace_status(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        """PUT of the status subresource, fieldValidation=Strict. Raises `Conflict`, `NotFound`, `Invalid`."""

    async def replace(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        """PUT. Raises `Conflict`, `NotFound`."""

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        merge: Mapping[str, Any],
        *,
        subresource: str = "",
    ) -> Object:
        """JSON merge patch; a `metadata.uid` in it is a precondition for Jobs.

        Raises `NotFound`, `Invalid`.
        """

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """DELETE in the foreground, with the uid as precondition. Raises `NotFound`, `Conflict`."""


async def every(
    cluster: Cluster,
    resource: Resource,
    namespace: str = "",
    *,
    label_selector: str = "",
    field_selector: str = "",
    limit: int = 500,
) -> AsyncIterator[Object]:
    """All objects, page by page; a page at a time is in memory."""
    token = ""
    while True:
        page = await cluster.list_page(
            resource,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            continue_token=token,
        )
        for item in page.items:
            yield item
        token = page.continue_token
        if not token:
            return
