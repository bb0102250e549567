"""Writes only while we lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spark_operator.cluster.errors import NotLeading
from spark_operator.cluster.interface import Cluster, Object, Page
from spark_operator.cluster.resources import Resource


class LeadingCluster:
    """A `Cluster` that sends no write but raises `NotLeading` when the Lease is not provably ours."""

    def __init__(self, cluster: Cluster, leads: Callable[[], bool]) -> None:
        self._cluster = cluster
        self._leads = leads

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        return await self._cluster.get(resource, namespace, name)

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
        return await self._cluster.list_page(
            resource,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            continue_token=continue_token,
        )

    async def create(
        self, resource: Resource, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False
    ) -> Object:
        return await self._writable().create(resource, namespace, body, dry_run=dry_run)

    async def replace_status(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        return await self._writable().replace_status(resource, body)

    async def replace(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        return await self._writable().replace(resource, body)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        merge: Mapping[str, Any],
        *,
        subresource: str = "",
    ) -> Object:
        return await self._writable().patch(resource, namespace, name, merge, subresource=subresource)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        await self._writable().delete(resource, namespace, name, uid=uid)

    def _writable(self) -> Cluster:
        if not self._leads():
            raise NotLeading("the Lease is not provably ours, so nothing is written")
        return self._cluster
