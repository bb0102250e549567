"""The rights of operator and API: each was asked for, and nothing else. What is granted: tests/chart."""

from __future__ import annotations

import json

import pytest

from tests.chart.permissions import Grant, compare, granted, requests
from tests.chart.rendering import Helm
from tests.cluster import programs
from tests.cluster.client import eventually
from tests.node.conftest import API, HALTED, OPERATOR, Platform, Tenant
from tests.node.http import call, forwarded

pytestmark = pytest.mark.node

NEVER_ASKED = {
    # asked for by the API server's own plug-in where owner references are guarded, as on OpenShift
    Grant("spark.trading", "backtestruns/finalizers", "update"),
}
ANYBODY = {("", "selfsubjectreviews"), ("", "selfsubjectaccessreviews"), ("", "selfsubjectrulesreviews")}


def test_the_operator_uses_every_right_and_asks_for_no_other(platform: Platform, tenant: Tenant) -> None:
    a_life_with_everything(tenant)
    difference = compare(grants(platform, "spark-operator"), audited(platform, OPERATOR))
    assert (difference.unused, set(difference.refused)) == (NEVER_ASKED, set()), str(difference)


def test_the_api_uses_every_right_and_asks_for_no_other(platform: Platform, tenant: Tenant) -> None:
    tenant.kubectl("create", "serviceaccount", "quant")
    token = tenant.kubectl("create", "token", "quant").strip()
    with forwarded(platform) as url:
        call(f"{url}/api/backtest?namespace={tenant.namespace}", token, expect=403)
    needed = grants(platform, "spark-api") - {Grant("spark.trading", "backtestruns", "get")}
    difference = compare(needed, audited(platform, API))
    assert (difference.unused, set(difference.refused)) == (set(), set()), str(difference)


def a_life_with_everything(tenant: Tenant) -> None:
    """Runs of which one is suspended, resumed and cancelled, one ends, and one never starts, so that Events
    are read: every request of the operator, whatever other tests have made it do."""
    tenant.apply_unpullable("hangs")
    tenant.apply("ends")
    tenant.wait("ends")
    tenant.apply("eventful", engine=HALTED)
    tenant.until("eventful", "Running")
    tenant.edit("eventful", suspend=True)
    tenant.wait("eventful", "Suspended")
    tenant.edit("eventful", suspend=False)
    tenant.until("eventful", "Running")
    tenant.edit("eventful", cancel=True)
    tenant.wait("eventful", "Failed")
    eventually(
        lambda: not [p for p in tenant.items("pods") if "eventful" in p["metadata"]["name"]], "gone", 60
    )
    tenant.wait("hangs", "Failed")


def grants(platform: Platform, account: str) -> frozenset[Grant]:
    rendered = Helm(programs.HELM.build()).render(platform.values, namespace=platform.namespace)
    return granted(rendered, platform.namespace, account)


def audited(platform: Platform, user: str) -> frozenset[object]:
    since = [r for r in platform.cluster.audited() if r["requestReceivedTimestamp"] >= platform.installed]
    return requests(map(json.dumps, since), user)
