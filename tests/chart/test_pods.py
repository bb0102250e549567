"""How the pods of operator and API run, are probed, updated and spread."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.rendering import (
    ADMIN_TOKEN,
    STORE,
    Helm,
    Object,
    container_of,
    deployments,
    named,
    of_kind,
    pod_of,
)

RESTRICTED_VOLUMES = {"configMap", "secret", "emptyDir", "projected", "downwardAPI", "persistentVolumeClaim"}
STABLE = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}


def test_every_pod_meets_the_restricted_pod_security_standard(objects: list[Object]) -> None:
    assert {each["metadata"]["name"] for each in deployments(objects)} == {"spark-operator", "spark-api"}
    for deployment in deployments(objects):
        spec = pod_of(deployment)["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert {"hostNetwork", "hostPID", "hostIPC", "initContainers"}.isdisjoint(spec)
        assert all(set(volume) - {"name"} <= RESTRICTED_VOLUMES for volume in spec["volumes"])
        assert container_of(deployment)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "hostPort" not in str(container_of(deployment)["ports"])


def test_pods_run_as_the_user_of_the_image(objects: list[Object]) -> None:
    for deployment in deployments(objects):
        context = pod_of(deployment)["spec"]["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (65532, 65532, 65532)


def test_a_token_is_mounted_where_the_pod_asks_for_it_and_nowhere_else(objects: list[Object]) -> None:
    for account in of_kind(objects, "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
    accounts = {each["metadata"]["name"] for each in of_kind(objects, "ServiceAccount")}
    asking = {
        pod_of(each)["spec"]["serviceAccountName"]
        for each in deployments(objects)
        if pod_of(each)["spec"]["automountServiceAccountToken"] is True
    }
    assert asking == accounts


def test_every_volume_that_can_grow_has_a_limit(objects: list[Object]) -> None:
    for deployment in deployments(objects):
        for volume in pod_of(deployment)["spec"]["volumes"]:
            assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"]


def test_memory_is_limited_as_asked(default: list[Object]) -> None:
    limits = {
        each["metadata"]["name"]: container_of(each)["resources"]["limits"]["memory"]
        for each in deployments(default)
    }
    assert limits == {"spark-operator": "300Mi", "spark-api": "600Mi"}


def test_an_update_takes_down_no_pod_before_its_successor_is_ready(default: list[Object]) -> None:
    for deployment in deployments(default):
        assert deployment["spec"]["replicas"] == 2
        assert deployment["spec"]["minReadySeconds"] == 5
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


@pytest.mark.parametrize(("name", "port"), [("spark-operator", "metrics"), ("spark-api", "http")])
def test_start_readiness_and_life_are_probed_at_a_port_that_the_container_has(
    default: list[Object], name: str, port: str
) -> None:
    container = container_of(named(default, "Deployment", name))
    probes = {
        kind: container[kind]["httpGet"] for kind in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert probes == {
        "startupProbe": {"path": "/healthz", "port": port},
        "readinessProbe": {"path": "/readyz", "port": port},
        "livenessProbe": {"path": "/healthz", "port": port},
    }
    assert port in {each["name"] for each in container["ports"]}


def test_the_api_listens_on_4010_and_its_service_on_80(default: list[Object]) -> None:
    ports = {each["name"]: each["containerPort"] for each in _api(default)["ports"]}
    assert ports == {"http": 4010, "metrics": 8080}
    service = named(default, "Service", "spark-api")["spec"]
    assert {(each["port"], each["targetPort"]) for each in service["ports"]} == {
        (80, "http"),
        (8080, "metrics"),
    }


def test_the_api_finds_every_replica_of_the_operator_behind_one_name(default: list[Object]) -> None:
    service = named(default, "Service", "spark-operator")["spec"]
    assert service["clusterIP"] == "None"
    assert "--operator-metrics-url=http://spark-operator:8080/metrics" in _api(default)["args"]


def test_services_budgets_and_deployments_select_the_same_pods_and_nobody_elses(
    objects: list[Object],
) -> None:
    for deployment in deployments(objects):
        name, labels = deployment["metadata"]["name"], pod_of(deployment)["metadata"]["labels"]
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert selector.items() <= labels.items()
        assert named(objects, "Service", name)["spec"]["selector"] == selector
        for budget in of_kind(objects, "PodDisruptionBudget"):
            same = budget["metadata"]["name"] == name
            assert (budget["spec"]["selector"]["matchLabels"] == selector) == same


def test_selectors_hold_only_what_never_changes(objects: list[Object]) -> None:
    for deployment in deployments(objects):
        assert set(deployment["spec"]["selector"]["matchLabels"]) == STABLE


def test_a_drain_takes_one_pod_at_a_time(default: list[Object]) -> None:
    budgets = of_kind(default, "PodDisruptionBudget")
    assert {each["metadata"]["name"]: each["spec"]["maxUnavailable"] for each in budgets} == {
        "spark-operator": 1,
        "spark-api": 1,
    }


def test_replicas_are_spread_over_nodes_where_there_are_several(default: list[Object]) -> None:
    for deployment in deployments(default):
        (spread,) = pod_of(deployment)["spec"]["topologySpreadConstraints"]
        assert spread["topologyKey"] == "kubernetes.io/hostname"
        assert spread["whenUnsatisfiable"] == "ScheduleAnyway"


def test_break_glass_is_off_unless_a_secret_is_named(helm: Helm, default: list[Object]) -> None:
    assert "admin-token" not in str(deployments(default))
    api = named(helm.render(ADMIN_TOKEN), "Deployment", "spark-api")
    (volume,) = (each for each in pod_of(api)["spec"]["volumes"] if each["name"] == "admin-token")
    assert volume["secret"]["secretName"] == "break-glass"
    assert volume["secret"]["items"] == [{"key": "token", "path": "token"}]
    (mount,) = (each for each in container_of(api)["volumeMounts"] if each["name"] == "admin-token")
    assert f"--admin-token-file={mount['mountPath']}/token" in container_of(api)["args"]
    assert "subPath" not in mount  # or a rotated token would never arrive


def test_the_operator_never_sees_the_break_glass_token_nor_the_keys_of_the_store(helm: Helm) -> None:
    operator = named(helm.render({**ADMIN_TOKEN, **STORE}), "Deployment", "spark-operator")
    assert "secret" not in str(pod_of(operator)).lower()


def test_the_api_gets_the_keys_of_the_store_to_stream_artifacts(helm: Helm) -> None:
    container = _api(helm.render(STORE))
    assert container["envFrom"] == [{"secretRef": {"name": "store-credentials"}}]


def test_pods_can_be_placed_and_labelled_by_values(helm: Helm) -> None:
    placed: dict[str, Any] = {
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "system", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "platform",
        "podLabels": {"team": "quant"},
        "podAnnotations": {"note": "here"},
        "replicas": 3,
        "serviceAccount": {"name": "another", "annotations": {"cloud": "identity"}},
    }
    for section, name in (("operator", "spark-operator"), ("api", "spark-api")):
        objects = helm.render({section: placed, "imagePullSecrets": ["registry"]})
        deployment = named(objects, "Deployment", name)
        pod = pod_of(deployment)
        for field in ("nodeSelector", "tolerations", "affinity", "priorityClassName"):
            assert pod["spec"][field] == placed[field]
        assert pod["metadata"]["labels"]["team"] == "quant"
        assert pod["metadata"]["annotations"]["note"] == "here"
        assert deployment["spec"]["replicas"] == 3
        assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]
        assert pod["spec"]["serviceAccountName"] == "another"
        account = named(objects, "ServiceAccount", "another")
        assert account["metadata"]["annotations"] == {"cloud": "identity"}


def _api(objects: list[Object]) -> Object:
    return container_of(named(objects, "Deployment", "spark-api"))
