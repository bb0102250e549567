"""RBAC and admission: exact verbs, nothing for strangers, status for the operator alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chart.permissions import Grant, granted
from tests.chart.rendering import NAMESPACE, Helm, Object, Values, named, of_kind

RUNS, JOBS = ("spark.trading", "backtestruns"), ("batch", "jobs")
RIGHTS_OF_THE_OPERATOR = {
    *(Grant(*RUNS, verb) for verb in ("get", "list", "watch")),
    Grant("spark.trading", "backtestruns/status", "update"),
    Grant("spark.trading", "backtestruns/finalizers", "update"),
    *(Grant(*JOBS, verb) for verb in ("get", "list", "watch", "create", "patch", "delete")),
    Grant("batch", "jobs/status", "patch"),
    Grant("", "pods", "list"),
    *(Grant("events.k8s.io", "events", verb) for verb in ("create", "list")),
    Grant("coordination.k8s.io", "leases", "create", NAMESPACE),
    *(
        Grant("coordination.k8s.io", "leases", verb, NAMESPACE, "spark-operator")
        for verb in ("get", "update")
    ),
}
READS = {Grant(*RUNS, verb) for verb in ("get", "list", "watch")}
REVIEWS = {
    Grant("authentication.k8s.io", "tokenreviews", "create"),
    Grant("authorization.k8s.io", "subjectaccessreviews", "create"),
}
BREAK_GLASS = {Grant(*RUNS, verb) for verb in ("create", "patch")}


def test_no_role_has_a_wildcard_or_touches_secrets_or_other_roles(objects: list[Object]) -> None:
    for role in of_kind(objects, "Role", "ClusterRole"):
        for rule in role["rules"]:
            words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"], *rule.get("resourceNames", ())]
            assert "*" not in "".join(words), role["metadata"]["name"]
            assert {"escalate", "bind", "impersonate"}.isdisjoint(rule["verbs"])
            assert {"secrets", "serviceaccounts", "serviceaccounts/token"}.isdisjoint(rule["resources"])
            assert "rbac.authorization.k8s.io" not in rule["apiGroups"]


def test_the_operator_may_do_this_and_no_more(default: list[Object]) -> None:
    assert granted(default, NAMESPACE, "spark-operator") == RIGHTS_OF_THE_OPERATOR


def test_the_api_may_read_runs_and_ask_who_somebody_is_and_write_nothing(default: list[Object]) -> None:
    assert granted(default, NAMESPACE, "spark-api") == READS | REVIEWS


def test_break_glass_adds_start_and_cancel_in_a_role_of_its_own(
    profile: Callable[[str], list[Object]],
) -> None:
    objects = profile("admin token")
    assert granted(objects, NAMESPACE, "spark-api") == READS | REVIEWS | BREAK_GLASS
    assert len(named(objects, "ClusterRole", "spark-api-break-glass")["rules"]) == 1


def test_named_namespaces_get_roles_and_no_right_reaches_beyond_them(
    profile: Callable[[str], list[Object]],
) -> None:
    objects = profile("admin token, namespaced")
    operator = granted(objects, NAMESPACE, "spark-operator")
    assert {grant.namespace for grant in operator} == {"research", "production", NAMESPACE}
    assert {grant.resource for grant in operator if grant.namespace == NAMESPACE} == {"leases"}
    api = granted(objects, NAMESPACE, "spark-api")
    # Reviews are of no namespace
    assert {grant for grant in api if not grant.namespace} == REVIEWS
    for namespace in ("research", "production"):
        here = {Grant(g.group, g.resource, g.verb) for g in operator if g.namespace == namespace}
        assert here == {grant for grant in RIGHTS_OF_THE_OPERATOR if grant.resource != "leases"}


def test_the_release_namespace_may_be_watched_too(helm: Helm) -> None:
    objects = helm.render({"watch": {"namespaces": [NAMESPACE]}})
    resources = {grant.resource for grant in granted(objects, NAMESPACE, "spark-operator")}
    assert {"leases", "jobs", "backtestruns"} <= resources


def test_rights_follow_a_service_account_that_is_renamed(helm: Helm) -> None:
    values: Values = {"operator": {"serviceAccount": {"name": "controller"}}}
    objects = helm.render(values)
    assert granted(objects, NAMESPACE, "controller") == RIGHTS_OF_THE_OPERATOR
    assert granted(objects, NAMESPACE, "spark-operator") == frozenset()
    (validation,) = named(objects, "ValidatingAdmissionPolicy", "spark-status-writers")["spec"]["validations"]
    assert "'system:serviceaccount:spark-system:controller'" in validation["expression"]


@pytest.mark.parametrize(
    ("role", "verbs", "into"),
    [
        ("view", {"get", "list", "watch"}, {"view", "edit", "admin"}),
        ("edit", {"get", "list", "watch", "create", "update", "patch", "delete"}, {"edit", "admin"}),
        (
            "admin",
            {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"},
            {"admin"},
        ),
    ],
)
def test_people_get_our_kinds_with_the_built_in_roles(
    default: list[Object], role: str, verbs: set[str], into: set[str]
) -> None:
    found = named(default, "ClusterRole", f"spark-trading-{role}")
    (rule,) = found["rules"]
    assert set(rule["verbs"]) == verbs
    assert rule["resources"] == ["backtestruns"]  # status is nobody's but the operator's
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    labels = found["metadata"]["labels"]
    assert {name.removeprefix(prefix) for name in labels if name.startswith(prefix)} == into


def test_people_can_be_left_to_other_roles(helm: Helm) -> None:
    objects = helm.render({"rbac": {"aggregate": False}})
    assert "aggregate-to" not in str(of_kind(objects, "ClusterRole"))


def test_status_of_every_kind_of_ours_is_refused_to_all_but_the_operator(default: list[Object]) -> None:
    policy = named(default, "ValidatingAdmissionPolicy", "spark-status-writers")["spec"]
    (rule,) = policy["matchConstraints"]["resourceRules"]
    assert rule == {
        "apiGroups": ["spark.trading"],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["*/status"],
    }
    assert policy["failurePolicy"] == "Fail"
    (validation,) = policy["validations"]
    assert validation == {
        "expression": "request.userInfo.username == 'system:serviceaccount:spark-system:spark-operator'",
        "message": "status is written by the operator only",
        "reason": "Forbidden",
    }
    binding = named(default, "ValidatingAdmissionPolicyBinding", "spark-status-writers")["spec"]
    assert binding == {"policyName": "spark-status-writers", "validationActions": ["Deny", "Audit"]}
