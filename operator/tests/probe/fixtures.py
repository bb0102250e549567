"""A real API server with the Probe's CRD, a namespace, a client, a proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from spark_operator.cluster.client import KubernetesCluster
from spark_operator.cluster.connection import Connection
from spark_operator.cluster.metrics import requests_counter
from spark_operator.cluster.transport import Transport

from probe.kind import CRD
from probe.proxy import Proxy


@asynccontextmanager
async def client_of(
    kubeconfig: Path, registry: CollectorRegistry | None = None, write_timeout: float = 5.0
) -> AsyncIterator[KubernetesCluster]:
    transport = await Transport.from_kubeconfig(kubeconfig)
    counter = requests_counter(registry or CollectorRegistry())
    cluster = KubernetesCluster(transport, counter, write_timeout=write_timeout)
    try:
        yield cluster
    finally:
        await cluster.close()


async def connection_of(kubeconfig: Path) -> Connection:
    return await (await Transport.from_kubeconfig(kubeconfig)).connection()


@pytest.fixture(scope="session")
def probes_served(control_plane: Any) -> Any:
    """The control plane, with the Probe's CRD."""
    control_plane.apply(CRD)
    control_plane.kubectl("wait", "--for=condition=Established", "crd/probes.machinery.test")
    return control_plane


@pytest.fixture
def namespace(probes_served: Any) -> Iterator[str]:
    with probes_served.namespace("machinery") as name:
        yield name


@pytest.fixture
def proxy(probes_served: Any) -> Iterator[Proxy]:
    proxy = Proxy(asyncio.run(connection_of(probes_served.kubeconfig)))
    yield proxy
    proxy.close()


@pytest.fixture
def api(probes_served: Any) -> Callable[..., Any]:
    """api(test): runs `test(cluster)` with a client of the real API server."""

    def run(test: Callable[[KubernetesCluster], Any]) -> Any:
        async def with_client() -> Any:
            async with client_of(probes_served.kubeconfig) as cluster:
                return await test(cluster)

        return asyncio.run(with_client())

    return run
