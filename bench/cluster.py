"""What needs a cluster with a node: the one that `make cluster` or `make up` keeps, else it says so.

python -m bench.cluster [--image REFERENCE] [--checkout PATH]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from bench import operator_overhead
from bench.operator_process import LocalOperator
from tests import images
from tests.cluster.client import NodeCluster
from tests.cluster.instance import Instance, Kind
from tests.places import CHECKOUT
from tests.platform import target
from tests.platform.release import NAMESPACE


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("--image", help="engine image that the node can pull (default: built and pushed)")
    parser.add_argument("--checkout", type=Path, default=CHECKOUT, help="whose cluster (default: this one's)")
    options = parser.parse_args()
    cluster = running(options.checkout)
    if cluster is None:
        print("bench.cluster is not run: no cluster with a node is up; `make cluster` starts one")
        return 1
    with cluster.namespace("bench") as namespace:
        if installed(cluster):
            print("operator: the release in the cluster")
            asyncio.run(operator_overhead.measure(cluster, namespace))
        else:
            print("operator: a process of this machine")
            with LocalOperator(cluster, namespace, options.image or pushed(cluster)):
                asyncio.run(operator_overhead.measure(cluster, namespace))
    return 0


def running(checkout: Path) -> NodeCluster | None:
    """The cluster that is up: of `make cluster`, else of `make up`."""
    for instance in (Instance(Kind.NODE, checkout), target.INSTANCE):
        if instance.ready:
            cluster = instance.cluster()
            assert isinstance(cluster, NodeCluster)
            return cluster
    return None


def installed(cluster: NodeCluster) -> bool:
    deployment = ("deployment", "spark-operator", "--namespace", NAMESPACE)
    return cluster.try_kubectl("get", *deployment).returncode == 0


def pushed(cluster: NodeCluster) -> str:
    """The engine image of this checkout, in the cluster's registry."""
    with images.storage_of_checkout() as buildah:
        return images.push(buildah, images.build(buildah, "engine"), cluster.registry, "spark-engine")


if __name__ == "__main__":
    sys.exit(main())
