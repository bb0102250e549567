"""The comparison of what is granted with what was asked for."""

from __future__ import annotations

import json
from typing import Any

from tests.chart.permissions import Grant, Request, compare, granted, requests

OPERATOR = "system:serviceaccount:spark-system:spark-operator"
LIST_PODS = Grant("", "pods", "list")
PATCH_STATUS = Grant("batch", "jobs/status", "patch")
UPDATE_LEASE = Grant("coordination.k8s.io", "leases", "update", "spark-system", "spark-operator")


def record(verb: str, target: dict[str, str], *, user: str = OPERATOR, decision: str = "allow") -> str:
    return json.dumps(
        {
            "kind": "Event",
            "stage": "ResponseComplete",
            "verb": verb,
            "user": {"username": user},
            "objectRef": target,
            "annotations": {"authorization.k8s.io/decision": decision},
        }
    )


PODS = {"resource": "pods", "namespace": "research", "apiVersion": "v1"}
LEASE = {"apiGroup": "coordination.k8s.io", "resource": "leases", "namespace": "spark-system"}
STATUS = {"apiGroup": "batch", "resource": "jobs", "subresource": "status", "namespace": "a", "name": "j"}


def test_a_log_that_uses_every_grant_leaves_no_difference() -> None:
    lines = [
        record("list", PODS),
        record("patch", STATUS),
        record("update", {**LEASE, "name": "spark-operator"}),
    ]
    difference = compare([LIST_PODS, PATCH_STATUS, UPDATE_LEASE], requests(lines, OPERATOR))
    assert (difference.unused, difference.refused) == (frozenset(), frozenset())


def test_a_grant_that_nobody_used_is_named() -> None:
    difference = compare([LIST_PODS, PATCH_STATUS], requests([record("list", PODS)], OPERATOR))
    assert difference.unused == {PATCH_STATUS}
    assert "granted but unused: patch batch/jobs/status" in str(difference)


def test_a_request_that_was_denied_is_named_even_where_a_role_would_grant_it() -> None:
    lines = [record("list", PODS, decision="forbid")]
    (refused,) = compare([LIST_PODS], requests(lines, OPERATOR)).refused
    assert (refused.verb, refused.resource) == ("list", "pods")


def test_a_request_that_worked_without_a_grant_is_named() -> None:
    (refused,) = compare([], requests([record("get", PODS)], OPERATOR)).refused
    assert refused == Request("", "pods", "get", "research", "", allowed=True)


def test_a_subresource_is_not_covered_by_a_grant_on_its_resource() -> None:
    difference = compare([Grant("batch", "jobs", "patch")], requests([record("patch", STATUS)], OPERATOR))
    assert len(difference.refused) == len(difference.unused) == 1


def test_a_grant_on_one_name_or_one_namespace_covers_no_other() -> None:
    lines = [record("update", {**LEASE, "name": "another"}), record("list", {**PODS, "namespace": "b"})]
    difference = compare([UPDATE_LEASE, Grant("", "pods", "list", "a")], requests(lines, OPERATOR))
    assert len(difference.refused) == len(difference.unused) == 2


def test_others_and_paths_without_a_resource_are_not_looked_at() -> None:
    discovery = json.loads(record("get", {}))
    del discovery["objectRef"]
    lines = [record("delete", PODS, user="admin"), json.dumps(discovery), ""]
    assert requests(lines, OPERATOR) == frozenset()


def role(kind: str, name: str, rules: list[dict[str, Any]], namespace: str = "") -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"kind": kind, "metadata": {"name": name, **place}, "rules": rules}


def binding(kind: str, reference: tuple[str, str], namespace: str = "") -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {
        "kind": kind,
        "metadata": {"name": "b", **place},
        "roleRef": {"kind": reference[0], "name": reference[1]},
        "subjects": [{"kind": "ServiceAccount", "name": "spark-operator", "namespace": "spark-system"}],
    }


def test_grants_follow_the_binding_so_that_a_cluster_role_bound_in_a_namespace_holds_there_only() -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    objects = [role("ClusterRole", "r", rules), binding("RoleBinding", ("ClusterRole", "r"), "research")]
    assert granted(objects, "spark-system", "spark-operator") == {Grant("", "pods", "list", "research")}


def test_a_role_that_is_bound_to_somebody_else_grants_nothing() -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    objects = [role("ClusterRole", "r", rules), binding("ClusterRoleBinding", ("ClusterRole", "r"))]
    assert granted(objects, "spark-system", "spark-api") == frozenset()
