"""What can be set, and what is refused with which words."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import yaml

from charts import generate
from tests.chart.rendering import CHART, Helm, named, of_kind
from tests.places import CHECKOUT

REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"oprator": {"replicas": 2}}, "", "'oprator'"),
    ({"operator": {"replica": 2}}, "/operator", "'replica'"),
    ({"operator": {"replicas": "two"}}, "/operator/replicas", "want integer"),
    ({"operator": {"replicas": -1}}, "/operator/replicas", "minimum"),
    ({"api": {"mode": "readonly"}}, "/api/mode", "'readWrite', 'readOnly'"),
    ({"api": {"port": 4010}}, "/api", "'port'"),
    ({"image": {"digest": "sha256:abc"}}, "/image/digest", "does not match pattern"),
    ({"image": {"repository": "spark-operator:latest"}}, "/image/repository", "does not match pattern"),
    ({"image": {"pullPolicy": "always"}}, "/image/pullPolicy", "'Always', 'IfNotPresent', 'Never'"),
    ({"store": {"uri": "http://minio/bucket"}}, "/store/uri", "does not match pattern"),
    ({"store": {"secretKey": "hush"}}, "/store", "'secretKey'"),
    ({"limits": {"maxActiveRuns": 0}}, "/limits/maxActiveRuns", "minimum"),
    ({"controller": {"leaseSeconds": 0}}, "/controller/leaseSeconds", "exclusiveMinimum"),
    ({"watch": {"namespaces": "research"}}, "/watch/namespaces", "want array"),
    ({"watch": {"namespaces": ["Research"]}}, "/watch/namespaces/0", "does not match pattern"),
    ({"engine": {"resources": {"maximum": {}}}}, "/engine/resources", "'maximum'"),
    ({"monitoring": {"interval": "15"}}, "/monitoring/interval", "does not match pattern"),
    ({"networkPolicies": {"apiServerPorts": [0]}}, "/networkPolicies/apiServerPorts/0", "minimum"),
    (
        {"store": {"uri": "file:///artifacts", "claim": "evidence"}},
        "",
        "store.uri: file:///artifacts is a volume of one namespace: watch.namespaces must be [spark-system]",
    ),
    ({"store": {"claim": "evidence"}}, "", "store.claim: a file:// uri needs a PersistentVolumeClaim"),
    ({"controller": {"writeTimeoutSeconds": 5}}, "", "controller.writeTimeoutSeconds: must be less than"),
    ({"api": {"ingress": {"enabled": True}}}, "", "api.ingress.host: must be given"),
    ({"controller": {"renewDeadlineSeconds": 15}}, "", "must be less than controller.leaseSeconds"),
    ({"controller": {"retrySeconds": 10}}, "", "must be less than controller.renewDeadlineSeconds"),
]


@pytest.mark.parametrize(("values", "path", "words"), REFUSED)
def test_a_wrong_value_is_refused_by_its_name(
    helm: Helm, values: dict[str, Any], path: str, words: str
) -> None:
    refusal = helm.refusal(values)
    assert f"at '{path}'" in refusal if path else True
    assert words in refusal


def test_the_generated_files_are_what_the_models_give() -> None:
    check = [sys.executable, "-m", "charts.generate", "--check"]
    done = subprocess.run(check, cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_check_names_a_file_that_is_stale(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "CHART", tmp_path)
    assert generate.main(["--check"]) == 1
    assert str(tmp_path / "values.yaml") in capsys.readouterr().err
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (tmp_path / "values.schema.json").write_text("{}")
    assert generate.main(["--check"]) == 1


def test_every_object_of_the_schema_refuses_fields_that_nobody_knows() -> None:
    def closed(schema: dict[str, Any], path: str) -> None:
        if "properties" in schema:
            assert schema["additionalProperties"] is False, path
        for name, child in schema.get("properties", {}).items():
            closed(child, f"{path}.{name}")

    closed(json.loads((CHART / "values.schema.json").read_text()), "values")


def test_every_value_is_explained_in_the_schema_and_in_the_readme() -> None:
    readme = (CHART / "README.md").read_text()

    def explained(schema: dict[str, Any], path: str) -> None:
        for name, child in schema["properties"].items():
            assert child["description"], f"{path}{name}"
            if f"| `{path}{name}` |" not in readme and f"{path}{name}" not in ("global", "enabled"):
                explained(child, f"{path}{name}.")

    explained(json.loads((CHART / "values.schema.json").read_text()), "")


def test_a_parent_chart_may_hand_down_its_globals_and_its_condition(helm: Helm) -> None:
    assert helm.render({"global": {"imageRegistry": "registry.example.org"}, "enabled": True})


def test_versions_of_chart_and_project_are_one() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = (CHECKOUT / "pyproject.toml").read_text()
    assert f'version = "{chart["version"]}"' in project
    assert chart["appVersion"] == chart["version"]


def test_an_image_is_named_by_its_digest_where_one_is_given(helm: Helm) -> None:
    digest = f"sha256:{'0123456789abcdef' * 4}"
    image = {"repository": "registry.example.org:5000/spark-operator", "tag": "ignored", "digest": digest}
    objects = helm.render({"image": image, "engine": {"image": {"digest": digest}}})
    for deployment in of_kind(objects, "Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["image"] == f"registry.example.org:5000/spark-operator@{digest}"
    config = named(objects, "ConfigMap", "spark-configuration")["data"]["config.yaml"]
    assert yaml.safe_load(config)["engine"]["image"] == f"spark-engine@{digest}"


def test_the_notes_say_what_to_try_next(helm: Helm) -> None:
    done = helm.run("install", "spark", CHART, "--dry-run=client", "--namespace", "spark-system")
    if "unknown flag" in done.stderr:
        pytest.skip("this helm has another dry run")
    assert "kubectl -n default get btr -w" in done.stdout, done.stderr
    assert "port-forward svc/spark-api 3003:80" in done.stdout
    assert "No artifact store is configured" in done.stdout
