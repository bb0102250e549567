"""`backtest verify`: an untouched artifact passes, and one changed byte anywhere is named."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from spark_engine.command.main import main

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "btcusdt-1h-sma-cross.yaml"

FILES = (
    "SHA256SUMS",
    "chart.json",
    "equity.parquet",
    "evidence.json",
    "fills.parquet",
    "orders.parquet",
    "report.html",
    "risk.json",
    "spec.json",
    "trades.parquet",
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("verify") / "artifact"
    assert main(["run", "-f", str(EXAMPLE), "--out", str(directory), "-q"]) == 0
    return directory


@pytest.fixture
def artifact(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "artifact"))


def findings(directory: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["verify", str(directory), "--output", "json", *arguments])
    checks = json.loads(capsys.readouterr().out)["checks"]
    return code, "\n".join(finding for check in checks for finding in check["findings"])


def test_an_untouched_artifact_is_accepted_and_its_run_repeats(
    artifact: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert findings(artifact, capsys, "--rerun") == (0, "")


def test_the_list_of_files_in_this_test_is_complete(artifact: Path) -> None:
    assert sorted(path.name for path in artifact.iterdir()) == sorted([*FILES, "events.jsonl"])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_one_changed_byte_is_found_and_its_file_is_named(
    artifact: Path, capsys: pytest.CaptureFixture[str], name: str, place: str
) -> None:
    content = bytearray((artifact / name).read_bytes())
    position = {"first": 0, "middle": len(content) // 2, "last": len(content) - 1}[place]
    content[position] ^= 1
    (artifact / name).write_bytes(content)
    code, told = findings(artifact, capsys)
    assert code == 1
    assert f"{name}:" in told or f"{name} cannot be read" in told
    assert not any(f"{other}: changed" in told for other in FILES if other != name)


def test_a_byte_added_to_an_empty_file_is_found(artifact: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (artifact / "events.jsonl").write_bytes(b"\n")
    code, told = findings(artifact, capsys)
    assert (code, "events.jsonl: changed" in told) == (1, True)


def test_a_missing_file_is_named(artifact: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (artifact / "fills.parquet").unlink()
    code, told = findings(artifact, capsys)
    assert (code, "fills.parquet: missing" in told) == (1, True)


def test_a_file_that_is_not_part_of_the_artifact_is_named(
    artifact: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (artifact / "extra.txt").write_text("x")
    (artifact / "folder").mkdir()
    code, told = findings(artifact, capsys)
    assert code == 1
    assert "extra.txt: not part of the artifact" in told
    assert "folder: not part of the artifact" in told


def test_a_metric_that_does_not_follow_from_the_tables_is_named_even_with_fresh_checksums(
    artifact: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from spark_engine.evidence.artifact import seal

    evidence = json.loads((artifact / "evidence.json").read_bytes())
    evidence["result"]["metrics"]["sharpe"]["value"] += 0.5
    for name, content in seal(evidence, {}).files.items():
        (artifact / name).write_bytes(content)
    code, told = findings(artifact, capsys)
    assert (code, "sharpe" in told) == (1, True)


def test_other_candles_are_told_apart_from_another_engine(
    artifact: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text(
        "ts,open,high,low,close,volume\n" + "".join(f"{1514764800 + 3600 * i},1,1,1,1,1\n" for i in range(50))
    )
    capsys.readouterr()
    code = main(["verify", str(artifact), "--rerun", "--data", str(other)])
    assert code in (1, 11)
    assert "candles" in capsys.readouterr().out or code == 11


def test_sha256sum_itself_accepts_the_checksums(artifact: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("needs sha256sum")
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=artifact, check=True)


def test_a_directory_without_evidence_is_bad_data(
    tmp_path: Path, backtest: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    finished = backtest("verify", tmp_path)
    assert finished.returncode == 11
    assert "evidence.json" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_the_report_of_an_artifact_is_drawn_again_to_the_same_bytes(artifact: Path, tmp_path: Path) -> None:
    page = tmp_path / "again.html"
    assert main(["report", str(artifact), "--out", str(page)]) == 0
    assert page.read_bytes() == (artifact / "report.html").read_bytes()
