"""The file that operator and API read is the one that the chart writes."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import BaseModel
from spark_operator.configuration.model import Configuration

from tests.chart.rendering import (
    Helm,
    Object,
    Values,
    container_of,
    deployments,
    named,
    pod_of,
)

CHANGED: dict[str, Any] = {
    "watch": {"namespaces": ["research", "production"]},
    "store": {
        "uri": "s3://evidence/spark",
        "endpoint": "http://minio.storage:9000",
        "region": "eu-central-1",
        "credentialsSecret": "store-credentials",
    },
    "engine": {
        "imagePullPolicy": "Always",
        "imagePullSecrets": ["registry"],
        "serviceAccount": "engine",
        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "4Gi"}},
        "nodeSelector": {"pool": "batch"},
        "tolerations": [{"key": "batch", "operator": "Exists", "value": "", "effect": "NoSchedule"}],
        "allowedImages": ["registry.example.org/*"],
        "allowedNodeSelectorKeys": ["pool"],
        "allowedTolerationKeys": ["batch"],
        "allowedPriorityClasses": ["batch"],
        "allowedQueues": ["quant"],
    },
    "guardrails": {"required": True},
    "limits": {"maxActiveRuns": 1234567 // 100, "startDeadlineSeconds": 30},
    "controller": {
        "concurrency": 4,
        "resyncSeconds": 86400,
        "writeTimeoutSeconds": 2.5,
        "leaseSeconds": 30,
        "renewDeadlineSeconds": 20,
        "retrySeconds": 0.5,
    },
    "api": {
        "mode": "readOnly",
        "defaultNamespace": "research",
        "anonymousRead": True,
        "runDefaults": {"market": {"symbol": "ETHUSDT"}, "seed": 9007199254740991},
    },
}


def configuration(objects: list[Object]) -> dict[str, Any]:
    text = named(objects, "ConfigMap", "spark-configuration")["data"]["config.yaml"]
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def test_the_operator_reads_the_configuration_of_every_profile(objects: list[Object]) -> None:
    loaded = Configuration.model_validate(configuration(objects))
    assert loaded.instance == "spark"


def test_the_defaults_of_the_chart_are_those_of_the_operator(default: list[Object]) -> None:
    expected = Configuration.model_validate({"instance": "spark", "engine": {"image": "spark-engine:0.1.0"}})
    assert Configuration.model_validate(configuration(default)) == expected


def test_every_setting_that_is_changed_arrives(helm: Helm) -> None:
    found = Configuration.model_validate(configuration(helm.render(CHANGED)))
    wanted = {**CHANGED, "engine": {**CHANGED["engine"], "image": "spark-engine:0.1.0"}}
    assert found == Configuration.model_validate(wanted)


def test_a_store_on_a_volume_is_mounted_in_the_api_for_reading(helm: Helm) -> None:
    store = {"uri": "file:///artifacts", "claim": "evidence"}
    objects = helm.render({"store": store, "watch": {"namespaces": ["spark-system"]}})
    assert Configuration.model_validate(configuration(objects)).store.claim == "evidence"
    (api,) = (each for each in deployments(objects) if each["metadata"]["name"] == "spark-api")
    volume = {"name": "store", "persistentVolumeClaim": {"claimName": "evidence", "readOnly": True}}
    assert volume in pod_of(api)["spec"]["volumes"]
    mount = {"name": "store", "mountPath": "/artifacts", "readOnly": True}
    assert mount in pod_of(api)["spec"]["containers"][0]["volumeMounts"]


def test_no_setting_of_the_operator_is_left_out_of_that_test() -> None:
    def names(model: type[BaseModel], prefix: str = "") -> set[str]:
        found: set[str] = set()
        for name, field in model.model_fields.items():
            inner, path = field.annotation, f"{prefix}{field.alias or name}"
            nested = isinstance(inner, type) and issubclass(inner, BaseModel)
            found |= names(inner, f"{path}.") if nested else {path}  # type: ignore[arg-type]
        return found

    changed = {f"{section}.{name}" for section, values in CHANGED.items() for name in values}
    elsewhere = {"instance", "engine.image", "store.claim"}
    assert names(Configuration) == changed | elsewhere


def test_a_change_that_is_read_at_run_time_restarts_no_pod(helm: Helm, default: list[Object]) -> None:
    values: Values = {"api": {"mode": "readOnly"}, "limits": {"maxActiveRuns": 7}}
    assert [pod_of(each) for each in deployments(helm.render(values))] == [
        pod_of(each) for each in deployments(default)
    ]


def test_a_change_that_is_read_at_start_restarts_the_pods(helm: Helm, default: list[Object]) -> None:
    before = [pod_of(each)["metadata"]["annotations"] for each in deployments(default)]
    changes: list[Values] = [{"controller": {"concurrency": 2}}, {"watch": {"namespaces": ["a"]}}]
    for values in changes:
        after = [pod_of(each)["metadata"]["annotations"] for each in deployments(helm.render(values))]
        assert all(old != new for old, new in zip(before, after, strict=True))


def test_both_pods_see_changes_of_the_file_since_it_is_no_sub_path(default: list[Object]) -> None:
    for deployment in deployments(default):
        (mount,) = (m for m in container_of(deployment)["volumeMounts"] if m["name"] == "configuration")
        assert mount == {"name": "configuration", "mountPath": "/etc/spark", "readOnly": True}
