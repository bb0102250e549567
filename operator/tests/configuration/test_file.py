"""The configuration file is used whole or refused in plain words, and followed when it changes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from spark_operator.configuration.file import ConfigurationFile, InvalidConfiguration
from spark_operator.configuration.model import Configuration

SMALLEST = "engine:\n  image: example.test/engine:1\n"
SUCCESSFUL = "spark_config_last_reload_successful"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(SMALLEST)
    return path


def loaded(path: Path) -> Configuration:
    return ConfigurationFile(path, CollectorRegistry()).current()


def test_the_smallest_file_has_every_default(path: Path) -> None:
    configuration = loaded(path)
    assert configuration.engine.image == "example.test/engine:1"
    assert configuration.limits.max_active_runs == 200
    assert configuration.controller.lease_seconds == 15


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", ["engine", "required"]),
        ("- a", ["a manifest is an object"]),
        ("", ["holds no object"]),
        ("engine: {image: a}\nengine: {image: b}", ["duplicate", "engine", ":2"]),
        ("engine: [", [":1", "config.yaml"]),
        (SMALLEST + "---\n" + SMALLEST, ["one document", "2"]),
        (SMALLEST + "limits: {maxRuns: 3}", ["limits.maxRuns", "maxActiveRuns", "startDeadlineSeconds"]),
        (SMALLEST + "limit: {}", ["limit:", "unknown field", "limits"]),
        (
            SMALLEST + "limits: {maxActiveRuns: 0}",
            ["limits.maxActiveRuns", "greater than or equal to 1", "0"],
        ),
        (SMALLEST + "limits: {maxActiveRuns: many}", ["limits.maxActiveRuns", "integer", "'many'"]),
        (SMALLEST + "api: {mode: off}", ["api.mode", "'readWrite' or 'readOnly'"]),
        (SMALLEST + "store: {uri: file:///x}", ["store.claim", "PersistentVolumeClaim", "'file:///x'"]),
        (SMALLEST + "store: {uri: ftp://x}", ["store.uri", "s3|gs|az|file", "'ftp://x'"]),
        (
            "engine: {image: a, tolerations: [{keys: a}]}",
            ["engine.tolerations.0.keys", "unknown field", "key, operator, value, effect"],
        ),
        (
            SMALLEST + "controller: {writeTimeoutSeconds: 6}",
            ["controller.writeTimeoutSeconds", "leaseSeconds - renewDeadlineSeconds (5)"],
        ),
        (
            SMALLEST + "controller: {renewDeadlineSeconds: 15}",
            ["controller.renewDeadlineSeconds", "less than leaseSeconds (15)"],
        ),
        (
            SMALLEST + "controller: {retrySeconds: 10}",
            ["controller.retrySeconds", "less than renewDeadlineSeconds (10)"],
        ),
    ],
)
def test_a_bad_file_is_refused_with_the_field_and_what_is_allowed(
    path: Path, text: str, words: list[str]
) -> None:
    path.write_text(text)
    with pytest.raises(InvalidConfiguration) as refused:
        loaded(path)
    for word in [str(path), *words]:
        assert word in str(refused.value)
    assert "pydantic" not in str(refused.value)


def test_every_problem_is_told_at_once(path: Path) -> None:
    path.write_text("limits: {maxActiveRuns: 0}\nwatch: {namespaces: [A]}")
    with pytest.raises(InvalidConfiguration) as refused:
        loaded(path)
    assert len(str(refused.value).splitlines()) == 3


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"absent.yaml: No such file"):
        loaded(tmp_path / "absent.yaml")


def test_a_changed_file_is_taken_up(path: Path) -> None:
    file = ConfigurationFile(path, CollectorRegistry())
    assert file.reload() is False
    path.write_text(SMALLEST + "limits: {maxActiveRuns: 7}")
    assert file.reload() is True
    assert file.current().limits.max_active_runs == 7


def test_a_config_map_that_swaps_its_folder_is_taken_up(tmp_path: Path) -> None:
    """A kubelet writes a new folder and renames a link to it; the file is a link through that link."""
    for name, runs in (("first", 1), ("second", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(SMALLEST + f"limits: {{maxActiveRuns: {runs}}}")
    (tmp_path / "..data").symlink_to("first")
    (tmp_path / "config.yaml").symlink_to("..data/config.yaml")
    file = ConfigurationFile(tmp_path / "config.yaml", CollectorRegistry())
    (tmp_path / "..data_tmp").symlink_to("second")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert file.reload() is True
    assert file.current().limits.max_active_runs == 2


def test_a_bad_change_keeps_the_old_configuration_and_is_told_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = CollectorRegistry()
    file = ConfigurationFile(path, registry)
    assert registry.get_sample_value(SUCCESSFUL) == 1
    path.write_text(SMALLEST + "limits: {maxActiveRuns: 0}")
    with caplog.at_level(logging.ERROR):
        assert file.reload() is False
        assert file.reload() is False
    assert [record.getMessage().count("limits.maxActiveRuns") for record in caplog.records] == [1]
    assert file.current().limits.max_active_runs == 200
    assert registry.get_sample_value(SUCCESSFUL) == 0


def test_a_file_that_is_good_again_is_in_use_whether_it_changed_or_went_back(path: Path) -> None:
    registry = CollectorRegistry()
    file = ConfigurationFile(path, registry)
    for text in (SMALLEST, SMALLEST + "limits: {maxActiveRuns: 7}"):
        path.unlink()
        file.reload()
        assert registry.get_sample_value(SUCCESSFUL) == 0
        path.write_text(text)
        file.reload()
        assert registry.get_sample_value(SUCCESSFUL) == 1
    assert file.current().limits.max_active_runs == 7
