"""The engine in a notebook: models, dicts and paths; the command's digest; frames on demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest
import spark_engine
from spark_crds.kinds.backtestrun import BacktestRun, BacktestRunSpec
from spark_engine.errors import InvalidSpec

Manifest = dict[str, Any]
EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "btcusdt-1h-sma-cross.yaml"


@pytest.fixture(scope="module")
def result() -> spark_engine.RunResult:
    return spark_engine.run(EXAMPLE)


def test_every_form_of_a_spec_is_the_same_run(result: spark_engine.RunResult, manifest: Manifest) -> None:
    forms = (
        str(EXAMPLE),
        manifest,
        manifest["spec"],
        BacktestRun.model_validate(manifest),
        BacktestRunSpec.model_validate(manifest["spec"]),
    )
    assert {spark_engine.run(form).digest for form in forms} == {result.digest}


def test_the_notebook_gives_the_digest_and_figures_of_the_command(
    result: spark_engine.RunResult, backtest: Callable[..., Any]
) -> None:
    told = json.loads(backtest("run", "-f", EXAMPLE, "--output", "json", "--no-report").stdout)
    assert result.digest == told["digest"]
    assert result.metrics == told["metrics"]


def test_tables_are_polars_frames_with_the_columns_of_the_files(result: spark_engine.RunResult) -> None:
    assert result.trades.height == result.metrics["trades"]
    assert result.fills["fee"].sum() == pytest.approx(result.metrics["totalFees"])
    assert result.equity["equity"][-1] == pytest.approx(result.metrics["finalEquity"])
    assert result.equity.schema["ts"] == polars.Datetime("ms", "UTC")


def test_candles_read_once_serve_many_runs(manifest: Manifest) -> None:
    candles = spark_engine.read_candles("sample://btcusdt-1h", symbol="BTCUSDT", timeframe="1h")
    spec = manifest["spec"]
    spec["market"] = {"symbol": "BTCUSDT", "timeframe": "1h"}
    digests = set()
    for fast in (9, 10, 11):
        spec["strategy"]["params"]["fast"] = fast
        over_candles = spark_engine.run(spec, candles)
        assert over_candles.digest == spark_engine.run(spec).digest
        digests.add(over_candles.digest)
    assert len(digests) == 3


def test_candles_share_their_memory_with_numpy() -> None:
    candles = spark_engine.read_candles("sample://btcusdt-1h", symbol="BTCUSDT", timeframe="1h")
    columns = candles.numpy()
    assert columns["ts"].dtype == "int64"
    assert columns["close"].dtype == "float64"
    assert len(columns["close"]) == len(candles) == 58_419
    assert columns["close"].base is not None


def test_a_bad_spec_names_its_field(manifest: Manifest, tmp_path: Path) -> None:
    manifest["spec"]["strategy"]["params"]["fast"] = 99
    with pytest.raises(InvalidSpec, match=r"spec\.strategy\.params\.fast"):
        spark_engine.run(manifest)
    with pytest.raises(InvalidSpec, match="nowhere"):
        spark_engine.run(tmp_path / "nowhere.yaml")
