"""etcd, API server, controller manager and scheduler: what Kubernetes is without a node. Needs no root."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.certificates import Authority, KeyPair, new_key, private_key_pem
from tests.cluster.processes import Processes

AUDIT_POLICY = Path(__file__).with_name("audit-policy.yaml")
SERVICE_ADDRESSES = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
SECONDS_TO_BE_READY = 120

Launch = Callable[[str, list[str | Path]], None]


@dataclass(frozen=True)
class Ports:
    """Where each listens. In a network of its own they are Kubernetes' defaults; else any free ones."""

    api_server: int = 6443
    controller_manager: int = 10257
    scheduler: int = 10259
    etcd: int = 2379
    etcd_peers: int = 2380


@dataclass(frozen=True)
class ControlPlane:
    """The files of a control plane under `directory`, and the address at which clients find it."""

    directory: Path
    address: str
    ports: Ports
    programs: Mapping[str, Path]

    @property
    def server(self) -> str:
        return f"https://{self.address}:{self.ports.api_server}"

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.directory / "audit.log"

    @property
    def etcd(self) -> str:
        return f"http://127.0.0.1:{self.ports.etcd}"

    def certify(self) -> Authority:
        """Writes the authority, everybody's certificates and kubeconfigs, and the key of service accounts."""
        pki = Authority.create(self.directory / "pki")
        hosts = ["127.0.0.1", "localhost", self.address, API_SERVICE_ADDRESS]
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        pki.issue("server", "kube-apiserver", hosts=[*hosts, *names])
        pki.issue("kubelet-client", "kube-apiserver-kubelet-client", groups=["system:masters"])
        (self.directory / "pki/service-accounts.key").write_bytes(private_key_pem(new_key()))
        pki.kubeconfig(self.kubeconfig, self.server, "admin", ["system:masters"])
        for name in ("kube-controller-manager", "kube-scheduler"):
            pki.kubeconfig(self._kubeconfig_of(name), self.server, f"system:{name}")
        return pki

    def launch(self, launch: Launch) -> None:
        launch("etcd", self._etcd())
        launch("kube-apiserver", self._api_server())
        launch("kube-controller-manager", self._controller_manager())
        launch("kube-scheduler", self._scheduler())

    def ask(self, path: str, port: int = 0) -> Any:
        """The answer of the API server (or of the server at `port`) to its administrator."""
        pki = self.directory / "pki"
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        context.load_cert_chain(pki / "kubeconfig.crt", pki / "kubeconfig.key")
        url = f"https://{self.address}:{port or self.ports.api_server}{path}"
        with urllib.request.urlopen(url, context=context, timeout=5) as answer:
            content = answer.read().decode()
        return json.loads(content) if content.startswith("{") else content

    def await_ready(self, processes: Processes) -> None:
        """Returns when the API server answers, and what the others do can be seen."""
        await_answer(processes, "kube-apiserver", lambda: self.ask("/readyz") == "ok")
        await_answer(
            processes,
            "kube-controller-manager",
            lambda: "metadata" in self.ask("/api/v1/namespaces/default/serviceaccounts/default"),
        )
        await_answer(processes, "kube-scheduler", lambda: self.ask("/healthz", self.ports.scheduler) == "ok")

    def _kubeconfig_of(self, name: str) -> Path:
        return self.directory / f"{name}.kubeconfig"

    def _pair(self, name: str) -> KeyPair:
        return KeyPair(self.directory / f"pki/{name}.crt", self.directory / f"pki/{name}.key")

    def _etcd(self) -> list[str | Path]:
        peers = f"http://127.0.0.1:{self.ports.etcd_peers}"
        return [
            self.programs["etcd"],
            "--unsafe-no-fsync",  # thrown away with the cluster
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={self.etcd}",
            f"--advertise-client-urls={self.etcd}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--log-level=warn",
        ]

    def _api_server(self) -> list[str | Path]:
        server, kubelet = self._pair("server"), self._pair("kubelet-client")
        accounts = self.directory / "pki/service-accounts.key"
        return [
            self.programs["kube-apiserver"],
            f"--etcd-servers={self.etcd}",
            f"--bind-address={self.address}",
            f"--advertise-address={self.address}",
            f"--secure-port={self.ports.api_server}",
            # The service `kubernetes` needs an address that is not loopback.
            *(["--endpoint-reconciler-type=none"] if self.address == "127.0.0.1" else []),
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
            f"--client-ca-file={self._pair('ca').certificate}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-certificate-authority={self._pair('ca').certificate}",
            f"--kubelet-client-certificate={kubelet.certificate}",
            f"--kubelet-client-key={kubelet.key}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={accounts}",
            f"--service-account-signing-key-file={accounts}",
            f"--service-cluster-ip-range={SERVICE_ADDRESSES}",
            f"--audit-policy-file={AUDIT_POLICY}",
            f"--audit-log-path={self.audit_log}",
            "--audit-log-maxsize=2000",
        ]

    def _controller_manager(self) -> list[str | Path]:
        server, authority = self._pair("server"), self._pair("ca")
        return [
            self.programs["kube-controller-manager"],
            f"--kubeconfig={self._kubeconfig_of('kube-controller-manager')}",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={self.directory / 'pki/service-accounts.key'}",
            f"--root-ca-file={authority.certificate}",
            f"--cluster-signing-cert-file={authority.certificate}",
            f"--cluster-signing-key-file={authority.key}",
            "--leader-elect=false",
            f"--bind-address={self.address}",
            f"--secure-port={self.ports.controller_manager}",
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
        ]

    def _scheduler(self) -> list[str | Path]:
        server = self._pair("server")
        return [
            self.programs["kube-scheduler"],
            f"--kubeconfig={self._kubeconfig_of('kube-scheduler')}",
            "--leader-elect=false",
            f"--bind-address={self.address}",
            f"--secure-port={self.ports.scheduler}",
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
        ]


def await_answer(processes: Processes, name: str, answered: Callable[[], bool]) -> None:
    """Asks until the answer is yes. RuntimeError with what was written where a process ends, or is late."""
    until = time.monotonic() + SECONDS_TO_BE_READY
    while time.monotonic() < until:
        try:
            if answered():
                return
        except (OSError, urllib.error.URLError):
            pass
        if dead := processes.dead():
            raise RuntimeError("\n".join(f"{each} ended:\n{processes.told(each)}" for each in dead))
        time.sleep(0.05)
    raise RuntimeError(f"{name} is not ready:\n{processes.told(name)}")
