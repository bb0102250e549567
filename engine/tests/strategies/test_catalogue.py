"""The generated catalogue: fresh, and of one mind with the engine's own checks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from spark_engine.errors import InvalidSpec
from spark_engine.strategies import catalogue
from spark_engine.strategies.registry import check_parameters, find


def test_the_committed_catalogue_is_fresh() -> None:
    assert catalogue.PATH.read_text(encoding="utf-8") == catalogue.text(), "stale: run make generate"


def test_check_says_when_the_catalogue_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(catalogue, "PATH", tmp_path / "strategies.json")
    assert catalogue.main(["--check"]) == 1
    assert "run make generate" in capsys.readouterr().err
    assert catalogue.main([]) == 0
    assert catalogue.main(["--check"]) == 0
    catalogue.PATH.write_text("{}")
    assert catalogue.main(["--check"]) == 1


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "spark_engine.strategies.catalogue", "--check"]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("entry", catalogue.catalogue()["strategies"], ids=lambda entry: entry["name"])
def test_every_schema_is_valid_and_every_parameter_is_described(entry: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(entry["parameters"])
    assert entry["summary"].endswith(".")
    assert all(schema["description"].endswith(".") for schema in entry["parameters"]["properties"].values())
    names = entry["parameters"]["properties"]
    assert all(check["left"] in names and check["right"] in names for check in entry["checks"])


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("sma-cross", {"fast": 9, "slow": 21}),
        ("sma-cross", {"fast": 9.0, "slow": 21, "direction": "long-short"}),
        ("sma-cross", {"fast": 0, "slow": 21}),
        ("sma-cross", {"fast": 9}),
        ("sma-cross", {"fast": "9", "slow": 21}),
        ("sma-cross", {"fast": True, "slow": 21}),
        ("sma-cross", {"fast": 9, "slow": 21, "other": 1}),
        ("rsi", {}),
        ("rsi", {"lower": 25.5, "upper": 70.25}),
        ("rsi", {"lower": -1}),
        ("rsi", {"period": 2.5}),
        ("rsi", {"direction": "short"}),
    ],
)
def test_the_schema_and_the_engine_accept_the_same_parameters(name: str, parameters: dict[str, Any]) -> None:
    entry = next(entry for entry in catalogue.catalogue()["strategies"] if entry["name"] == name)
    try:
        check_parameters(find(name), parameters)
        accepted = True
    except InvalidSpec:
        accepted = False
    assert Draft202012Validator(entry["parameters"]).is_valid(parameters) == accepted
