"""Artifact directories: whole or not at all, and never in place of somebody else's files."""

from __future__ import annotations

from pathlib import Path

import pytest
from spark_engine.errors import StoreUnavailable
from spark_engine.evidence import directory as module
from spark_engine.evidence.directory import NotOurs, write_directory

FILES = {"evidence.json": b"{}", "equity.parquet": b"PAR1"}


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_directory_appears_with_all_its_files(tmp_path: Path) -> None:
    write_directory(tmp_path / "a" / "b", FILES)
    assert content(tmp_path / "a" / "b") == FILES
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_an_artifact_is_replaced_and_nothing_of_the_old_one_stays(tmp_path: Path) -> None:
    target = tmp_path / "run"
    write_directory(target, {**FILES, "old.parquet": b"old"})
    write_directory(target, {"evidence.json": b"new"})
    assert content(target) == {"evidence.json": b"new"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_artifact_is_replaced_where_the_system_cannot_swap_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.sys, "platform", "darwin")
    target = tmp_path / "run"
    write_directory(target, FILES)
    write_directory(target, {"evidence.json": b"new"})
    assert content(target) == {"evidence.json": b"new"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_empty_directory_is_free(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write_directory(tmp_path / "run", FILES)
    assert content(tmp_path / "run") == FILES


@pytest.mark.parametrize("foreign", ["file", "directory"])
def test_what_is_not_ours_is_left_alone(tmp_path: Path, foreign: str) -> None:
    target = tmp_path / "precious"
    if foreign == "file":
        target.write_text("thesis")
    else:
        target.mkdir()
        (target / "thesis.txt").write_text("years")
    with pytest.raises(NotOurs, match="precious"):
        write_directory(target, FILES)
    assert target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_name_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="run"):
        write_directory(tmp_path / "run", {**FILES, "no/such/folder": b""})
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_a_link_to_the_replaced_directory(tmp_path: Path) -> None:
    write_directory(tmp_path / "real", FILES)
    (tmp_path / "latest").symlink_to(tmp_path / "real")
    write_directory(tmp_path / "latest", {"evidence.json": b"new"})
    assert (tmp_path / "latest").is_symlink()
    assert content(tmp_path / "real") == {"evidence.json": b"new"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "real"]
