"""The programs of the cluster and their versions. A Kubernetes version is a folder of `tools/`.

To add one, copy a `tools/kubernetes-1.Y.Z`, put the new version into its go.mod (staging modules are v0.Y.Z)
and run `go mod tidy` there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tests.go_tools import VERSITYGW, GoTool

TOOLS = Path(__file__).with_name("tools")
DEFAULT_VERSION = "1.35.4"
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
NODE = ("kubelet", "kube-proxy")


def supported_versions() -> list[str]:
    return sorted(folder.name.removeprefix("kubernetes-") for folder in TOOLS.glob("kubernetes-*"))


def kubernetes_version() -> str:
    """The version asked for by K8S=, else the one that CI runs."""
    version = os.environ.get("K8S") or DEFAULT_VERSION
    if version not in supported_versions():
        raise ValueError(f"K8S={version} is not there; it may be {', '.join(supported_versions())}")
    return version


def kubernetes(program: str, version: str = "") -> GoTool:
    version = version or kubernetes_version()
    major, minor, _ = version.split(".")
    # Clients refuse a server that does not know its own version.
    stamped = [("gitVersion", f"v{version}"), ("gitMajor", major), ("gitMinor", minor)]
    variables = tuple((f"k8s.io/component-base/version.{name}", value) for name, value in stamped)
    return GoTool(program, TOOLS / f"kubernetes-{version}", f"k8s.io/kubernetes/cmd/{program}", variables)


ETCD = GoTool("etcd", TOOLS / "etcd", "go.etcd.io/etcd/server/v3")
HELM = GoTool("helm", TOOLS / "helm", "helm.sh/helm/v4/cmd/helm")
KUBECONFORM = GoTool("kubeconform", TOOLS / "kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform")
COREDNS = GoTool("coredns", TOOLS / "coredns", ".")
REGISTRY = GoTool("registry", TOOLS / "registry", ".")
PAUSE = GoTool("pause", TOOLS / "pause", ".")


def control_plane_tools() -> list[GoTool]:
    return [ETCD, *map(kubernetes, CONTROL_PLANE)]


def node_tools() -> list[GoTool]:
    return [*control_plane_tools(), *map(kubernetes, NODE), COREDNS, REGISTRY, PAUSE, VERSITYGW]


def all_tools() -> list[GoTool]:
    return [*node_tools(), HELM, KUBECONFORM]


def build(tools: Iterable[GoTool]) -> dict[str, Path]:
    """The paths of the programs by name, built where the cache does not hold them."""
    return {tool.name: tool.build() for tool in tools}
