"""Rows of a sweep against single runs of the same parameters, bit for bit, on every path."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import arro3.io
import pytest
from spark_engine.data.candles import Candles
from spark_engine.errors import BacktestError
from spark_engine.execute.check import check as checked
from spark_engine.execute.execution import execute
from spark_engine.execute.manifest import resolve_run
from spark_engine.execute.sweep_carry_out import Options, carry_out_sweep
from spark_engine.execute.swept import trial_spec
from spark_engine.notebook import read_candles
from spark_engine.sweeps.measure import METRICS

STEPS = {"name": "fast", "range": {"start": 3, "stop": 30, "step": 3}}
SLOW = {"name": "slow", "range": {"start": 10, "stop": 60, "step": 5}}
EXACT = ("finalEquity", "maxDrawdown")


def manifest(template: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "spark.trading/v1alpha1",
        "kind": "ParameterSweep",
        "metadata": {"name": "rows"},
        "spec": {
            "template": {
                "market": {
                    "symbol": "BTCUSDT",
                    "timeframe": "1h",
                    "start": "2020-01-01T00:00:00Z",
                    "end": "2020-07-01T00:00:00Z",
                },
                "data": {"uri": "sample://btcusdt-1h"},
                **template,
            },
            **spec,
        },
    }


@pytest.fixture(scope="module")
def candles() -> Candles:
    return read_candles(
        "sample://btcusdt-1h", symbol="BTCUSDT", timeframe="1h", start_ms=1577836800000, end_ms=1593561600000
    )


def rows_and_runs(
    spec: dict[str, Any],
    candles: Candles,
    folder: Path,
    limits: dict[str, Any] | None = None,
    count: int = 12,
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Random rows of the table, each with its single run, or with what that raised."""
    document = resolve_run(spec, "ParameterSweep")
    artifact = carry_out_sweep(
        document,
        limits,
        folder / "parts",
        Options(threads=2, with_report=False, probe="off"),
        candles=candles,
    )
    table = arro3.io.read_parquet(artifact.files["results.parquet"]).read_all()
    names = artifact.evidence["result"]["space"]["names"]
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    chosen = random.Random(5).sample(range(table.num_rows), min(count, table.num_rows))  # noqa: S311
    for row in chosen:
        found = {name: column[row] for name, column in columns.items()}
        single = trial_spec(document.spec, {name: found[name] for name in names})
        try:
            yield found, execute(checked(single, limits), candles, probe="off")
        except BacktestError as error:
            yield found, error


def check(row: dict[str, Any], run: Any) -> None:
    """Every figure of a row is that of the run; of an error, its message."""
    if isinstance(run, BacktestError):
        assert row["error"] == str(run)
        assert [row[name] for name in METRICS] == [None] * len(METRICS)
        return
    if run.breach is not None:
        assert "policy is Fail" in row["error"]
        return
    assert row["error"] is None
    moments = run.ledger.moments
    assert (row["finalEquity"], row["maxDrawdown"]) == (run.ledger.equity[-1], moments.max_drawdown)
    assert [row[name] for name in ("s1", "s2", "s3", "s4", "d2", "minEquity")] == [
        *(moments.s1, moments.s2, moments.s3, moments.s4, moments.d2, moments.min_equity)
    ]
    assert row["turnoverNotional"] == run.ledger.turnover_notional
    for name in METRICS:
        if name not in EXACT:
            assert row[name] == run.metrics[name].value, name


@pytest.mark.parametrize(
    "account",
    [
        {"allowShort": True},
        {"allowShort": True, "leverage": "2"},
        {},
    ],
    ids=["plain account", "leverage", "long-short not allowed"],
)
def test_rows_of_sma_cross_are_single_runs(account: dict[str, Any], candles: Candles, tmp_path: Path) -> None:
    directions = ["long", "long-short"] if account else ["long"]
    spec = manifest(
        {"strategy": {"name": "sma-cross"}, "account": account},
        parameters=[STEPS, SLOW, {"name": "direction", "values": directions}],
    )
    errors = 0
    for row, run in rows_and_runs(spec, candles, tmp_path):
        check(row, run)
        errors += row["error"] is not None
    assert errors  # fast above slow is among the sets


@pytest.mark.parametrize(
    ("strategy", "parameters"),
    [
        ("rsi", [{"name": "period", "values": [5, 9, 14, 21]}, {"name": "lower", "values": [20, 30.5, 75]}]),
        ("donchian", [{"name": "entry", "values": [10, 20, 40]}]),
        ("bollinger", [{"name": "period", "values": [10, 20, 40]}]),
    ],
)
def test_rows_of_other_strategies_are_single_runs(
    strategy: str, parameters: list[dict[str, Any]], candles: Candles, tmp_path: Path
) -> None:
    spec = manifest({"strategy": {"name": strategy}}, parameters=parameters)
    for row, run in rows_and_runs(spec, candles, tmp_path):
        check(row, run)


@pytest.mark.parametrize("policy", ["Halt", "Fail"])
def test_a_breached_guardrail_halts_or_fails_its_trial_alone(
    policy: str, candles: Candles, tmp_path: Path
) -> None:
    spec = manifest({"strategy": {"name": "sma-cross"}}, parameters=[STEPS, SLOW], where="fast < slow")
    limits = {"maxDrawdown": "0.45", "policy": policy}
    failed = 0
    for row, run in rows_and_runs(spec, candles, tmp_path, limits, count=30):
        check(row, run)
        failed += row["error"] is not None
    assert (0 < failed < 30) if policy == "Fail" else failed == 0


def test_windows_too_long_for_exact_sums_are_rows_with_an_error(candles: Candles, tmp_path: Path) -> None:
    spec = manifest(
        {"strategy": {"name": "sma-cross"}},
        sets=[{"fast": 5, "slow": 20}, {"fast": 9999, "slow": 10000}, {"fast": 9, "slow": 21}],
    )
    spec["spec"]["template"]["market"]["priceScale"] = 9
    wide = read_candles(
        "sample://btcusdt-1h",
        symbol="BTCUSDT",
        timeframe="1h",
        start_ms=1577836800000,
        end_ms=1593561600000,
        price_scale=9,
    )
    errors = []
    for row, run in rows_and_runs(spec, wide, tmp_path):
        check(row, run)
        errors.append((row["trial"], row["error"] is not None))
    assert sorted(errors) == [(0, False), (1, True), (2, False)]


def test_a_strategy_of_the_user_runs_one_by_one_and_is_probed_once(
    candles: Candles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sweep_planted.py").write_text(
        "from pydantic import BaseModel\n"
        "class Breakout:\n"
        "    class Params(BaseModel):\n"
        "        bars: int = 5\n"
        "    def on_bar(self, ctx):\n"
        "        bars = ctx.params.bars\n"
        "        if ctx.bar.index < bars: return\n"
        "        if bars == 13: raise ValueError('unlucky')\n"
        "        last = ctx.history('close', bars)\n"
        "        ctx.target(1.0 if last[-1] > sum(last) / len(last) else 0.0)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    spec = manifest(
        {"strategy": {"entryPoint": "sweep_planted:Breakout"}},
        parameters=[{"name": "bars", "values": [5, 13, 40]}],
    )
    found = list(rows_and_runs(spec, candles, tmp_path))
    for row, run in found:
        check(row, run)
    assert [row["error"] is not None for row, _ in sorted(found, key=lambda each: each[0]["trial"])] == [
        *(False, True, False)
    ]
    artifact = carry_out_sweep(
        resolve_run(spec, "ParameterSweep"),
        None,
        tmp_path / "again",
        Options(with_report=False),
        candles=candles,
    )
    probed = artifact.evidence["result"]["checks"]["lookAhead"]
    assert (probed["probe"], probed["trial"]) == ("quick", 0)
    assert artifact.evidence["result"]["strategyCode"] != "builtin"
