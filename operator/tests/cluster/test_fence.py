"""Nothing is written when the Lease is not provably ours."""

# ruff: noqa: ARG002 - methods of a protocol

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from spark_operator.cluster.errors import NotLeading
from spark_operator.cluster.fence import LeadingCluster
from spark_operator.cluster.interface import Cluster, Object, Page
from spark_operator.cluster.resources import JOBS, Resource


class Recorder:
    """A cluster that only notes what reaches it."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        self.requests.append("get")
        return None

    async def list_page(self, resource: Resource, namespace: str = "", **_: Any) -> Page:
        self.requests.append("list")
        return Page([], "1", "")

    async def create(self, resource: Resource, namespace: str, body: Mapping[str, Any], **_: Any) -> Object:
        self.requests.append("create")
        return {}

    async def replace_status(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        self.requests.append("replace_status")
        return {}

    async def replace(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        self.requests.append("replace")
        return {}

    async def patch(
        self, resource: Resource, namespace: str, name: str, merge: Mapping[str, Any], **_: Any
    ) -> Object:
        self.requests.append("patch")
        return {}

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        self.requests.append("delete")


WRITES: dict[str, Callable[[Cluster], Any]] = {
    "create": lambda cluster: cluster.create(JOBS, "ns", {}),
    "replace_status": lambda cluster: cluster.replace_status(JOBS, {}),
    "replace": lambda cluster: cluster.replace(JOBS, {}),
    "patch": lambda cluster: cluster.patch(JOBS, "ns", "name", {}),
    "delete": lambda cluster: cluster.delete(JOBS, "ns", "name", uid="uid"),
}


@pytest.mark.parametrize("verb", WRITES)
def test_a_write_is_refused_unsent_when_the_lease_is_not_ours(verb: str) -> None:
    recorder = Recorder()

    async def write() -> None:
        with pytest.raises(NotLeading):
            await WRITES[verb](LeadingCluster(recorder, lambda: False))

    asyncio.run(write())
    assert recorder.requests == []


@pytest.mark.parametrize("verb", WRITES)
def test_a_write_of_the_leader_is_sent(verb: str) -> None:
    recorder = Recorder()
    asyncio.run(WRITES[verb](LeadingCluster(recorder, lambda: True)))
    assert recorder.requests == [verb]


def test_reads_need_no_lease() -> None:
    recorder = Recorder()

    async def read() -> None:
        cluster = LeadingCluster(recorder, lambda: False)
        await cluster.get(JOBS, "ns", "name")
        await cluster.list_page(JOBS)

    asyncio.run(read())
    assert recorder.requests == ["get", "list"]
