"""The release on a real API server: what Kubernetes itself allows and refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chart.permissions import Grant, granted
from tests.chart.rendering import ADMIN_TOKEN, CHART, RELEASE, Helm, Object, Values, deployments, pod_of
from tests.cluster.client import Cluster
from tests.places import CHECKOUT

pytestmark = pytest.mark.control_plane

EXAMPLE = CHECKOUT / "examples" / "btcusdt-1h-sma-cross.yaml"
NAME = "btcusdt-1h-sma-cross"


@dataclass(frozen=True)
class Installed:
    """A release without running pods: the control plane has no node."""

    cluster: Cluster
    helm: Helm
    namespace: str
    runs: str

    @property
    def objects(self) -> list[Object]:
        return self.helm.render(ADMIN_TOKEN, namespace=self.namespace)

    def install(self, changes: Values | None = None) -> None:
        # another test may have applied the CRD without helm
        options = ("--install", "--take-ownership", *self._where)
        done = self.helm.run("upgrade", RELEASE, CHART, *options, values=_deep(ADMIN_TOKEN, changes or {}))
        assert done.returncode == 0, done.stderr

    def uninstall(self) -> None:
        done = self.helm.run("uninstall", RELEASE, *self._where)
        assert done.returncode == 0, done.stderr

    def as_account(self, name: str) -> Cluster:
        return self.cluster.as_service_account(self.namespace, name)

    def rules(self, account: str, namespace: str) -> set[Grant]:
        """All that the API server lets a service account do in a namespace."""
        user = f"system:serviceaccount:{self.namespace}:{account}"
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        create = ("create", f"--as={user}", "--raw", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews")
        status = json.loads(self.cluster.kubectl(*create, "-f", "-", input=json.dumps(review)))["status"]
        assert not status["incomplete"]
        return {
            Grant(group, resource, verb, name=name)
            for rule in status["resourceRules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
            for name in rule.get("resourceNames") or [""]
        }

    def can(self, user: str, verb: str, resource: str, *options: str) -> bool:
        asked = ("auth", "can-i", verb, resource, f"--as={user}", "--namespace", self.runs, *options)
        return self.cluster.try_kubectl(*asked).stdout.strip() == "yes"

    @property
    def _where(self) -> tuple[str | Path, ...]:
        return ("--kubeconfig", self.cluster.kubeconfig, "--namespace", self.namespace)


def _deep(values: Values, changes: Values) -> dict[str, Any]:
    merged = {**values, **changes}
    for name in values.keys() & changes.keys():
        if isinstance(values[name], dict):
            merged[name] = _deep(values[name], changes[name])
    return merged


@pytest.fixture(scope="module")
def installed(control_plane: Cluster, helm: Helm) -> Iterator[Installed]:
    """The release, and a namespace for runs; both end with the module. The CRD stays, for other tests."""
    if control_plane.try_kubectl("get", "clusterrole", "spark-operator").returncode == 0:
        pytest.skip("another release is installed in this cluster, and there can be one only")
    with control_plane.namespace("release") as namespace, control_plane.namespace("runs") as runs:
        release = Installed(control_plane, helm, namespace, runs)
        release.install()
        try:
            yield release
        finally:
            release.uninstall()


@pytest.fixture
def run(installed: Installed) -> Iterator[str]:
    """The name of a run that nobody works on."""
    cluster, here = installed.cluster, ("--namespace", installed.runs)
    cluster.kubectl("create", *here, "-f", EXAMPLE)
    yield NAME
    cluster.kubectl("delete", *here, "btr", NAME)


@pytest.mark.parametrize("name", ["spark-operator", "spark-api"])
def test_an_account_may_do_what_its_roles_say_and_nothing_else(installed: Installed, name: str) -> None:
    granted_here = granted(installed.objects, installed.namespace, name)
    assert granted_here
    for namespace in (installed.namespace, installed.runs, "kube-system"):
        expected = {
            Grant(each.group, each.resource, each.verb, name=each.name)
            for each in granted_here
            if each.namespace in ("", namespace)
        }
        anybodys = installed.rules("default", namespace)
        assert installed.rules(name, namespace) - anybodys == expected, namespace


def test_the_operators_own_token_reads_and_writes_status_and_is_refused_secrets(
    installed: Installed, run: str
) -> None:
    operator = installed.as_account("spark-operator")
    found = operator.get("btr", run, "--namespace", installed.runs)
    found["status"]["phase"] = "Running"
    found["status"]["observedGeneration"] = found["metadata"]["generation"]
    operator.kubectl("replace", "--subresource=status", "-f", "-", input=json.dumps(found))
    assert operator.get("btr", run, "--namespace", installed.runs)["status"]["phase"] == "Running"
    refused = operator.try_kubectl("get", "secrets", "--namespace", installed.runs)
    assert "cannot list resource" in refused.stderr


def test_nobody_else_writes_status_not_even_an_administrator(installed: Installed, run: str) -> None:
    patch = ("patch", "btr", run, "--namespace", installed.runs, "--subresource=status", "--type=merge")
    forged = ("--patch", json.dumps({"status": {"phase": "Succeeded", "digest": "sha256:" + "0" * 64}}))
    # policies are compiled a moment after they are created
    for _ in range(100):
        refused = installed.cluster.try_kubectl(*patch, *forged, "--dry-run=server")
        if refused.returncode != 0:
            break
        time.sleep(0.1)
    assert "status is written by the operator only" in refused.stderr
    assert "spark-status-writers" in refused.stderr
    api = installed.as_account("spark-api").try_kubectl(*patch, *forged)
    assert "is forbidden" in api.stderr
    assert 'resource "backtestruns/status"' in api.stderr


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("view", {"get", "watch"}), ("edit", {"get", "watch", "create", "patch", "delete"})],
)
def test_built_in_roles_cover_runs_and_never_their_status(
    installed: Installed, role: str, allowed: set[str]
) -> None:
    user = f"{role}er"
    bind = ("create", "rolebinding", user, f"--clusterrole={role}", f"--user={user}")
    installed.cluster.kubectl(*bind, "--namespace", installed.runs)
    asked = ("get", "watch", "create", "patch", "delete")
    # aggregation is the work of a controller
    for _ in range(100):
        found = {verb for verb in asked if installed.can(user, verb, "backtestruns.spark.trading")}
        if found == allowed:
            break
        time.sleep(0.1)
    assert found == allowed
    assert not installed.can(user, "update", "backtestruns.spark.trading", "--subresource=status")
    assert not installed.can(user, "deletecollection", "backtestruns.spark.trading")


def test_pod_security_admits_the_pods_of_operator_and_api(installed: Installed) -> None:
    for deployment in deployments(installed.objects):
        pod = pod_of(deployment)
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "probe", "namespace": installed.namespace, **pod["metadata"]},
            "spec": pod["spec"],
        }
        create = ("create", "--dry-run=server", "-f", "-")
        installed.cluster.kubectl(*create, input=json.dumps(body))


def test_uninstalling_keeps_runs_and_installing_again_finds_them(installed: Installed, run: str) -> None:
    installed.uninstall()
    assert installed.cluster.get("btr", run, "--namespace", installed.runs)["metadata"]["name"] == run
    assert installed.cluster.try_kubectl("get", "clusterrole", "spark-operator").returncode != 0
    installed.install()
    assert installed.cluster.get("btr", run, "--namespace", installed.runs)["metadata"]["name"] == run


def test_an_upgrade_changes_values_and_no_selector(installed: Installed) -> None:
    installed.install({"api": {"mode": "readOnly"}, "operator": {"podLabels": {"team": "quant"}}})
    where = ("--namespace", installed.namespace)
    config = installed.cluster.get("configmap", "spark-configuration", *where)["data"]["config.yaml"]
    assert "mode: readOnly" in config
    installed.install()
