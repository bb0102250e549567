"""The images of the Dockerfile, pulled by digest and run by the kubelet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from spark_engine import __version__

from tests.cluster.pods import strict_job

if TYPE_CHECKING:
    from tests.cluster.client import NodeCluster

pytestmark = pytest.mark.node


def test_the_engine_image_runs(
    node_cluster: NodeCluster, pushed: Callable[[str, str], str], engine_image: str
) -> None:
    engine = pushed(engine_image, "spark-engine")
    with node_cluster.namespace("images") as namespace:
        told = node_cluster.run_job(namespace, strict_job("engine", engine, ["backtest", "--version"]))
    assert told.strip() == f"backtest {__version__}"


def test_the_operator_image_runs(
    node_cluster: NodeCluster, pushed: Callable[[str, str], str], operator_image: str
) -> None:
    operator = pushed(operator_image, "spark-operator")
    command = ["python", "-c", "import kopf, spark_operator; print('imported')"]
    with node_cluster.namespace("images") as namespace:
        told = node_cluster.run_job(namespace, strict_job("operator", operator, command))
    assert told.strip() == "imported"
