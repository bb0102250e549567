"""The generated CRDs: fresh, the same everywhere, bounded, explained, of keywords that we check offline."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from spark_crds import generate
from spark_crds.rules import RULES, program
from spark_crds.schema import PLURALS, object_schema

CHECKED_OFFLINE = {
    *("type", "properties", "required", "additionalProperties", "items", "enum", "default", "format"),
    *("pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "maxProperties"),
    *("oneOf", RULES),
    *("x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"),
}
WITHOUT_MEANING_OFFLINE = {"description", "x-kubernetes-list-type", "x-kubernetes-list-map-keys"}
LEFT_TO_THE_SERVER = {"apiVersion", "kind"}


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}" if path else name)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from nodes(schema[keyword], f"{path}[]")


def all_nodes() -> list[tuple[str, dict[str, Any]]]:
    return [found for kind in PLURALS for found in nodes(dict(object_schema(kind)))]


def crd(plural: str) -> dict[str, Any]:
    definition: dict[str, Any] = yaml.safe_load(generate.manifests()[f"spark.trading_{plural}.yaml"])
    return definition


def test_the_committed_files_are_what_the_models_give() -> None:
    assert generate.stale_files(generate.manifests()) == []


def test_check_fails_and_names_the_file_when_one_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in generate.PAGES:
        (tmp_path / name).write_text((generate.DOCUMENTS / name).read_text())
    document = tmp_path / "manifest.md"
    monkeypatch.setattr(generate, "DOCUMENTS", tmp_path)
    monkeypatch.setattr(generate, "PUBLISHED", tmp_path)
    assert generate.main(["--check"]) == 1
    assert "spark.trading_backtestruns.yaml" in capsys.readouterr().err
    monkeypatch.setattr(generate, "PACKAGED", tmp_path)
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    document.write_text(document.read_text().replace("| `seed` |", "| `seeds` |"))
    assert generate.main(["--check"]) == 1
    assert str(document) in capsys.readouterr().err


def test_generation_does_not_depend_on_the_hash_seed() -> None:
    program_text = "from spark_crds.generate import manifests; print(manifests())"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program_text],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_the_schema_uses_only_keywords_that_are_checked_offline() -> None:
    for path, schema in all_nodes():
        assert set(schema) <= CHECKED_OFFLINE | WITHOUT_MEANING_OFFLINE, path


def test_every_text_list_and_map_is_bounded() -> None:
    for path, schema in all_nodes():
        if schema.get("type") == "string" and path not in LEFT_TO_THE_SERVER:
            assert "maxLength" in schema or "enum" in schema, path
        if schema.get("type") == "array":
            assert "maxItems" in schema, path
        if "additionalProperties" in schema or "x-kubernetes-preserve-unknown-fields" in schema:
            assert "maxProperties" in schema, path
        if schema.get("type") == "integer" and path.startswith("spec"):
            assert {"minimum", "maximum"} <= set(schema), path


def test_no_field_of_the_spec_is_a_float() -> None:
    assert {path for path, schema in all_nodes() if schema.get("type") == "number"} == {"status.summary[]"}


def test_every_field_explains_itself() -> None:
    for path, schema in all_nodes():
        if path and not path.endswith("[]") and not path.startswith("metadata"):
            assert schema.get("description"), path


def test_every_rule_is_cel_that_compiles_and_has_a_message() -> None:
    rules = [rule for _, schema in all_nodes() for rule in schema.get(RULES, ())]
    assert len(rules) > 20
    for rule in rules:
        assert rule["message"]
        program(rule["rule"])


@pytest.mark.parametrize(
    ("kind", "mutable"),
    [
        ("BacktestRun", {"suspend", "cancel"}),
        ("ParameterSweep", {"suspend", "cancel"}),
        ("GuardrailApproval", set()),
    ],
)
def test_all_of_the_spec_is_immutable_but_what_the_design_says(kind: str, mutable: set[str]) -> None:
    spec = object_schema(kind)["properties"]["spec"]
    guarded = {rule["fieldPath"].removeprefix(".") for rule in spec[RULES] if "oldSelf" in rule["rule"]}
    assert set(spec["properties"]) - guarded == mutable


def test_a_proposal_of_guardrails_may_be_changed() -> None:
    found = nodes(dict(object_schema("GuardrailConfig")))
    rules = [rule["rule"] for _, schema in found for rule in schema.get(RULES, ())]
    assert rules
    assert not any("oldSelf" in rule for rule in rules)


def test_of_a_feed_only_the_provider_and_the_archive_are_for_good() -> None:
    found = nodes(dict(object_schema("MarketDataFeed")))
    rules = [rule for _, schema in found for rule in schema.get(RULES, ()) if "oldSelf" in rule["rule"]]
    assert {rule["message"].split(" is immutable")[0] for rule in rules} == {"provider", "uri"}


@pytest.mark.parametrize(
    ("kind", "short_name"),
    [
        ("BacktestRun", "btr"),
        ("ParameterSweep", "swp"),
        ("GuardrailConfig", "grc"),
        ("GuardrailApproval", "gra"),
        ("MarketDataFeed", "mdf"),
    ],
)
def test_a_kind_is_named_and_served_as_the_design_says(kind: str, short_name: str) -> None:
    definition = crd(PLURALS[kind])
    names = definition["spec"]["names"]
    (version,) = definition["spec"]["versions"]
    assert definition["metadata"]["name"] == f"{PLURALS[kind]}.spark.trading"
    assert (names["kind"], names["shortNames"]) == (kind, [short_name])
    assert definition["metadata"]["annotations"] == {
        "argocd.argoproj.io/sync-options": "ServerSideApply=true"
    }
    assert version["subresources"] == {"status": {}}
    assert len(version["selectableFields"]) <= 8
    status = version["schema"]["openAPIV3Schema"]["properties"]["status"]
    assert status["default"] == {"observedGeneration": -1, "phase": "Pending"}
    conditions = status["properties"]["conditions"]
    assert (conditions["x-kubernetes-list-type"], conditions["x-kubernetes-list-map-keys"]) == (
        "map",
        ["type"],
    )


@pytest.mark.parametrize("kind", PLURALS)
def test_columns_and_selectable_fields_exist_in_the_schema(kind: str) -> None:
    known = {f".{path}" for path, _ in nodes(dict(object_schema(kind)))} | {".metadata.creationTimestamp"}
    (version,) = crd(PLURALS[kind])["spec"]["versions"]
    paths = [column["jsonPath"] for column in version["additionalPrinterColumns"]]
    paths += [field["jsonPath"] for field in version["selectableFields"]]
    for path in paths:
        plain = path.replace(".summary.trades", ".summary[]").split("[?(")[0]
        assert plain in known, path
