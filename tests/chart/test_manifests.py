"""The rendered objects as Kubernetes knows them, in every profile and at every supported version."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.chart.rendering import CHART, PROFILES, Helm, Object, named, of_kind
from tests.chart.schemas import schema_location
from tests.cluster.programs import supported_versions
from tests.places import CHECKOUT

if TYPE_CHECKING:
    from tests.chart.rendering import Values

# Objects of the Prometheus Operator: Kubernetes has no schema of them; test_network.py looks at them.
FOREIGN = ("PodMonitor", "ServiceMonitor")


def conform(kubeconform: Path, version: str, manifests: str) -> dict[str, object]:
    options = [
        "-strict",
        "-summary",
        "-output",
        "json",
        "-kubernetes-version",
        version,
        "-skip",
        ",".join(FOREIGN),
    ]
    command: list[str | Path] = [kubeconform, *options, "-schema-location", schema_location(version), "-"]
    done = subprocess.run(command, input=manifests, capture_output=True, text=True, timeout=120)
    report: dict[str, object] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("name", PROFILES)
def test_helm_lint_finds_nothing_in_any_profile(helm: Helm, name: str) -> None:
    done = helm.run("lint", "--strict", CHART, values=PROFILES[name])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("version", supported_versions())
def test_every_object_of_every_profile_follows_the_schema_of_kubernetes(
    kubeconform: Path, profile: Callable[[str], list[Object]], version: str
) -> None:
    # What two profiles render alike is looked at once
    texts = {yaml.safe_dump(each): each for name in PROFILES for each in profile(name)}
    every = list(texts.values())
    report = conform(kubeconform, version, "---\n".join(texts))
    foreign = len(of_kind(every, *FOREIGN))
    assert report["resources"] == []
    assert report["summary"] == {"valid": len(every) - foreign, "invalid": 0, "errors": 0, "skipped": foreign}


def test_the_schemas_refuse_a_field_that_kubernetes_does_not_have(helm: Helm, kubeconform: Path) -> None:
    misspelt = helm.text({}).replace("minReadySeconds:", "minReadySecond:", 1)
    report = conform(kubeconform, supported_versions()[0], misspelt)
    assert "minReadySecond" in json.dumps(report["resources"])


def test_rendering_twice_gives_the_same_bytes(helm: Helm) -> None:
    values: Values = {**PROFILES["store"], **PROFILES["monitored"]}
    assert helm.text(values) == helm.text(values)


def test_no_two_objects_are_one(objects: list[Object]) -> None:
    identities = Counter(
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in objects
    )
    assert identities.most_common(1)[0][1] == 1


def test_every_object_is_labelled_as_part_of_the_release(objects: list[Object]) -> None:
    for each in objects:
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "spark", each["metadata"]["name"]
        assert labels["app.kubernetes.io/part-of"] == "spark-trading"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert {"app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/version"} <= {
            *labels
        }


def test_namespaced_objects_say_where_they_live(objects: list[Object]) -> None:
    everywhere = {
        "CustomResourceDefinition",
        "ClusterRole",
        "ClusterRoleBinding",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }
    for each in objects:
        assert ("namespace" in each["metadata"]) == (each["kind"] not in everywhere), each["metadata"]["name"]


def test_the_chart_brings_no_secret_and_no_object_of_our_kinds(objects: list[Object]) -> None:
    assert of_kind(objects, "Secret") == []
    assert [each for each in objects if each["apiVersion"].startswith("spark.trading/")] == []


def test_the_crds_are_the_generated_ones_and_outlive_the_release(default: list[Object]) -> None:
    generated = [
        yaml.safe_load(file.read_text()) for file in (CHECKOUT / "crds" / "manifests").glob("*.yaml")
    ]
    assert len(of_kind(default, "CustomResourceDefinition")) == len(generated) > 0
    for crd in generated:
        rendered = named(default, "CustomResourceDefinition", crd["metadata"]["name"])
        assert rendered["spec"] == crd["spec"]
        annotations = rendered["metadata"]["annotations"]
        assert annotations["argocd.argoproj.io/sync-options"] == "ServerSideApply=true"
        assert annotations["helm.sh/resource-policy"] == "keep"


def test_crds_can_be_left_out_let_go_and_annotated(helm: Helm) -> None:
    assert of_kind(helm.render({"crds": {"enabled": False}}), "CustomResourceDefinition") == []
    values = {"crds": {"keep": False, "annotations": {"team": "quant"}}}
    crds = of_kind(helm.render(values), "CustomResourceDefinition")
    assert crds
    for crd in crds:
        assert "helm.sh/resource-policy" not in crd["metadata"]["annotations"]
        assert crd["metadata"]["annotations"]["team"] == "quant"


def test_helm_refuses_a_cluster_below_the_floor(helm: Helm) -> None:
    done = helm.run("template", "spark", CHART, "--kube-version", "1.32.9")
    assert done.returncode != 0
    assert ">=1.33.0" in done.stderr
