"""The chart, rendered by the real helm, and what to look for in the result."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.places import CHECKOUT

CHART = CHECKOUT / "charts" / "spark-trading"
RELEASE, NAMESPACE = "spark", "spark-system"
SECONDS_FOR_HELM = 120

Object = dict[str, Any]
Values = Mapping[str, Any]

NAMESPACED: Values = {"watch": {"namespaces": ["research", "production"]}}
STORE: Values = {
    "store": {
        "uri": "s3://evidence/spark",
        "endpoint": "http://minio.storage:9000",
        "region": "eu-central-1",
        "credentialsSecret": "store-credentials",
    }
}
ADMIN_TOKEN: Values = {"api": {"adminToken": {"existingSecret": "break-glass"}}}
MONITORED: Values = {"monitoring": {"enabled": True, "labels": {"release": "prometheus"}}}
INGRESS: Values = {
    "api": {"ingress": {"enabled": True, "host": "spark.example.org", "tlsSecret": "spark-tls"}}
}
BARE: Values = {
    "crds": {"enabled": False},
    "admissionPolicies": {"enabled": False},
    "networkPolicies": {"enabled": False},
    "operator": {"podDisruptionBudget": False},
    "api": {"podDisruptionBudget": False},
}
PROFILES: Mapping[str, Values] = {
    "default": {},
    "namespaced": NAMESPACED,
    "store": STORE,
    "admin token": ADMIN_TOKEN,
    "admin token, namespaced": {**NAMESPACED, **ADMIN_TOKEN},
    "monitored": MONITORED,
    "ingress": INGRESS,
    "bare": BARE,
}


@dataclass(frozen=True)
class Helm:
    """helm, on the chart of this checkout."""

    program: Path

    def run(self, *arguments: str | Path, values: Values | None = None) -> subprocess.CompletedProcess[str]:
        given = ["--values", "-"] if values is not None else []
        return subprocess.run(
            [self.program, *arguments, *given],
            input=json.dumps(values or {}),
            capture_output=True,
            text=True,
            timeout=SECONDS_FOR_HELM,
        )

    def text(self, values: Values, *options: str, namespace: str = NAMESPACE) -> str:
        """The manifests; AssertionError with helm's words where it refuses."""
        done = self.run("template", RELEASE, CHART, "--namespace", namespace, *options, values=values)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def render(self, values: Values | None = None, *options: str, namespace: str = NAMESPACE) -> list[Object]:
        rendered = yaml.safe_load_all(self.text(values or {}, *options, namespace=namespace))
        return [document for document in rendered if document]

    def refusal(self, values: Values) -> str:
        """What helm says to values that it must not accept."""
        done = self.run("template", RELEASE, CHART, "--namespace", NAMESPACE, values=values)
        assert done.returncode != 0, "helm accepted these values"
        return done.stderr


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    return [each for each in objects if each["kind"] in kinds]


def named(objects: Iterable[Object], kind: str, name: str, namespace: str = "") -> Object:
    """The one object of that kind and name."""
    (found,) = (
        each
        for each in of_kind(objects, kind)
        if each["metadata"]["name"] == name and namespace in ("", each["metadata"].get("namespace"))
    )
    return found


def deployments(objects: Iterable[Object]) -> list[Object]:
    return of_kind(objects, "Deployment")


def pod_of(deployment: Object) -> Object:
    pod: Object = deployment["spec"]["template"]
    return pod


def container_of(deployment: Object) -> Object:
    (container,) = pod_of(deployment)["spec"]["containers"]
    found: Object = container
    return found
