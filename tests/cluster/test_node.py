"""What a pod on the node can do, as pods of the platform do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.client import eventually
from tests.cluster.pods import NOBODY, strict_job

if TYPE_CHECKING:
    from tests.cluster.client import NodeCluster

pytestmark = pytest.mark.node

ASK_THE_API = """
import json, pathlib, ssl, urllib.request
mount = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
request = urllib.request.Request(
    "https://kubernetes.default.svc/apis/authentication.k8s.io/v1/selfsubjectreviews",
    data=b'{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}',
    headers={"Authorization": "Bearer " + (mount / "token").read_text(), "Content-Type": "application/json"},
)
context = ssl.create_default_context(cafile=str(mount / "ca.crt"))
print(json.load(urllib.request.urlopen(request, context=context))["status"]["userInfo"]["username"])
"""
RESOLVE = "import socket; print(socket.gethostbyname('kubernetes.default.svc.cluster.local'))"
ASK_S3 = """
import os, urllib.error, urllib.request
try:
    urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/no-such-bucket/key")
except urllib.error.HTTPError as answer:
    print(answer.read().decode())
"""
SERVE = "import http.server as h; h.HTTPServer(('', 8000), h.SimpleHTTPRequestHandler).serve_forever()"
FETCH = """
import time, urllib.request
for _ in range(100):
    try:
        print(urllib.request.urlopen("http://server:8000/", timeout=5).status)
        break
    except OSError:
        time.sleep(0.2)
"""
WHOAMI = "import os; print(os.getuid()); open('/dev/termination-log', 'w').write('told at the end')"


@pytest.fixture
def namespace(node_cluster: NodeCluster) -> Iterator[str]:
    with node_cluster.namespace("node") as name:
        yield name


@pytest.fixture(scope="module")
def python(pushed: Callable[[str, str], str], python_base: str) -> str:
    return pushed(python_base, "python-base")


def test_a_job_runs_to_complete_under_the_restricted_standard(
    node_cluster: NodeCluster, namespace: str, python: str
) -> None:
    logs = node_cluster.run_job(namespace, strict_job("whoami", python, ["python3", "-c", WHOAMI]))
    (pod,) = node_cluster.get("pods", "--namespace", namespace)["items"]
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert logs.split() == [str(NOBODY)]
    assert ended["message"] == "told at the end"


def test_the_image_comes_from_the_registry_by_digest(
    node_cluster: NodeCluster, namespace: str, python: str
) -> None:
    node_cluster.run_job(namespace, strict_job("pulled", python, ["python3", "-c", ""]))
    (pod,) = node_cluster.get("pods", "--namespace", namespace)["items"]
    assert python.startswith(f"{node_cluster.registry}/python-base@sha256:")
    assert pod["status"]["containerStatuses"][0]["imageID"] == python


def test_an_image_that_the_registry_does_not_hold_is_not_run(
    node_cluster: NodeCluster, namespace: str
) -> None:
    absent = f"{node_cluster.registry}/absent@sha256:{'0' * 64}"
    node_cluster.create(namespace, strict_job("absent", absent, ["true"]))

    def is_refused() -> bool:
        waiting = [state.get("waiting", {}) for state in states(node_cluster, namespace)]
        return any(each.get("reason") in ("ErrImagePull", "ImagePullBackOff") for each in waiting)

    eventually(is_refused, "the image cannot be pulled", 120)


def test_a_pod_reaches_the_api_by_its_service_as_its_service_account(
    node_cluster: NodeCluster, namespace: str, python: str
) -> None:
    logs = node_cluster.run_job(namespace, strict_job("api", python, ["python3", "-c", ASK_THE_API]))
    assert logs.strip() == f"system:serviceaccount:{namespace}:default"


def test_names_of_services_resolve(node_cluster: NodeCluster, namespace: str, python: str) -> None:
    logs = node_cluster.run_job(namespace, strict_job("dns", python, ["python3", "-c", RESOLVE]))
    service = node_cluster.get("service", "kubernetes", "--namespace", "default")
    assert logs.strip() == service["spec"]["clusterIP"]


def test_a_pod_reaches_another_pod_by_its_service(
    node_cluster: NodeCluster, namespace: str, python: str
) -> None:
    server = strict_job("server", python, ["python3", "-c", SERVE])
    server["spec"]["template"]["metadata"] = {"labels": {"app": "server"}}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "server", "namespace": namespace},
        "spec": {"selector": {"app": "server"}, "ports": [{"port": 8000}]},
    }
    node_cluster.apply(service)
    node_cluster.create(namespace, server)
    logs = node_cluster.run_job(namespace, strict_job("client", python, ["python3", "-c", FETCH]))
    assert logs.split() == ["200"]


def test_a_pod_reaches_the_s3_server(node_cluster: NodeCluster, namespace: str, python: str) -> None:
    job = strict_job("s3", python, ["python3", "-c", ASK_S3], node_cluster.s3.environment)
    answer = node_cluster.run_job(namespace, job)
    assert "<Error>" in answer  # S3's own words, where credentials are missing


def test_more_memory_than_the_limit_ends_the_pod_as_out_of_memory(
    node_cluster: NodeCluster, namespace: str, python: str
) -> None:
    job = strict_job("greedy", python, ["python3", "-c", "x = bytearray(10**9); print(len(x))"])
    node_cluster.create(namespace, job)
    node_cluster.kubectl(
        "wait", "--namespace", namespace, "--for=condition=Failed", "--timeout=120s", "job/greedy"
    )
    (ended,) = (state["terminated"] for state in states(node_cluster, namespace))
    assert ended["reason"] == "OOMKilled"


def states(cluster: NodeCluster, namespace: str) -> list[dict[str, Any]]:
    """Of the containers of all pods, as far as the kubelet has told of them."""
    pods = cluster.get("pods", "--namespace", namespace)["items"]
    return [each["state"] for pod in pods for each in pod["status"].get("containerStatuses", [])]
