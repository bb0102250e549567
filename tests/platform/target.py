"""The cluster that the platform goes to: one of this machine with images of its own, or one of yours."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import go_tools, images
from tests.cluster import node, programs
from tests.cluster.client import Cluster, NodeCluster, server_of
from tests.cluster.instance import Instance, Kind
from tests.places import CACHE, checkout_hash
from tests.platform import example
from tests.platform.release import NAMESPACE, Images, give_store, image_values, store_values
from tests.platform.steps import step

TARGETS = ("engine", "operator")
# Not the cluster of the tests: they install releases of their own, and there can be one only.
INSTANCE = Instance(Kind.NODE, Path(__file__).parent)


class UnusableError(RuntimeError):
    """There is no cluster to install to; the message says what is missing."""


@dataclass(frozen=True)
class Target:
    """A cluster, the helm to install with, and the values that name images and store."""

    cluster: Cluster
    helm: Path
    values: Mapping[str, Any]


def local() -> Target:
    """The node cluster of this checkout, started where it does not run; its registry holds the images."""
    if missing := _missing_here():
        raise UnusableError(f"{missing}. For a cluster of yours: make up CONTEXT=... IMAGE=...")
    go_tools.install_go()
    with step("cluster"):
        cluster = INSTANCE.up()
        assert isinstance(cluster, NodeCluster)
    with step("images"):
        built = _pushed(cluster)
    for namespace in (NAMESPACE, example.NAMESPACE):
        if cluster.try_kubectl("get", "namespace", namespace).returncode != 0:
            cluster.kubectl("create", "namespace", namespace)
    give_store(cluster, cluster.s3, NAMESPACE, example.NAMESPACE)
    return Target(cluster, programs.HELM.build(), _merged(image_values(built), store_values(cluster.s3)))


def stop_local() -> str:
    """Ends the cluster with all that is in it, and says what was done."""
    return INSTANCE.down()


def yours(context: str, image: str) -> Target:
    """The cluster of a kubeconfig context, with images that it can pull."""
    kubectl, helm = _on_path("kubectl", programs.kubernetes("kubectl")), _on_path("helm", programs.HELM)
    folder = CACHE / "platform" / checkout_hash()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kubeconfig = folder / "kubeconfig"
    view = ["config", "view", "--minify", "--flatten", "--raw", "--context", context]
    done = subprocess.run([kubectl, *view], capture_output=True, text=True)
    if done.returncode != 0:
        raise UnusableError(f"CONTEXT={context}: {done.stderr.strip()}")
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(done.stdout)
    cluster = Cluster(kubeconfig, server_of(kubeconfig, str(kubectl)), str(kubectl), folder, audit_log=None)
    return Target(cluster, helm, image_values(_beside(image)))


def _beside(image: str) -> Images:
    name = image.rpartition("/")[2]
    if not name.startswith("spark-operator:") or "@" in image:
        raise UnusableError(
            f"IMAGE={image}: must be the operator's image, <registry>/spark-operator:<tag>, with "
            "<registry>/spark-engine:<tag> beside it, both where the cluster can pull them"
        )
    return Images(operator=image, engine=image.replace("spark-operator:", "spark-engine:"))


def _pushed(cluster: NodeCluster) -> Images:
    with images.storage_of_checkout() as buildah:
        engine, operator = (
            images.push(buildah, images.build(buildah, target), cluster.registry, f"spark-{target}")
            for target in TARGETS
        )
    return Images(operator=operator, engine=engine)


def _missing_here() -> str:
    if os.geteuid() != 0:
        return "a cluster on this machine needs root"
    absent = [tool for tool in ("buildah", "debootstrap") if shutil.which(tool) is None]
    return node.missing() or (f"needs {' and '.join(absent)}" if absent else "")


def _on_path(name: str, tool: go_tools.GoTool) -> Path:
    found = shutil.which(name)
    if found is None and (missing := go_tools.missing(tool)):
        raise UnusableError(f"{name} is not on PATH, and to build it {missing}")
    return Path(found) if found else tool.build()


def _merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Values of sections that do not overlap."""
    return {name: value for part in parts for name, value in part.items()}
