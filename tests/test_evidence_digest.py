"""The same spec, data and engine version give the same evidence digest, however they are written down."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from spark_crds.schema import object_schema, with_defaults

Backtest = Callable[..., subprocess.CompletedProcess[str]]
Manifest = dict[str, Any]


@pytest.fixture
def digest_of(backtest: Backtest, tmp_path: Path) -> Callable[..., str]:
    def digest(manifest: Manifest | str, *arguments: str) -> str:
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        finished = backtest("run", "-f", "-", "--output", "json", "--no-report", *arguments, stdin=text)
        assert finished.returncode == 0, finished.stderr
        return str(json.loads(finished.stdout)["digest"])

    return digest


def test_two_processes_agree(digest_of: Callable[..., str], manifest: Manifest) -> None:
    assert digest_of(manifest) == digest_of(manifest)


def test_yaml_and_json_agree(digest_of: Callable[..., str], manifest: Manifest) -> None:
    assert digest_of(yaml.safe_dump(manifest)) == digest_of(manifest)


def test_defaults_written_and_omitted_agree(digest_of: Callable[..., str], manifest: Manifest) -> None:
    written = deepcopy(manifest)
    spec = written["spec"]
    spec["market"] |= {"calendar": "24x7"}
    spec["data"] |= {"timestamps": "Open", "gaps": "Keep", "duplicates": "Fail", "partialBars": "Fail"}
    spec["account"] |= {
        "leverage": "1",
        "allowShort": False,
        "marginModel": "None",
        "initialCash": "10000.00",
    }
    spec["execution"] |= {"limitFill": "Touch", "intrabarPath": "CloseDirection", "closeAtEnd": False}
    spec["seed"] = 0
    assert digest_of(written) == digest_of(manifest)


def test_an_alias_of_a_strategy_is_the_strategy(digest_of: Callable[..., str], manifest: Manifest) -> None:
    assert digest_of(manifest, "--set", "strategy.name=smaCross") == digest_of(manifest)


@pytest.mark.parametrize(
    "edit",
    [
        "notes=another note",
        "retries=5",
        "activeDeadlineSeconds=100",
        "ttlSecondsAfterFinished=1",
        "suspend=true",
        "engine.image=example.org/spark-engine:1",
    ],
)
def test_what_does_not_decide_the_numbers_is_outside_the_digest(
    digest_of: Callable[..., str], manifest: Manifest, edit: str
) -> None:
    assert digest_of(manifest, "--set", edit) == digest_of(manifest)


@pytest.mark.parametrize(
    "edit",
    [
        "strategy.params.fast=13",
        "execution.takerFeeBps=11",
        "execution.fill=NextClose",
        "execution.closeAtEnd=true",
        "market.start=2018-01-02T00:00:00Z",
        "seed=1",
        "statistics.periodsPerYear=365",
    ],
)
def test_what_decides_the_numbers_is_inside_the_digest(
    digest_of: Callable[..., str], manifest: Manifest, edit: str
) -> None:
    assert digest_of(manifest, "--set", edit) != digest_of(manifest)


def test_a_copy_of_the_data_elsewhere_gives_the_same_digest(
    digest_of: Callable[..., str], manifest: Manifest, tmp_path: Path
) -> None:
    from spark_engine.data import samples

    sample = Path(next(iter(samples.__path__))) / "btcusdt_1h_binance_2017_2024.parquet"
    copy = tmp_path / "elsewhere.parquet"
    copy.write_bytes(sample.read_bytes())
    assert digest_of(manifest, "--data", str(copy)) == digest_of(manifest)


def test_an_object_as_the_api_server_stores_it_gives_the_same_digest(
    digest_of: Callable[..., str], manifest: Manifest
) -> None:
    stored = with_defaults(manifest, object_schema("BacktestRun"))
    stored["metadata"] |= {
        "namespace": "quants",
        "uid": "027b4916-48c2-4b8f-9813-b20470ead7c7",
        "generation": 1,
        "resourceVersion": "282",
        "creationTimestamp": "2026-11-21T04:51:16Z",
        "managedFields": [{"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {}}}],
    }
    stored["status"] = {"observedGeneration": -1, "phase": "Pending"}
    assert digest_of(stored) == digest_of(manifest)
