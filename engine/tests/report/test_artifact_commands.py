"""compare, package and risk-report on artifact directories that the engine wrote."""

from __future__ import annotations

import argparse
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from spark_engine.command import compare, package, report, risk_report
from spark_engine.command.main import main
from spark_engine.command.usage import Usage
from spark_engine.errors import InvalidData
from spark_engine.evidence.stored import read_directory
from spark_engine.evidence.verify import verify

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "btcusdt-1h-sma-cross.yaml"
SHORT = ("--set", "market.end=2018-04-01T00:00:00Z")


def called(module: ModuleType, *arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    module.configure(parser.add_subparsers())
    name = module.__name__.rpartition(".")[2].replace("_", "-")
    options = parser.parse_args([name, *map(str, arguments)])
    return int(options.execute(options))


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("artifacts")
    edits = {"first": (), "again": (), "slower": ("--set", "strategy.params.slow=60")}
    for name, edit in edits.items():
        arguments = ["run", "-q", "-f", str(EXAMPLE), *SHORT, *edit, "--out", str(folder / name)]
        assert main(arguments) == 0
    return {name: folder / name for name in edits}


def damaged(source: Path, target: Path, change: Callable[[Path], None]) -> Path:
    shutil.copytree(source, target)
    change(target)
    return target


def test_a_comparison_in_json_has_both_runs(
    artifacts: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(compare, artifacts["first"], artifacts["slower"], "--output", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [run["path"] for run in document["runs"]] == [str(artifacts["first"]), str(artifacts["slower"])]
    assert document["same"]["candles"] is True
    assert [row["path"] for row in document["spec"]] == ["strategy.params.slow"]


def test_a_comparison_as_a_table_marks_the_better_value(
    artifacts: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(compare, artifacts["first"], artifacts["slower"]) == 0
    text = capsys.readouterr().out
    line = next(line for line in text.splitlines() if "Total return" in line)
    assert line.count("✓") == 1
    assert "strategy.params.slow" in text
    assert "Digests    different" in text


def test_only_same_makes_a_difference_an_exit_code(
    artifacts: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(compare, artifacts["first"], artifacts["slower"], "--same") == 1
    assert called(compare, artifacts["first"], artifacts["again"], "--same") == 0
    assert "the same in every field" in capsys.readouterr().out


def test_a_comparison_as_a_page_lies_outside_of_the_evidence(
    artifacts: dict[str, Path], tmp_path: Path
) -> None:
    page = tmp_path / "both.html"
    assert called(compare, artifacts["first"], artifacts["slower"], "--html", page) == 0
    assert "Equity over initial cash" in page.read_text()
    with pytest.raises(Usage, match="which is evidence"):
        called(compare, artifacts["first"], artifacts["slower"], "--html", artifacts["first"] / "x.html")


@pytest.mark.parametrize("count", [1, 9])
def test_two_to_eight_runs_are_compared(artifacts: dict[str, Path], count: int) -> None:
    with pytest.raises(Usage, match=f"name 2 to 8 directories; {count} given"):
        called(compare, *[artifacts["first"]] * count)


def cut_table(directory: Path) -> None:
    (directory / "equity.parquet").write_bytes(b"PAR1")


def change_metric(directory: Path) -> None:
    path = directory / "evidence.json"
    path.write_text(path.read_text().replace('"bars":', '"Bars":', 1))


def add_file(directory: Path) -> None:
    (directory / "extra.txt").write_text("x")


@pytest.mark.parametrize("change", [cut_table, change_metric, add_file])
@pytest.mark.parametrize("command", ["compare", "package", "risk_report"])
def test_a_directory_that_does_not_verify_is_refused_by_the_check_that_failed(
    artifacts: dict[str, Path], tmp_path: Path, change: Callable[[Path], None], command: str
) -> None:
    broken = damaged(artifacts["first"], tmp_path / "broken", change)
    modules = {"compare": compare, "package": package, "risk_report": risk_report}
    arguments = [broken, artifacts["again"]] if command == "compare" else [broken]
    with pytest.raises(InvalidData, match=r"does not verify \(.+: .+\); `backtest verify"):
        called(modules[command], *arguments)
    assert not (tmp_path / "broken.zip").exists()


def test_a_folder_without_evidence_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"has no evidence\.json"):
        called(package, tmp_path)
    with pytest.raises(InvalidData, match="is not a directory"):
        called(risk_report, tmp_path / "absent")


def test_a_package_unpacks_to_a_directory_that_verifies(artifacts: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "run.zip"
    assert called(package, artifacts["first"], "--out", target) == 0
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "README.md").is_file()
    (folder,) = (path for path in (tmp_path / "unpacked").iterdir() if path.is_dir())
    assert all(check.passed for check in verify(read_directory(folder)))


def test_packing_twice_gives_the_same_bytes_also_of_a_copy(
    artifacts: dict[str, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(artifacts["first"], copy, copy_function=shutil.copyfile)  # other times, other rights
    for source, name in ((artifacts["first"], "one.zip"), (copy, "two.zip")):
        assert called(package, source, "--out", tmp_path / name) == 0
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_package_is_not_written_into_the_evidence(artifacts: dict[str, Path]) -> None:
    with pytest.raises(Usage, match="which is evidence"):
        called(package, artifacts["first"], "--out", artifacts["first"] / "run.zip")


def test_a_risk_report_has_every_section(
    artifacts: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "risk.html"
    assert called(risk_report, artifacts["first"], "--html", page) == 0
    text, html = capsys.readouterr().out, page.read_text()
    for title in (
        "Value at risk and expected shortfall",
        "Deepest drawdowns",
        "Worst days",
        "Exposure",
        "Concentration",
        "Kelly fraction",
        "Cost sensitivity",
    ):
        assert title in text
        assert f"{title}</h2>" in html
    assert "https://" not in html


def test_the_deepest_drawdown_of_the_risk_report_is_the_maximum_drawdown(
    artifacts: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(risk_report, artifacts["first"], "--output", "json") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    metrics = json.loads((artifacts["first"] / "evidence.json").read_text())["result"]["metrics"]
    assert document["drawdowns"][0]["depth"] == metrics["maxDrawdown"]["value"]
    assert document["exposure"]["timeInMarket"] == metrics["exposure"]["value"]


def test_a_report_can_be_drawn_again(artifacts: dict[str, Path], tmp_path: Path) -> None:
    assert called(report, artifacts["first"], "--out", tmp_path / "again.html") == 0
    assert (tmp_path / "again.html").read_bytes() == (artifacts["first"] / "report.html").read_bytes()
