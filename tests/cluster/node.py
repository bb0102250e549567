"""A node for the control plane: kubelet, containerd, kube-proxy, CoreDNS, a registry and an S3 server.

Needs root. Everything runs in a network and a mount namespace of its own (network.py). NetworkPolicy is NOT
enforced: the network is a plain bridge. The kubelet sets vm.overcommit_memory=1, kernel.panic=10 and
kernel.panic_on_oops=1, as on every node, and they stay.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import cgroups, network, node_files
from tests.cluster.client import Cluster, S3Access
from tests.cluster.control_plane import ControlPlane, await_answer
from tests.cluster.oci_archive import write_archive
from tests.cluster.processes import Processes, running

BUCKET = "candles"
NEEDED = ("containerd", "ctr", "runc", "nft", "ip", "nsenter", "unshare", "buildah", "debootstrap")
CNI_PLUGINS = Path("/usr/lib/cni")
PACKAGES = "containerd runc containernetworking-plugins nftables iproute2 buildah debootstrap"
# What the programs write at fixed places is seen by this mount namespace alone, and gone with it.
PRIVATE = ("/run/netns", "/run/containerd", "/var/lib/cni", "/var/log")
HOLD = """
set -e
mount --make-rshared /
for directory in "$@"; do mount -t tmpfs spark "$directory"; done
echo 1 > /proc/sys/net/ipv4/ip_forward
touch "$0"
exec sleep infinity
"""


@dataclass(frozen=True)
class Node:
    """The node of a control plane, in the network of the checkout whose hash is `name`."""

    plane: ControlPlane
    name: str

    @property
    def registry(self) -> str:
        return f"{self.plane.address}:{node_files.REGISTRY_PORT}"

    @property
    def s3(self) -> S3Access:
        endpoint = f"http://{self.plane.address}:{node_files.S3_PORT}"
        secret = (self.directory / "s3-secret").read_text()
        return S3Access(endpoint, "spark", secret, BUCKET, self.directory / "s3")

    @property
    def directory(self) -> Path:
        return self.plane.directory

    def start(self, processes: Processes) -> None:
        """Starts control plane and node, and returns when the node is Ready and its services answer."""
        holder = self._hold(processes)
        network.of(self.name).join(holder)
        self._write_files()

        def launch(name: str, command: list[str | Path]) -> None:
            processes.start(name, ["nsenter", f"--target={holder}", "--net", "--mount", "--", *command])

        self.plane.launch(launch)
        launch("containerd", ["containerd", "--config", self.directory / "containerd.toml"])
        launch("registry", [self._program("registry"), "serve", self.directory / "registry.yaml"])
        launch("versitygw", self._s3_server())
        await_answer(processes, "containerd", self._pause_image_is_there)
        launch("kubelet", self._kubelet())
        self.plane.await_ready(processes)
        self._allow_dns()
        launch("kube-proxy", self._kube_proxy())
        launch("coredns", [self._program("coredns"), "-conf", self.directory / "Corefile"])
        for name, answered in self._signs_of_life():
            await_answer(processes, name, answered)

    def _hold(self, processes: Processes) -> int:
        """The pid of a process that holds the new namespaces open."""
        for path in PRIVATE:
            Path(path).mkdir(parents=True, exist_ok=True)
        held = self.directory / "namespaces-are-there"
        unshare = ["unshare", "--net", "--mount", "--propagation", "private"]
        processes.start("namespaces", [*unshare, "sh", "-c", HOLD, held, *PRIVATE])
        await_answer(processes, "namespaces", held.exists)
        return processes.recorded()["namespaces"].pid

    def _write_files(self) -> None:
        pki = self.plane.certify()
        pki.issue("kubelet-server", node_files.NAME, hosts=[node_files.NAME, self.plane.address])
        for name, user, groups in (
            ("kubelet", f"system:node:{node_files.NAME}", ["system:nodes"]),
            ("kube-proxy", "system:kube-proxy", []),
            ("coredns", "system:coredns", []),
        ):
            pki.kubeconfig(self.directory / f"{name}.kubeconfig", self.plane.server, user, groups)
        cgroups.create(self.name)
        node_files.write(self.directory, self.plane.address, cgroups.name_of(self.name))
        (self.directory / "s3" / BUCKET).mkdir(parents=True)
        (self.directory / "s3-secret").write_text(secrets.token_hex(16))
        write_archive(self.directory / "pause.tar", self._program("pause"), node_files.PAUSE_IMAGE)

    def _program(self, name: str) -> Path:
        return self.plane.programs[name]

    def _kubelet(self) -> list[str | Path]:
        return [
            self._program("kubelet"),
            f"--config={self.directory / 'kubelet.yaml'}",
            f"--kubeconfig={self.directory / 'kubelet.kubeconfig'}",
            f"--root-dir={self.directory / 'kubelet'}",
            f"--cert-dir={self.directory / 'pki'}",
            f"--hostname-override={node_files.NAME}",
            f"--node-ip={self.plane.address}",
        ]

    def _kube_proxy(self) -> list[str | Path]:
        return [
            self._program("kube-proxy"),
            f"--kubeconfig={self.directory / 'kube-proxy.kubeconfig'}",
            f"--hostname-override={node_files.NAME}",
            "--proxy-mode=nftables",
            "--masquerade-all",  # pods of one bridge answer each other directly, past the service address
            "--conntrack-max-per-core=0",
            "--oom-score-adj=0",
        ]

    def _s3_server(self) -> list[str | Path]:
        port = f"{self.plane.address}:{node_files.S3_PORT}"
        keys = ["--access", self.s3.access_key, "--secret", self.s3.secret_key]
        return [self._program("versitygw"), *keys, "--port", port, "posix", self.directory / "s3"]

    def _pause_image_is_there(self) -> bool:
        socket_path = node_files.containerd_socket(self.directory)
        # ctr makes the socket's folder and waits long where there is no server yet.
        if not socket_path.exists():
            return False
        ctr = ["ctr", "--address", str(socket_path), "--namespace", "k8s.io", "images", "import"]
        return subprocess.run([*ctr, self.directory / "pause.tar"], capture_output=True).returncode == 0

    def _allow_dns(self) -> None:
        kubectl = str(self._program("kubectl"))
        cluster = Cluster(self.plane.kubeconfig, self.plane.server, kubectl, self.directory, None)
        rules = [
            {
                "apiGroups": [""],
                "resources": ["endpoints", "services", "pods", "namespaces"],
                "verbs": ["list", "watch"],
            },
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
        ]
        rbac, meta = "rbac.authorization.k8s.io", {"name": "system:coredns"}
        cluster.apply(
            {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules},
            {
                "apiVersion": f"{rbac}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": meta,
                "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": meta["name"]},
                "subjects": [{"apiGroup": rbac, "kind": "User", "name": meta["name"]}],
            },
        )

    def _signs_of_life(self) -> list[tuple[str, Callable[[], bool]]]:
        address = self.plane.address
        return [
            ("registry", lambda: _answers(f"http://{self.registry}/v2/")),
            ("versitygw", lambda: _listens(address, node_files.S3_PORT)),
            ("coredns", lambda: _answers(f"http://{address}:{node_files.DNS_READY_PORT}/ready")),
            ("kube-proxy", lambda: _answers(f"http://{address}:10256/healthz")),
            ("kubelet", self._node_is_ready),
        ]

    def _node_is_ready(self) -> bool:
        node = self.plane.ask(f"/api/v1/nodes/{node_files.NAME}")
        conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", [])}
        return conditions.get("Ready") == "True" and not node["spec"].get("taints")


def missing() -> str:
    """Which system packages a node would need, or nothing."""
    absent = [name for name in NEEDED if shutil.which(name) is None]
    if not CNI_PLUGINS.joinpath("bridge").exists():
        absent.append(f"{CNI_PLUGINS}/bridge")
    return f"needs {', '.join(absent)} (Debian: {PACKAGES})" if absent else ""


def end_pods(name: str, directory: Path) -> None:
    """Ends the processes of all pods, then their shims: children of nobody by now, known by our socket."""
    cgroups.end(name)
    for shim in running("containerd-shim-runc-v2", str(node_files.containerd_socket(directory))):
        shim.end()


def remove_leftovers(name: str) -> None:
    cgroups.remove(name)
    network.of(name).leave()


def _answers(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - always http to our own address
        return bool(answer.status == 200)


def _listens(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex((address, port)) == 0
