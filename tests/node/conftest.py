"""The platform on a cluster with a node: built from the Dockerfile, installed by helm, used as by people."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import programs
from tests.cluster.client import NodeCluster, eventually
from tests.cluster.pods import strict_job
from tests.places import CHECKOUT
from tests.platform.release import Images, Release, give_store, image_values, store_values

EXAMPLE = CHECKOUT / "examples" / "btcusdt-1h-sma-cross.yaml"
SECONDS_TO_FINISH = 120
SECONDS_TO_FINISH_HALTED = 450
START_DEADLINE = 40
"""Long enough for a halted pod on a busy machine, and for what is told before it to be seen."""
QUICK_LEASE = {
    "leaseSeconds": 6,
    "renewDeadlineSeconds": 4,
    "retrySeconds": 1,
    "writeTimeoutSeconds": 1.5,
}
"""A dead leader is followed within seconds."""
OPERATOR = "system:serviceaccount:spark-system:spark-operator"
HALTED = {"resources": {"limits": {"cpu": "10m"}}}
"""So little processor that a run takes long enough to be met while it runs: a hundred times its seconds."""
API = "system:serviceaccount:spark-system:spark-api"


@dataclass(frozen=True)
class Tenant:
    """A namespace of a quant, with the store's credentials in it."""

    cluster: NodeCluster
    namespace: str

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - as subprocess.run
        return self.cluster.kubectl("--namespace", self.namespace, *arguments, input=input)

    def get(self, kind: str, name: str) -> Any:
        return json.loads(self.kubectl("get", kind, name, "--output", "json"))

    def items(self, kind: str) -> list[Any]:
        found: list[Any] = json.loads(self.kubectl("get", kind, "--output", "json"))["items"]
        return found

    def apply(self, name: str, **spec: Any) -> None:
        """The example under another name; `spec` replaces top-level fields."""
        manifest = yaml.safe_load(EXAMPLE.read_text())
        manifest["metadata"]["name"] = name
        manifest["spec"].update(spec)
        self.kubectl("apply", "-f", "-", input=json.dumps(manifest))

    def edit(self, name: str, **spec: bool) -> None:
        """Changes fields of a run's spec."""
        self.kubectl("patch", "btr", name, "--type=merge", "-p", json.dumps({"spec": spec}))

    def wait(
        self, name: str, condition: str = "Complete", seconds: int = SECONDS_TO_FINISH
    ) -> dict[str, Any]:
        """The status of a run once a condition is True."""
        waiting = ("wait", f"--for=condition={condition}", f"btr/{name}", f"--timeout={seconds}s")
        done = self.cluster.try_kubectl("--namespace", self.namespace, *waiting)
        if done.returncode != 0:
            raise AssertionError(f"{done.stderr}\n{self.kubectl('describe', 'btr', name)}")
        return self.status(name)

    def status(self, name: str) -> dict[str, Any]:
        status: dict[str, Any] = self.get("btr", name)["status"]
        return status

    def condition(self, name: str, type_: str) -> dict[str, Any]:
        """The condition of that type; empty while there is none."""
        conditions = self.status(name).get("conditions", [])
        return next((c for c in conditions if c["type"] == type_), {})

    def until(self, name: str, reason: str, seconds: float = SECONDS_TO_FINISH) -> None:
        """Returns when the run's condition Reconciling has that reason."""
        eventually(
            lambda: self.condition(name, "Reconciling").get("reason") == reason,
            f"{name} is {reason}",
            seconds,
        )

    def apply_unpullable(self, name: str) -> None:
        """The example with an image that no registry holds: it is starting, until it is given up."""
        image = f"{self.cluster.registry}/no-such-image@sha256:{'0' * 64}"
        self.apply(name, engine={"image": image}, ttlSecondsAfterFinished=0)

    def empty(self, run: str) -> bool:
        """Whether nothing of a run is left."""
        jobs = [
            job for job in self.items("jobs") if job["metadata"]["labels"].get("spark.trading/run") == run
        ]
        pods = [
            pod for pod in self.items("pods") if pod["metadata"]["labels"].get("spark.trading/run") == run
        ]
        return not jobs and not pods


@dataclass(frozen=True)
class Platform:
    """The release, and what it was installed with."""

    cluster: NodeCluster
    release: Release
    images: Images
    values: Mapping[str, Any]
    installed: str
    """When that began, as the audit log writes times."""

    @property
    def namespace(self) -> str:
        return self.release.namespace

    def leader(self) -> str:
        """The name of the pod that holds the Lease."""
        lease = self.cluster.get("lease", "spark-operator", "--namespace", self.namespace)
        return str(lease["spec"].get("holderIdentity") or "").partition("_")[0]


@pytest.fixture(scope="session")
def platform(
    node_cluster: NodeCluster,
    engine_image: str,
    operator_image: str,
    pushed: Callable[[str, str], str],
) -> Iterator[Platform]:
    images = Images(pushed(operator_image, "spark-operator"), pushed(engine_image, "spark-engine"))
    release = Release(node_cluster, programs.HELM.build())
    values = {
        **image_values(images),
        **store_values(node_cluster.s3),
        "limits": {"startDeadlineSeconds": START_DEADLINE},
        "controller": QUICK_LEASE,
    }
    values["engine"] = {**values["engine"], "allowedImages": [f"{node_cluster.registry}/*"]}
    release.prepare()
    with node_cluster.namespace("pulled") as namespace:  # no start deadline shall count the first pull
        node_cluster.run_job(namespace, strict_job("engine", images.engine, ["backtest", "--version"]))
    give_store(node_cluster, node_cluster.s3, release.namespace)
    lease = ("delete", "lease", "spark-operator", "--namespace", release.namespace)
    node_cluster.kubectl(*lease, "--ignore-not-found")  # of a former release: this one shall make its own
    installed = datetime.now(UTC).isoformat()
    release.install(values)
    yield Platform(node_cluster, release, images, values, installed)
    release.uninstall()


@pytest.fixture
def tenant(platform: Platform) -> Iterator[Tenant]:
    with platform.cluster.namespace("quants") as namespace:
        give_store(platform.cluster, platform.cluster.s3, namespace)
        yield Tenant(platform.cluster, namespace)


@pytest.fixture(scope="session")
def laptop_digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `backtest run` says of the example on this machine."""
    out = tmp_path_factory.mktemp("laptop") / "artifact"
    told = backtest("run", "-f", EXAMPLE, "--out", out, "--output", "json")
    return str(json.loads(told)["digest"])


def backtest(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """stdout of the command, which must succeed."""
    command = [sys.executable, "-m", "spark_engine.command.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
