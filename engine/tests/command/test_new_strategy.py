"""`backtest new-strategy`: the package that it writes works, and nothing is overwritten."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from argparse import Namespace
from pathlib import Path

import pytest
import yaml
from spark_engine.command.new_strategy import check_name, execute, write_package
from spark_engine.command.usage import Usage
from spark_engine.strategies.load import GROUP


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A package as the command writes it."""
    monkeypatch.chdir(tmp_path)
    assert execute(Namespace(name="mean-reversion")) == 0
    assert capsys.readouterr().out == "mean-reversion\n"
    return tmp_path / "mean-reversion"


def ran(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_it_holds_all_that_a_package_of_strategies_needs(package: Path) -> None:
    files = sorted(str(path.relative_to(package)) for path in package.rglob("*") if path.is_file())
    assert files == [
        ".gitignore",
        "Dockerfile",
        "README.md",
        "pyproject.toml",
        "run.yaml",
        "src/mean_reversion/__init__.py",
        "src/mean_reversion/breakout.py",
        "src/mean_reversion/trend.py",
        "tests/test_strategies.py",
    ]
    texts = [path.read_text() for path in package.rglob("*") if path.is_file()]
    assert not any("@name@" in text or "@package@" in text for text in texts)


def test_its_own_tests_pass(package: Path) -> None:
    finished = ran([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], package)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "4 passed" in finished.stdout


def test_ruff_finds_nothing(package: Path) -> None:
    rules = "E,F,W,I,N,UP,B,A,C4,SIM,RUF"
    for command in (["ruff", "check", "--select", rules, "."], ["ruff", "format", "--check", "."]):
        finished = ran([sys.executable, "-m", *command], package)
        assert finished.returncode == 0, finished.stdout + finished.stderr


def test_it_registers_both_forms_under_its_name(package: Path) -> None:
    project = tomllib.loads((package / "pyproject.toml").read_text())
    assert project["project"]["name"] == "mean-reversion"
    assert project["project"]["entry-points"][GROUP] == {
        "mean-reversion": "mean_reversion.trend:signals",
        "mean-reversion-events": "mean_reversion.breakout:Breakout",
    }
    assert "spark-engine" in project["project"]["dependencies"]


def test_its_manifest_names_its_strategy(package: Path) -> None:
    manifest = yaml.safe_load((package / "run.yaml").read_text())
    assert manifest["spec"]["strategy"]["entryPoint"] == "mean_reversion.trend:signals"


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "mean-reversion"
    folder.mkdir()
    (folder / "precious.txt").write_text("mine")
    with pytest.raises(Usage, match="exists: choose another name, or remove it"):
        write_package(folder, "mean-reversion")
    assert [path.name for path in folder.iterdir()] == ["precious.txt"]


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Usage, match=r"cannot write .*Not a directory"):
        write_package(tmp_path / "file" / "mean-reversion", "mean-reversion")


@pytest.mark.parametrize("name", ["breakout2", "mean-reversion", "a1", "x" * 40])
def test_a_plain_name_is_accepted(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "a", "x" * 41, "Mean", "1st", "a--b", "-a", "a-", "mean_reversion", "../up", "a b", "ä-b", "a.b"],
)
def test_what_is_no_name_is_refused_with_the_rule(name: str) -> None:
    with pytest.raises(Usage, match="2 to 40 lower case letters, digits and single hyphens"):
        check_name(name)


@pytest.mark.parametrize("name", ["import", "match", "json", "signal"])
def test_a_word_of_python_is_refused(name: str) -> None:
    with pytest.raises(Usage, match="word of Python"):
        check_name(name)


@pytest.mark.parametrize("name", ["sma-cross", "rsi", "buy-and-hold", "numpy", "spark-engine"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    with pytest.raises(Usage, match="is taken"):
        check_name(name)
