"""What containerd, its network, the kubelet, CoreDNS and the registry are told, as files."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.network import POD_ADDRESSES

NAME = "spark-node"
DOMAIN = "cluster.local"
PAUSE_IMAGE = "localhost/pause:3.10"
REGISTRY_PORT = 5000
S3_PORT = 7070
DNS_READY_PORT = 8181


def write(directory: Path, address: str, cluster: str) -> None:
    """Writes the files of the node at `address` below `directory`; pods go into the group `cluster`."""
    for name, content in {
        "containerd.toml": _containerd(directory, address),
        "cni/10-pods.conflist": _pod_network(directory),
        f"registries/{address}:{REGISTRY_PORT}/hosts.toml": _plain_http(address),
        "kubelet.yaml": _kubelet(directory, address, cluster),
        "resolv.conf": f"nameserver {address}\n",
        "Corefile": _dns(directory, address),
        "registry.yaml": _registry(directory, address),
    }.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def containerd_socket(directory: Path) -> Path:
    return directory / "containerd.sock"


def _containerd(directory: Path, address: str) -> str:
    # restrict_oom_score_adj: a machine without CAP_SYS_RESOURCE lets no container below our own score.
    return f"""\
version = 2
root = "{directory}/containerd"
state = "/run/containerd/spark"
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
address = "{containerd_socket(directory)}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
tolerate_missing_hugetlb_controller = true

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{directory}/cni"

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{directory}/registries"
"""


def _pod_network(directory: Path) -> str:
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_ADDRESSES}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(directory / "pod-addresses"),
    }
    bridge = {"type": "bridge", "bridge": "pods", "isGateway": True, "hairpinMode": True, "ipam": addresses}
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, {"type": "loopback"}]})


def _plain_http(address: str) -> str:
    url = f"http://{address}:{REGISTRY_PORT}"
    return f'server = "{url}"\n\n[host."{url}"]\ncapabilities = ["pull", "resolve"]\n'


def _kubelet(directory: Path, address: str, cluster: str) -> str:
    pki = directory / "pki"
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": address,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{cluster}",
            "clusterDNS": [address],
            "clusterDomain": DOMAIN,
            "containerRuntimeEndpoint": f"unix://{containerd_socket(directory)}",
            "enforceNodeAllocatable": [],
            "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "failCgroupV1": False,
            "failSwapOn": False,
            "imageGCHighThresholdPercent": 100,
            "oomScoreAdj": 0,
            "registryPullQPS": 0,
            "resolvConf": str(directory / "resolv.conf"),
            "serializeImagePulls": False,
            "tlsCertFile": str(pki / "kubelet-server.crt"),
            "tlsPrivateKeyFile": str(pki / "kubelet-server.key"),
            "volumePluginDir": str(directory / "volume-plugins"),
        },
        indent=1,
    )


def _dns(directory: Path, address: str) -> str:
    return f"""\
.:53 {{
    bind {address}
    errors
    ready {address}:{DNS_READY_PORT}
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {directory}/coredns.kubeconfig
    }}
}}
"""


def _registry(directory: Path, address: str) -> str:
    return json.dumps(
        {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(directory / "registry")}},
            "http": {"addr": f"{address}:{REGISTRY_PORT}"},
        }
    )
