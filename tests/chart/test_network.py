"""Who may talk to whom, and what is scraped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.rendering import (
    INGRESS,
    MONITORED,
    NAMESPACED,
    STORE,
    Helm,
    Object,
    Values,
    named,
    of_kind,
    pod_of,
)

DNS = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]


def test_engine_pods_are_fenced_in_where_runs_are_expected(helm: Helm, default: list[Object]) -> None:
    assert _fenced(default) == {"spark-system", "default"}
    assert _fenced(helm.render(NAMESPACED)) == {"research", "production"}
    assert _fenced(helm.render({"networkPolicies": {"engineNamespaces": ["lab"]}})) == {"lab"}
    assert _fenced(helm.render({"api": {"defaultNamespace": "spark-system"}})) == {"spark-system"}


def test_engine_pods_are_reached_by_nobody_and_reach_names_and_https(default: list[Object]) -> None:
    policy = named(default, "NetworkPolicy", "spark-engine", "default")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["ingress"] == []
    assert policy["egress"] == [{"ports": DNS}, {"ports": [{"port": 443}]}]
    assert policy["podSelector"]["matchLabels"] == {
        "app.kubernetes.io/name": "spark-engine",
        "app.kubernetes.io/instance": "spark",
    }


@pytest.mark.parametrize(
    ("endpoint", "ports"),
    [
        ("", [443]),
        ("https://s3.example.org", [443]),
        ("http://minio.storage:9000", [443, 9000]),
        ("http://minio.storage", [443, 80]),
        ("https://[2001:db8::1]:9443/path", [443, 9443]),
    ],
)
def test_the_port_of_the_store_is_open_to_engine_pods(helm: Helm, endpoint: str, ports: list[int]) -> None:
    values: Values = {"store": {"uri": "s3://evidence", "endpoint": endpoint}}
    egress = named(helm.render(values), "NetworkPolicy", "spark-engine", "default")["spec"]["egress"]
    assert egress[1] == {"ports": [{"port": port} for port in ports]}


def test_further_ways_out_of_engine_pods_can_be_opened(helm: Helm) -> None:
    rule = {"to": [{"ipBlock": {"cidr": "169.254.169.254/32"}}], "ports": [{"port": 80}]}
    objects = helm.render({"networkPolicies": {"engineEgress": [rule]}})
    assert named(objects, "NetworkPolicy", "spark-engine", "default")["spec"]["egress"][-1] == rule


def test_the_api_is_called_by_the_ingress_controller_and_scraped_by_prometheus(default: list[Object]) -> None:
    rules = named(default, "NetworkPolicy", "spark-api")["spec"]["ingress"]
    assert {rule["ports"][0]["port"]: rule["from"] for rule in rules} == {
        "http": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}],
        "metrics": [_prometheus()],
    }


def test_the_operator_is_scraped_by_prometheus_and_by_the_api(default: list[Object]) -> None:
    (rule,) = named(default, "NetworkPolicy", "spark-operator")["spec"]["ingress"]
    api, prometheus = rule["from"]
    assert rule["ports"] == [{"port": "metrics"}]
    assert api["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "spark-api"
    assert prometheus == _prometheus()


def test_without_clients_the_api_is_closed_and_not_open_to_all(helm: Helm) -> None:
    closed = helm.render({"networkPolicies": {"clients": [], "prometheus": []}})
    policy = named(closed, "NetworkPolicy", "spark-api")["spec"]
    assert "Ingress" in policy["policyTypes"]
    assert "ingress" not in policy


def test_operator_and_api_reach_the_api_server_at_both_of_its_ports(default: list[Object]) -> None:
    for name in ("spark-operator", "spark-api"):
        egress = named(default, "NetworkPolicy", name)["spec"]["egress"]
        assert {"ports": [{"port": 443}, {"port": 6443}]} in egress


def test_policies_can_be_switched_off(helm: Helm) -> None:
    assert of_kind(helm.render({"networkPolicies": {"enabled": False}}), "NetworkPolicy") == []


def test_the_ingress_routes_neither_metrics_nor_probes(helm: Helm, default: list[Object]) -> None:
    assert of_kind(default, "Ingress") == []
    ingress = named(helm.render(INGRESS), "Ingress", "spark-api")["spec"]
    (rule,) = ingress["rules"]
    paths = {path["path"]: path["pathType"] for path in rule["http"]["paths"]}
    assert paths == {
        "/api/backtest": "Prefix",
        "/api/public/healthz": "Exact",
        "/openapi.json": "Exact",
        "/__routes": "Exact",
    }
    assert ingress["tls"] == [{"hosts": ["spark.example.org"], "secretName": "spark-tls"}]


def test_nothing_of_the_prometheus_operator_is_there_unless_asked_for(default: list[Object]) -> None:
    assert of_kind(default, "PodMonitor", "ServiceMonitor") == []


def test_prometheus_knows_the_api_as_executor_lite_and_the_operator_as_executor(helm: Helm) -> None:
    objects = helm.render(MONITORED)
    service_monitor = named(objects, "ServiceMonitor", "spark-api")
    pod_monitor = named(objects, "PodMonitor", "spark-operator")
    service, operator = named(objects, "Service", "spark-api"), named(objects, "Deployment", "spark-operator")
    assert service["metadata"]["labels"][service_monitor["spec"]["jobLabel"]] == "executor_lite"
    assert pod_of(operator)["metadata"]["labels"][pod_monitor["spec"]["jobLabel"]] == "executor"
    for monitor, target in (
        (service_monitor, service["metadata"]["labels"]),
        (pod_monitor, pod_of(operator)["metadata"]["labels"]),
    ):
        assert monitor["spec"]["selector"]["matchLabels"].items() <= target.items()
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
    expected = {"port": "metrics", "path": "/metrics", "interval": "15s"}
    assert service_monitor["spec"]["endpoints"] == [expected]
    assert pod_monitor["spec"]["podMetricsEndpoints"] == [expected]


def test_the_service_monitor_selects_no_other_service(helm: Helm) -> None:
    objects = helm.render({**MONITORED, **STORE})
    wanted = named(objects, "ServiceMonitor", "spark-api")["spec"]["selector"]["matchLabels"]
    services = of_kind(objects, "Service")
    selected = [each for each in services if wanted.items() <= each["metadata"]["labels"].items()]
    assert [each["metadata"]["name"] for each in selected] == ["spark-api"]


def _fenced(objects: list[Object]) -> set[str]:
    policies = of_kind(objects, "NetworkPolicy")
    return {each["metadata"]["namespace"] for each in policies if each["metadata"]["name"] == "spark-engine"}


def _prometheus() -> dict[str, Any]:
    return {
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
    }
