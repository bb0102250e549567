"""Makes the package `api` importable (the folder `operator` cannot be one), and gives a running API."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from spark_operator.configuration.model import Configuration

sys.path.insert(0, str(Path(__file__).parents[1]))

from api.memory import EDIT, VIEW, MemoryCluster
from api.serving import Api, serving

USERS = {
    "alice-token": ("alice", EDIT),
    "bob-token": ("bob", VIEW),
    "mallory-token": ("mallory", frozenset[str]()),
}
CONFIGURATION = {"engine": {"image": "spark-engine:test"}, "api": {"defaultNamespace": "quant"}}


@pytest.fixture
def cluster() -> MemoryCluster:
    """Alice may edit, bob may view, mallory may do nothing."""
    return MemoryCluster(dict(USERS))


@pytest.fixture
def configuration() -> Configuration:
    return Configuration.model_validate(CONFIGURATION)


@pytest.fixture(scope="session")
def shared_api() -> Iterator[Api]:
    """One for all cases that change nothing; alice asks."""
    cluster = MemoryCluster(dict(USERS))
    with serving(lambda: cluster, Configuration.model_validate(CONFIGURATION)) as running:
        running.bearer = "alice-token"
        yield running


@pytest.fixture
def api(cluster: MemoryCluster, configuration: Configuration) -> Iterator[Api]:
    """The API over the cluster in memory; requests are alice's where they name nobody."""
    with serving(lambda: cluster, configuration) as running:
        running.bearer = "alice-token"
        yield running
