"""The chart as a release in a cluster: what it needs, how it is installed, and what a failure says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.client import RESTRICTED, Cluster, S3Access
from tests.places import CHECKOUT

CHART = CHECKOUT / "charts" / "spark-trading"
RELEASE, NAMESPACE = "spark", "spark-system"
STORE_SECRET = "spark-store"  # noqa: S105 - its name
STORE_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
BUCKET = "evidence"
SECONDS_TO_BE_READY = 300


class NotInstalledError(RuntimeError):
    """helm or the pods of the release said no; the message has their words."""


@dataclass(frozen=True)
class Images:
    """References that the cluster can pull: by tag or by digest."""

    operator: str
    engine: str


@dataclass(frozen=True)
class Release:
    """One installation, in a namespace of its own that enforces restricted pods."""

    cluster: Cluster
    helm: Path
    namespace: str = NAMESPACE

    def prepare(self) -> None:
        """Makes the namespace: Secrets that the release needs go there before it is installed."""
        self.cluster.apply(_namespace(self.namespace))

    def install(self, values: Mapping[str, Any]) -> None:
        """Installs or upgrades, and returns when every pod is ready. Raises `NotInstalledError`."""
        self.prepare()
        options = ["--namespace", self.namespace, "--values", "-"]
        waiting = ["--wait", "--timeout", f"{SECONDS_TO_BE_READY}s"]
        done = self._helm(
            "upgrade", "--install", RELEASE, CHART, *options, *waiting, input=json.dumps(values)
        )
        if done.returncode != 0:
            raise NotInstalledError(f"helm: {done.stderr.strip()}\n{self._why()}".rstrip())

    def uninstall(self) -> None:
        """CRDs, and with them runs, stay (crds.keep). Raises `NotInstalledError`."""
        done = self._helm("uninstall", RELEASE, "--namespace", self.namespace, "--ignore-not-found", "--wait")
        if done.returncode != 0:
            raise NotInstalledError(f"helm: {done.stderr.strip()}")

    def _helm(self, *arguments: str | Path, input: str = "") -> subprocess.CompletedProcess[str]:  # noqa: A002 - as subprocess.run
        return subprocess.run(
            [self.helm, "--kubeconfig", self.cluster.kubeconfig, *arguments],
            input=input,
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_BE_READY + 60,
        )

    def _why(self) -> str:
        """Pods that are not ready, and the newest warnings about them."""
        here = ("--namespace", self.namespace)
        pods = self.cluster.try_kubectl("get", "pods", *here).stdout
        warnings = self.cluster.try_kubectl("events", *here, "--types=Warning").stdout.splitlines()
        logs = self.cluster.try_kubectl(
            "logs", *here, "--selector=app.kubernetes.io/part-of=spark-trading", "--tail=5", "--prefix"
        ).stdout
        return "\n".join(filter(None, (pods, *warnings[-10:], logs)))


def image_values(images: Images) -> dict[str, Any]:
    """Chart values that name the images."""
    return {"image": _reference(images.operator), "engine": {"image": _reference(images.engine)}}


def store_values(s3: S3Access) -> dict[str, Any]:
    """Chart values of an artifact store in the bucket `evidence`."""
    return {
        "store": {
            "uri": f"s3://{BUCKET}/spark",
            "endpoint": s3.endpoint,
            "region": s3.environment["AWS_REGION"],
            "credentialsSecret": STORE_SECRET,
        }
    }


def give_store(cluster: Cluster, s3: S3Access, *namespaces: str) -> None:
    """Makes the bucket, where its folders are at hand, and the Secret that engine pods and API use."""
    if s3.folder is not None:
        (s3.folder / BUCKET).mkdir(exist_ok=True)
    keys = {name: s3.environment[name] for name in STORE_KEYS}
    for namespace in namespaces:
        metadata = {"name": STORE_SECRET, "namespace": namespace}
        cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys})


def _namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(RESTRICTED)}}


def _reference(image: str) -> dict[str, str]:
    if "@" in image:
        repository, _, digest = image.partition("@")
        return {"repository": repository, "digest": digest}
    repository, _, tag = image.rpartition(":")
    return {"repository": repository, "tag": tag}
