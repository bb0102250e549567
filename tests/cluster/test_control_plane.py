"""What a control plane without a node does, and as whom one can ask it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.client import eventually
from tests.cluster.pods import strict_job

if TYPE_CHECKING:
    from tests.cluster.client import Cluster

pytestmark = pytest.mark.control_plane


@pytest.fixture
def namespace(control_plane: Cluster) -> Iterator[str]:
    with control_plane.namespace("plane") as name:
        yield name


def create_job(cluster: Cluster, namespace: str) -> None:
    job = strict_job("job", "no-image", ["true"])
    cluster.apply({**job, "metadata": {"name": "job", "namespace": namespace}})


def test_the_job_controller_makes_a_pod_and_garbage_collection_takes_it_away(
    control_plane: Cluster, namespace: str
) -> None:
    create_job(control_plane, namespace)
    selected = ("pods", "--namespace", namespace, "--selector", "batch.kubernetes.io/job-name=job")
    control_plane.kubectl("wait", "--for=create", *selected, "--timeout=30s")
    control_plane.kubectl("delete", "job", "job", "--namespace", namespace, "--cascade=foreground")
    assert control_plane.get(*selected)["items"] == []


def test_a_pod_with_more_rights_than_restricted_is_refused(control_plane: Cluster, namespace: str) -> None:
    done = control_plane.try_kubectl("run", "root", "--image=x", "--namespace", namespace)
    assert done.returncode != 0
    assert 'violates PodSecurity "restricted' in done.stderr


def test_a_user_may_what_a_role_binding_says_and_no_more(control_plane: Cluster, namespace: str) -> None:
    user = control_plane.as_user("jane", ["quants"])
    reading = ("get", "jobs", "--namespace", namespace)
    assert user.kubectl("auth", "whoami", "--output=jsonpath={.status.userInfo.username}") == "jane"
    assert "forbidden" in user.try_kubectl(*reading).stderr
    binding = ("create", "rolebinding", "quants", "--clusterrole=view", "--group=quants")
    control_plane.kubectl(*binding, "--namespace", namespace)
    eventually(lambda: user.try_kubectl(*reading).returncode == 0, "the binding holds")
    writing = ("create", "job", "mine", "--image=x", "--namespace", namespace)
    assert "forbidden" in user.try_kubectl(*writing).stderr


def test_a_service_account_asks_with_its_token(control_plane: Cluster, namespace: str) -> None:
    account = control_plane.as_service_account(namespace, "default")
    asked = account.kubectl("auth", "whoami", "--output=jsonpath={.status.userInfo.username}")
    assert asked == f"system:serviceaccount:{namespace}:default"


def test_the_audit_log_tells_who_wrote_and_leaves_reads_out(control_plane: Cluster, namespace: str) -> None:
    if control_plane.audit_log is None:
        pytest.skip("an existing cluster's audit log is not at hand")
    create_job(control_plane, namespace)
    control_plane.get("jobs", "--namespace", namespace)
    records = [record for record in control_plane.audited() if about_jobs(record, namespace)]
    wrote = {(record["user"]["username"], record["verb"]) for record in records}
    assert ("admin", "patch") in wrote  # a server-side apply
    assert {verb for _, verb in wrote}.isdisjoint({"get", "list", "watch"})
    assert all("requestObject" not in record for record in records)


def about_jobs(record: dict[str, Any], namespace: str) -> bool:
    """Requests that are not about resources, such as discovery, have no object."""
    target = record.get("objectRef", {})
    return (target.get("resource"), target.get("namespace")) == ("jobs", namespace)
