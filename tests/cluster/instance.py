"""One cluster of this checkout on this machine: who uses it, whether it lives, and its end.

A test session holds the file `users` locked as long as it uses the cluster. The kernel lets go of that lock
however the session ends, so that a cluster which is neither kept nor used is what a dead one left behind: the
next start or end removes it.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import IO

from tests.cluster import network, programs
from tests.cluster.client import Cluster, NodeCluster
from tests.cluster.control_plane import ControlPlane, Ports
from tests.cluster.node import Node, end_pods, remove_leftovers
from tests.cluster.processes import Processes
from tests.places import CACHE, CHECKOUT, checkout_hash, locked
from tests.ports import free_ports

# Pods end after the kubelet, which would start them again, and before containerd, which knows them.
BEFORE_PODS = ("kubelet", "kube-proxy", "coredns")
AFTER_PODS = ("containerd", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")


class Kind(StrEnum):
    CONTROL_PLANE = "control-plane"
    NODE = "node"


@dataclass(frozen=True)
class Instance:
    kind: Kind
    checkout: Path = CHECKOUT

    @property
    def name(self) -> str:
        return checkout_hash(self.checkout)

    @property
    def directory(self) -> Path:
        return CACHE / "clusters" / self.name / self.kind

    @property
    def processes(self) -> Processes:
        return Processes(self.directory)

    @property
    def ready(self) -> bool:
        """Whether it was started to the end and every process of it still runs."""
        return self._facts.exists() and not self.processes.dead()

    @property
    def kept(self) -> bool:
        """Whether it stays until it is told to go."""
        return self._kept.exists()

    @property
    def used(self) -> bool:
        """Whether a test session holds it."""
        with self._users() as users:
            return not _try_lock(users, fcntl.LOCK_EX)

    @contextmanager
    def session(self) -> Iterator[Cluster]:
        """The cluster as long as it is needed: one that runs, else one that ends with its last user."""
        with ExitStack() as stack:
            users = stack.enter_context(self._users())
            with self._locked():
                self._renew(users)
                fcntl.flock(users, fcntl.LOCK_SH)
            try:
                yield self.cluster()
            finally:
                with self._locked():
                    if _try_lock(users, fcntl.LOCK_EX) and not self.kept:
                        self._remove()

    def up(self) -> Cluster:
        """Starts it where it does not run, to stay until `down`."""
        with self._locked(), self._users() as users:
            self._renew(users)
            self._kept.touch()
            return self.cluster()

    def down(self) -> str:
        """Ends it and removes whatever it left, and says what was done."""
        with self._locked(), self._users() as users:
            if not self.directory.exists():
                return "not there"
            self._kept.unlink(missing_ok=True)
            if not _try_lock(users, fcntl.LOCK_EX):
                return "used by a test session, and ends with it"
            self._remove()
            return "removed"

    def cluster(self) -> Cluster:
        """The running cluster as tests see it."""
        facts = json.loads(self._facts.read_text())
        plane = self._control_plane(facts["version"], Ports(**facts["ports"]))
        kubectl = str(plane.programs["kubectl"])
        credentials = self.directory / "credentials"
        credentials.mkdir(mode=0o700, exist_ok=True)
        common = Cluster(plane.kubeconfig, plane.server, kubectl, credentials, plane.audit_log)
        if self.kind is Kind.CONTROL_PLANE:
            return common
        node = self._node(plane)
        return NodeCluster(**vars(common), registry=node.registry, s3=node.s3)

    def _renew(self, users: IO[str]) -> None:
        """Leaves it ready. What a dead session left, or what died itself, is removed and started anew."""
        alone = _try_lock(users, fcntl.LOCK_EX)
        if self.ready and (self.kept or not alone):
            self._check_version()
            return
        if not alone:
            raise RuntimeError(f"{self.directory} died under a test session that still uses it")
        self._remove()
        self._start()

    def _check_version(self) -> None:
        runs = json.loads(self._facts.read_text())["version"]
        if runs != programs.kubernetes_version():
            asked = programs.kubernetes_version()
            raise RuntimeError(f"Kubernetes {runs} runs and {asked} is asked for: `make cluster-down` first")

    def _start(self) -> None:
        version = programs.kubernetes_version()
        tools = programs.node_tools() if self.kind is Kind.NODE else programs.control_plane_tools()
        programs.build(tools)
        self.directory.mkdir(parents=True, mode=0o700)
        (self.directory / "checkout").write_text(str(self.checkout))
        ports = Ports() if self.kind is Kind.NODE else Ports(*free_ports(5))
        plane = self._control_plane(version, ports)
        try:
            if self.kind is Kind.NODE:
                self._node(plane).start(self.processes)
            else:
                plane.certify()
                plane.launch(self.processes.start)
                plane.await_ready(self.processes)
        except BaseException:
            self._end()  # its logs stay, to be read
            raise
        facts = {"version": version, "ports": vars(ports)}
        self._facts.write_text(json.dumps(facts, indent=1))

    def _control_plane(self, version: str, ports: Ports) -> ControlPlane:
        tools = [programs.ETCD, *(programs.kubernetes(name, version) for name in programs.CONTROL_PLANE)]
        address = network.of(self.name).node if self.kind is Kind.NODE else "127.0.0.1"
        network.ask_directly("127.0.0.1", address)
        return ControlPlane(self.directory, address, ports, {tool.name: tool.path for tool in tools})

    def _node(self, plane: ControlPlane) -> Node:
        tools = {tool.name: tool.path for tool in programs.node_tools()}
        return Node(replace(plane, programs={**tools, **plane.programs}), self.name)

    def _remove(self) -> None:
        self._end()
        if self.directory.exists():
            shutil.rmtree(self.directory)

    def _end(self) -> None:
        self._facts.unlink(missing_ok=True)
        self.processes.end(*BEFORE_PODS)
        if self.kind is Kind.NODE:
            end_pods(self.name, self.directory)
        self.processes.end_all(*AFTER_PODS)
        if self.kind is Kind.NODE:
            remove_leftovers(self.name)

    @property
    def _facts(self) -> Path:
        return self.directory / "ready.json"

    @property
    def _kept(self) -> Path:
        return self.directory / "kept"

    def _locked(self) -> ExitStack:
        stack = ExitStack()
        stack.enter_context(locked(self.directory.with_suffix(".lock")))
        return stack

    @contextmanager
    def _users(self) -> Iterator[IO[str]]:
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        with self.directory.with_suffix(".users").open("w") as users:
            yield users


def forget_lost_checkouts() -> None:
    """Ends the clusters of clones that were removed: nobody else will."""
    for note in (CACHE / "clusters").glob("*/*/checkout"):
        checkout = Path(note.read_text())
        if not checkout.exists():
            Instance(Kind(note.parent.name), checkout).down()


def _try_lock(file: IO[str], mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
