"""What a test holds of a cluster: kubectl as somebody, namespaces, and the audit log."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.cluster.certificates import encoded, new_key, private_key_pem, signing_request, write_kubeconfig

RESTRICTED: Mapping[str, str] = {"pod-security.kubernetes.io/enforce": "restricted"}
SECONDS_FOR_KUBECTL = 500
SECONDS_TO_COMPLETE = 120
SECONDS_TO_BECOME_TRUE = 60


@dataclass(frozen=True)
class Cluster:
    """An API server with the rights of one kubeconfig. `credentials`: where further ones are written.

    `audit_log` (JSON lines; writes of runs, Jobs, Leases, Events) is None on a cluster that is not ours.
    """

    kubeconfig: Path
    server: str
    kubectl_path: str
    credentials: Path
    audit_log: Path | None

    def try_kubectl(
        self,
        *arguments: str | Path,
        input: str | None = None,  # noqa: A002 - named as in subprocess.run
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.kubectl_path, "--kubeconfig", self.kubeconfig, *arguments],
            input=input or "",
            capture_output=True,
            text=True,
            timeout=SECONDS_FOR_KUBECTL,
        )

    def kubectl(self, *arguments: str | Path, input: str | None = None) -> str:  # noqa: A002
        """stdout of kubectl; AssertionError with its words where it fails."""
        done = self.try_kubectl(*arguments, input=input)
        if done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def get(self, *arguments: str) -> Any:
        """The object or list that `kubectl get` prints."""
        return json.loads(self.kubectl("get", *arguments, "--output", "json"))

    def apply(self, *objects: Mapping[str, Any]) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=json.dumps(items))

    @contextmanager
    def namespace(self, prefix: str = "test", labels: Mapping[str, str] = RESTRICTED) -> Iterator[str]:
        """A new namespace that enforces the restricted Pod Security Standard, told to go at the end."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        self.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}
        )
        try:
            yield name
        finally:
            self.try_kubectl("delete", "namespace", name, "--wait=false")

    def as_user(self, user: str, groups: Sequence[str] = ()) -> Cluster:
        """The same cluster asked by `user`, whom a certificate of the cluster's own signer names."""
        key, request = new_key(), f"{uuid.uuid4().hex}"
        self.apply(
            {
                "apiVersion": "certificates.k8s.io/v1",
                "kind": "CertificateSigningRequest",
                "metadata": {"name": request},
                "spec": {
                    "request": encoded(signing_request(user, groups, key)),
                    "signerName": "kubernetes.io/kube-apiserver-client",
                    "usages": ["client auth"],
                },
            }
        )
        self.kubectl("certificate", "approve", request)
        eventually(lambda: "certificate" in self.get("csr", request)["status"], "the certificate is signed")
        credentials = {
            "client-certificate-data": self.get("csr", request)["status"]["certificate"],
            "client-key-data": encoded(private_key_pem(key)),
        }
        self.kubectl("delete", "csr", request)
        return self._as(user, credentials)

    def as_service_account(self, namespace: str, name: str) -> Cluster:
        """The same cluster asked by a service account, with a token of an hour."""
        token = self.kubectl("create", "token", name, "--namespace", namespace, "--duration", "1h").strip()
        return self._as(f"{namespace}:{name}", {"token": token})

    def audited(self) -> list[dict[str, Any]]:
        """The audit log's records so far."""
        if self.audit_log is None:
            raise RuntimeError("this cluster's audit log is not at hand")
        lines = self.audit_log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def _as(self, user: str, credentials: dict[str, str]) -> Cluster:
        view = ("config", "view", "--minify", "--flatten", "--raw", "--output", "json")
        cluster = json.loads(self.kubectl(*view))["clusters"][0]["cluster"]
        path = self.credentials / f"kubeconfig-{uuid.uuid4().hex[:12]}"
        return replace(self, kubeconfig=write_kubeconfig(path, cluster, user, credentials))


@dataclass(frozen=True)
class S3Access:
    """An S3 server that pods and host reach alike. `folder`: its buckets on this machine, if it is ours."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str
    folder: Path | None

    @property
    def environment(self) -> dict[str, str]:
        """What a pod is told."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
        }


@dataclass(frozen=True)
class NodeCluster(Cluster):
    """A cluster with a node. `registry` (host:port, plain HTTP) is the same for the node and the host."""

    registry: str
    s3: S3Access

    def create(self, namespace: str, job: Mapping[str, Any]) -> None:
        """Without waiting for its end."""
        self.kubectl("create", "--namespace", namespace, "-f", "-", input=json.dumps(job))

    def run_job(self, namespace: str, job: Mapping[str, Any]) -> str:
        """Creates a Job, waits until it is Complete, and returns what its pod wrote."""
        name = job["metadata"]["name"]
        self.create(namespace, job)
        waiting = ["wait", "--namespace", namespace, "--for=condition=Complete", f"job/{name}"]
        done = self.try_kubectl(*waiting, f"--timeout={SECONDS_TO_COMPLETE}s")
        logs = self.try_kubectl("logs", "--namespace", namespace, f"job/{name}")
        if done.returncode != 0:
            pods = self.kubectl("describe", "pods", "--namespace", namespace)
            raise AssertionError(f"{name} is not complete:\n{logs.stdout}{logs.stderr}\n{pods}")
        return logs.stdout


def eventually(true: Callable[[], bool], what: str, seconds: float = SECONDS_TO_BECOME_TRUE) -> None:
    """Returns when `true()` is; AssertionError with `what` where that takes longer than `seconds`."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def server_of(kubeconfig: Path, kubectl: str) -> str:
    view = [
        kubectl,
        "--kubeconfig",
        str(kubeconfig),
        "config",
        "view",
        "--minify",
        "--raw",
        "--output",
        "json",
    ]
    done = subprocess.run(view, capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout)["clusters"][0]["cluster"]["server"])


def uses_existing_cluster() -> bool:
    """Whether tests are told to leave this machine's own clusters alone."""
    return os.environ.get("USE_EXISTING_CLUSTER") == "true"
