"""The test clusters as pytest fixtures: a plugin that the root conftest.py loads for every room.

USE_EXISTING_CLUSTER=true with KUBECONFIG runs the same tests on any cluster; one with nodes also needs
SPARK_TEST_REGISTRY (host:port), SPARK_TEST_S3_ENDPOINT, SPARK_TEST_S3_BUCKET, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY, as pods see them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import images
from tests.cluster import programs
from tests.cluster.client import Cluster, NodeCluster, S3Access, server_of, uses_existing_cluster
from tests.cluster.instance import Instance, Kind


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real API server with its controllers: an existing one, one that `make cluster` keeps, or new."""
    if uses_existing_cluster():
        yield _existing(tmp_path_factory.mktemp("credentials"))
        return
    kinds = (Kind.CONTROL_PLANE, Kind.NODE)
    kept = (kind for kind in kinds if Instance(kind).kept and Instance(kind).ready)
    with Instance(next(kept, Kind.CONTROL_PLANE)).session() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def node_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeCluster]:
    """A real cluster that runs pods, with a registry and an S3 server that pods and host reach alike."""
    if uses_existing_cluster():
        yield _existing_with_nodes(tmp_path_factory.mktemp("credentials"))
        return
    with Instance(Kind.NODE).session() as cluster:
        assert isinstance(cluster, NodeCluster)
        yield cluster


@pytest.fixture(scope="session")
def buildah() -> Iterator[images.Buildah]:
    """buildah on this checkout's storage, for this session alone."""
    with images.storage_of_checkout() as tool:
        yield tool


@pytest.fixture(scope="session")
def python_base(buildah: images.Buildah) -> str:
    """The name of the image that ours are built on: Debian with Python."""
    try:
        return images.base_image(buildah)
    except images.NoBaseImageError as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def engine_image(buildah: images.Buildah, python_base: str) -> str:
    """The id of the engine image."""
    return images.build(buildah, "engine")


@pytest.fixture(scope="session")
def operator_image(buildah: images.Buildah, python_base: str) -> str:
    """The id of the operator image."""
    return images.build(buildah, "operator")


@pytest.fixture(scope="session")
def pushed(buildah: images.Buildah, node_cluster: NodeCluster) -> Callable[[str, str], str]:
    """pushed(image, name): the reference by digest under which the cluster pulls an image of `buildah`."""
    return lambda image, name: images.push(buildah, image, node_cluster.registry, name)


def _existing(credentials: Path) -> Cluster:
    kubeconfig = Path(os.environ["KUBECONFIG"])
    kubectl = shutil.which("kubectl") or str(programs.kubernetes("kubectl").build())
    return Cluster(kubeconfig, server_of(kubeconfig, kubectl), kubectl, credentials, audit_log=None)


def _existing_with_nodes(credentials: Path) -> NodeCluster:
    names = ("SPARK_TEST_REGISTRY", "SPARK_TEST_S3_ENDPOINT", "SPARK_TEST_S3_BUCKET")
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    if absent := [name for name in (*names, *keys) if not os.environ.get(name)]:
        pytest.skip(f"the existing cluster is not told: {', '.join(absent)}")
    registry, endpoint, bucket = (os.environ[name] for name in names)
    access_key, secret_key = (os.environ[key] for key in keys)
    s3 = S3Access(endpoint, access_key, secret_key, bucket, folder=None)
    return NodeCluster(**vars(_existing(credentials)), registry=registry, s3=s3)
