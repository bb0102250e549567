"""The rights of the chart, the kind served, and a namespace, where the audit log can be read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import pytest

from tests import go_tools
from tests.chart.rendering import Helm, Object, named, of_kind
from tests.cluster import programs
from tests.cluster.client import Cluster

ACCOUNT, HOME = "spark-operator", "spark-system"
RIGHTS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


@dataclass(frozen=True)
class Plane:
    """`cluster` as its administrator, `kubeconfig` as the operator's own account."""

    cluster: Cluster
    kubeconfig: Path
    audit_log: Path


@pytest.fixture(scope="module")
def plane(control_plane: Cluster) -> Iterator[Plane]:
    if control_plane.audit_log is None:
        pytest.skip("the audit log of an existing cluster is not at hand, and requests are counted by it")
    if control_plane.try_kubectl("get", "clusterrole", ACCOUNT).returncode == 0:
        pytest.skip("a release is installed in this cluster, and there can be one only")
    if missing := go_tools.missing(programs.HELM):
        pytest.skip(f"helm {missing}")
    rendered = Helm(programs.HELM.build()).render(namespace=HOME)
    rights = [each for each in of_kind(rendered, *RIGHTS) if each["metadata"]["name"].startswith(ACCOUNT)]
    control_plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}})
    control_plane.apply(*rights, named(rendered, "CustomResourceDefinition", "backtestruns.spark.trading"))
    control_plane.kubectl("wait", "--for=condition=Established", "crd/backtestruns.spark.trading")
    account = control_plane.as_service_account(HOME, ACCOUNT)
    try:
        yield Plane(control_plane, account.kubeconfig, control_plane.audit_log)
    finally:
        _delete(control_plane, rights)


@pytest.fixture
def namespace(plane: Plane) -> Iterator[str]:
    with plane.cluster.namespace("scale") as name:
        yield name


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a figure, also of a test that passes."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n    {line}", end="", flush=True)

    return say


def _delete(cluster: Cluster, objects: list[Object]) -> None:
    """One by one: an absent Lease, or a role that is gone already, is no error."""
    lease: dict[str, Any] = {"kind": "Lease", "metadata": {"name": ACCOUNT, "namespace": HOME}}
    for each in (*objects, lease):
        metadata = each["metadata"]
        where = ("--namespace", metadata["namespace"]) if "namespace" in metadata else ()
        cluster.kubectl("delete", each["kind"].lower(), metadata["name"], *where, "--ignore-not-found")
