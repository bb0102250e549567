"""Bad input: the right exit code, a message with the field and what is allowed, nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spark_engine.command.main import main

Manifest = dict[str, Any]
Spoil = Callable[[dict[str, Any]], object]
Outcome = tuple[int, str]


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs a manifest that must fail: gives exit code and message, after checking that nothing was left."""

    def run(manifest: Manifest | str, *arguments: str) -> Outcome:
        file = tmp_path / "run.yaml"
        file.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest))
        before = sorted(tmp_path.rglob("*"))
        code = main(["run", "-f", str(file), "--out", str(tmp_path / "out"), *arguments])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        assert told.out == ""
        assert sorted(tmp_path.rglob("*")) == before
        return code, told.err

    return run


SPECS: dict[str, tuple[Spoil, str, str]] = {
    "an unknown strategy": (
        lambda spec: spec["strategy"].update(name="sma-crss"),
        "spec.strategy.name",
        "sma-cross",
    ),
    "a missing parameter": (
        lambda spec: spec["strategy"]["params"].pop("slow"),
        "spec.strategy.params.slow",
        "from 1 to 10000",
    ),
    "an unknown parameter": (
        lambda spec: spec["strategy"]["params"].update(fsat=3),
        "spec.strategy.params.fsat",
        "fast",
    ),
    "a parameter of another type": (
        lambda spec: spec["strategy"]["params"].update(fast="nine"),
        "spec.strategy.params.fast",
        "integer from 1 to 10000",
    ),
    "fast not below slow": (
        lambda spec: spec["strategy"]["params"].update(fast=26),
        "spec.strategy.params.fast",
        "slow",
    ),
    "a gigantic parameter": (
        lambda spec: spec["strategy"]["params"].update(slow=10**30),
        "spec.strategy.params.slow",
        "10000",
    ),
    "shorts that are not allowed": (
        lambda spec: spec["strategy"]["params"].update(direction="long-short"),
        "spec.strategy.params.direction",
        "allowShort",
    ),
    "an unknown field": (lambda spec: spec.update(strategyy={}), "strategyy", "unknown field"),
    "a timeframe that is none": (
        lambda spec: spec["market"].update(timeframe="1x"),
        "spec.market.timeframe",
        "1x",
    ),
    "an end before the start": (
        lambda spec: spec["market"].update(end="2017-01-01T00:00:00Z"),
        "spec.market",
        "start",
    ),
    "a float where a decimal in quotes is meant": (
        lambda spec: spec["execution"].update(takerFeeBps=10.5),
        "spec.execution.takerFeeBps",
        "string",
    ),
    "a gigantic amount of cash": (
        lambda spec: spec["account"].update(initialCash="9" * 400),
        "spec.account.initialCash",
        "",
    ),
    "no cash": (lambda spec: spec["account"].update(initialCash="0"), "spec.account.initialCash", ""),
    "negative fees": (
        lambda spec: spec["execution"].update(takerFeeBps="-1"),
        "spec.execution.takerFeeBps",
        "",
    ),
    "no data at all": (lambda spec: spec.pop("data"), "spec.data", "Required"),
    "no leverage": (
        lambda spec: spec["account"].update(leverage="0"),
        "spec.account.leverage",
        "greater than 0",
    ),
    "a tick of nothing": (
        lambda spec: spec["market"].update(tickSize="0"),
        "spec.market.tickSize",
        "greater than 0",
    ),
    "a lot that is no decimal": (
        lambda spec: spec["market"].update(lotSize="a few"),
        "spec.market.lotSize",
        "should match",
    ),
    "a lot as a number": (
        lambda spec: spec["market"].update(lotSize=0.001),
        "spec.market.lotSize",
        "string",
    ),
    "a negative least notional": (
        lambda spec: spec["market"].update(minNotional="-1"),
        "spec.market.minNotional",
        "should match",
    ),
    "an exchange that does not exist": (
        lambda spec: spec["market"].update(calendar="XISX"),
        "spec.market.calendar",
        "XIST",
    ),
    "a sizing without its size": (
        lambda spec: spec["execution"].update(sizing="FixedNotional"),
        "spec.execution",
        "size must be set",
    ),
    "a size without its sizing": (
        lambda spec: spec["execution"].update(size="5"),
        "spec.execution",
        "size must be set",
    ),
    "a sizing that is none": (
        lambda spec: spec["execution"].update(sizing="Kelly"),
        "spec.execution.sizing",
        "FixedNotional",
    ),
    "isolated margin without maintenance": (
        lambda spec: spec["account"].update(marginModel="Isolated"),
        "spec.account",
        "maintenanceMargin must be set",
    ),
    "a liquidation fee without margin": (
        lambda spec: spec["account"].update(liquidationFeeBps="50"),
        "spec.account",
        "marginModel Isolated",
    ),
    "interest that is no number": (
        lambda spec: spec["account"].update(borrowRateAnnual="five percent"),
        "spec.account.borrowRateAnnual",
        "should match",
    ),
    "an adjustment without its factors": (
        lambda spec: spec["data"].update(adjustment="Splits"),
        "spec.data",
        "adjustmentUri must be set",
    ),
    "an adjustment that is none": (
        lambda spec: spec["data"].update(adjustment="Inflation"),
        "spec.data.adjustment",
        "SplitsAndDividends",
    ),
    "finer bars that are coarser": (
        lambda spec: spec["execution"].update(resolveWith="1d"),
        "spec.execution.resolveWith",
        "whole part of spec.market.timeframe",
    ),
    "finer bars of no timeframe": (
        lambda spec: spec["execution"].update(resolveWith="often"),
        "spec.execution.resolveWith",
        "should match",
    ),
    "a path that does not exist": (
        lambda spec: spec["execution"].update(intrabarPath="Best"),
        "spec.execution.intrabarPath",
        "Worst",
    ),
    "a limit rule that does not exist": (
        lambda spec: spec["execution"].update(limitFill="Always"),
        "spec.execution.limitFill",
        "Through",
    ),
    "an entry point that is none": (
        lambda spec: spec.update(strategy={"entryPoint": "my_package.Breakout"}),
        "spec.strategy.entryPoint",
        "should match",
    ),
    "a name and an entry point": (
        lambda spec: spec["strategy"].update(entryPoint="my_package:Breakout"),
        "spec.strategy",
        "exactly one of name and entryPoint",
    ),
    "a feed on a laptop": (
        lambda spec: spec.update(data={"feedRef": {"name": "btcturk-spot"}}),
        "spec.data.feedRef",
        "--data",
    ),
}


@pytest.mark.parametrize("case", SPECS)
def test_a_bad_spec_ends_with_10_and_names_the_field(
    refused: Callable[..., Outcome], manifest: Manifest, case: str
) -> None:
    spoil, field, allowed = SPECS[case]
    spoil(manifest["spec"])
    code, message = refused(manifest)
    assert code == 10, message
    assert field in message
    assert allowed in message


HEADER = "ts,open,high,low,close,volume\n"
HOUR = 3_600_000


def row(hour: int, price: str = "100", volume: str = "1") -> str:
    return f"{1_600_000_000_000 // HOUR * HOUR + hour * HOUR},{price},{price},{price},{price},{volume}\n"


GOOD = "".join(row(hour, str(100 + hour % 7)) for hour in range(60))

DATA: dict[str, tuple[str, bytes, str]] = {
    "NaN prices": ("c.csv", (HEADER + GOOD + row(60, "NaN")).encode(), "nan"),
    "negative prices": ("c.csv", (HEADER + GOOD + row(60, "-5")).encode(), "-5"),
    "duplicate rows that contradict each other": (
        "c.csv",
        (HEADER + GOOD + row(59, "999")).encode(),
        "spec.data.duplicates",
    ),
    "text where a price is meant": ("c.csv", (HEADER + GOOD + row(60, "cheap")).encode(), "cheap"),
    "a column that is missing": ("c.csv", (HEADER + GOOD).replace("close", "klose", 1).encode(), "close"),
    "a parquet file of one byte": ("c.parquet", b"P", "c.parquet"),
    "an empty file": ("c.csv", b"", "c.csv"),
    "a header and no rows": ("c.csv", HEADER.encode(), "no rows"),
    "a gz that is none": ("c.csv.gz", b"\x1f\x8b\x08\x00broken", "c.csv.gz"),
    "gigantic numbers": ("c.csv", (HEADER + GOOD + row(60, "1e400")).encode(), ""),
}


def on_own_data(manifest: Manifest) -> Manifest:
    spec = manifest["spec"]
    spec["market"] = {"symbol": "BTCUSDT", "timeframe": "1h"}
    spec["strategy"]["params"] = {"fast": 2, "slow": 5}
    spec["data"] = {"uri": "replaced"}
    spec.pop("verdict", None)
    return manifest


@pytest.mark.parametrize("case", DATA)
def test_bad_data_ends_with_11_and_says_what_is_wrong(
    refused: Callable[..., Outcome], manifest: Manifest, tmp_path: Path, case: str
) -> None:
    name, content, told = DATA[case]
    (tmp_path / name).write_bytes(content)
    code, message = refused(on_own_data(manifest), "--data", str(tmp_path / name))
    assert code == 11, message
    assert told in message


def test_unsorted_and_repeated_rows_are_mended_and_counted(
    manifest: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = GOOD.splitlines(keepends=True)
    (tmp_path / "c.csv").write_text(HEADER + "".join(reversed(rows)) + rows[7])
    (tmp_path / "run.json").write_text(json.dumps(on_own_data(manifest)))
    out = tmp_path / "out"
    arguments = [
        "run",
        "-f",
        str(tmp_path / "run.json"),
        "--data",
        str(tmp_path / "c.csv"),
        "--out",
        str(out),
        "-q",
    ]
    assert main(arguments) == 0
    quality = json.loads((out / "evidence.json").read_bytes())["result"]["dataQuality"]
    assert quality["rows"] == 60
    assert quality["duplicateRows"] == 1
    assert quality["unsortedRows"] > 0


def test_data_that_is_not_there_is_bad_data(refused: Callable[..., Outcome], manifest: Manifest) -> None:
    code, message = refused(manifest, "--data", "/no/such/candles.parquet")
    assert code == 11
    assert "/no/such/candles.parquet" in message


def test_a_directory_without_candles_is_bad_data(
    refused: Callable[..., Outcome], manifest: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    code, message = refused(manifest, "--data", str(tmp_path / "empty"))
    assert code == 11
    assert "parquet" in message


def test_a_wrong_checksum_shows_both(refused: Callable[..., Outcome], manifest: Manifest) -> None:
    manifest["spec"]["data"]["sha256"] = "0" * 64
    code, message = refused(manifest)
    assert code == 11
    assert "spec.data.sha256" in message
    assert "0" * 64 in message and "79ae8e84" in message


def test_a_window_without_bars_says_what_the_data_covers(
    refused: Callable[..., Outcome], manifest: Manifest
) -> None:
    manifest["spec"]["market"] |= {"start": "2030-01-01T00:00:00Z", "end": "2031-01-01T00:00:00Z"}
    code, message = refused(manifest)
    assert code == 11
    assert "2017-08-17" in message and "2024-04-21" in message


def test_the_sample_of_another_pair_says_what_was_asked_and_what_there_is(
    refused: Callable[..., Outcome], manifest: Manifest
) -> None:
    manifest["spec"]["market"]["symbol"] = "ETHUSDT"
    code, message = refused(manifest)
    assert code == 11
    assert "ETHUSDT" in message and "BTCUSDT" in message


TRAPS = {
    "a key twice": ("spec:\n  seed: 1\n  seed: 2\n", "seed"),
    "a tab as indentation": ("spec:\n\tseed: 1\n", "run.yaml:2:1"),
    "an alias bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: *b\n" + "d: &d [*b]\n", ""),
    "two documents": ("kind: BacktestRun\n---\nkind: BacktestRun\n", "2 objects"),
    "a list": ("- 1\n", ""),
    "nothing": ("", ""),
    "binary": ("\x00\x01", ""),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_manifest_that_is_no_manifest_is_a_bad_spec(refused: Callable[..., Outcome], trap: str) -> None:
    text, told = TRAPS[trap]
    code, message = refused(text)
    assert code == 10, message
    assert told in message


def test_a_name_that_only_the_server_could_make_is_a_bad_spec(
    refused: Callable[..., Outcome], manifest: Manifest
) -> None:
    manifest["metadata"] = {"generateName": "sma-"}
    code, message = refused(manifest)
    assert code == 10
    assert "metadata.name" in message and "generateName" in message


def test_a_symbol_outside_the_guardrails_is_a_breach(
    refused: Callable[..., Outcome], manifest: Manifest, tmp_path: Path
) -> None:
    limits = tmp_path / "guardrails.json"
    limits.write_text(json.dumps({"allowedSymbols": ["ETHUSDT"]}))
    code, message = refused(manifest, "--guardrails", str(limits))
    assert code == 13
    assert "spec.market.symbol" in message and "ETHUSDT" in message


def test_a_limit_that_nobody_would_enforce_is_refused(
    refused: Callable[..., Outcome], manifest: Manifest, tmp_path: Path
) -> None:
    limits = tmp_path / "guardrails.json"
    limits.write_text(json.dumps({"maxRegret": "0.2"}))
    code, message = refused(manifest, "--guardrails", str(limits))
    assert code == 10
    assert "guardrails.maxRegret" in message and "maxDrawdown" in message


def test_a_guardrail_config_is_checked_as_the_server_checks_it(
    refused: Callable[..., Outcome], manifest: Manifest, tmp_path: Path
) -> None:
    config = tmp_path / "guardrails.yaml"
    config.write_text(
        "apiVersion: spark.trading/v1alpha1\nkind: GuardrailConfig\nmetadata: {name: default}\n"
        "spec: {proposer: ayse, limits: {maxDrawdown: 0.2}}\n"
    )
    code, message = refused(manifest, "--guardrails", str(config))
    assert code == 10
    assert "spec.limits.maxDrawdown" in message and "string" in message


@pytest.mark.parametrize(
    ("entry_point", "told"),
    [
        ("no_such_package:Breakout", "there is no module no_such_package"),
        ("json:Breakout", "has no Breakout"),
    ],
)
def test_a_strategy_that_cannot_be_imported_ends_with_12(
    refused: Callable[..., Outcome], manifest: Manifest, entry_point: str, told: str
) -> None:
    manifest["spec"]["strategy"] = {"entryPoint": entry_point}
    code, message = refused(manifest)
    assert code == 12
    assert "spec.strategy" in message and told in message


@pytest.mark.parametrize("field", ["fundingUri", "adjustmentUri"])
def test_a_further_source_that_is_not_there_is_named_by_its_own_field(
    refused: Callable[..., Outcome], manifest: Manifest, field: str
) -> None:
    manifest["spec"]["data"][field] = "/no/such/series.csv"
    if field == "adjustmentUri":
        manifest["spec"]["data"]["adjustment"] = "Splits"
    code, message = refused(manifest)
    assert code == 11
    assert f"spec.data.{field}" in message and "/no/such/series.csv" in message


def test_finer_bars_that_the_source_does_not_have_are_bad_data(
    refused: Callable[..., Outcome], manifest: Manifest
) -> None:
    manifest["spec"]["market"]["timeframe"] = "4h"
    manifest["spec"]["execution"]["resolveWith"] = "15m"
    code, message = refused(manifest)
    assert code == 11
    assert "spec.execution.resolveWith" in message


def test_a_pipe_is_no_candle_file(
    refused: Callable[..., Outcome], manifest: Manifest, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "never.csv")
    code, message = refused(manifest, "--data", str(tmp_path / "never.csv"))
    assert code == 11
    assert "never.csv" in message


def test_a_full_disk_leaves_nothing_and_ends_with_21(manifest: Manifest, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        os.geteuid() == 0
        and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk]).returncode == 0
    )
    if not mounted:
        pytest.skip("needs the right to mount a small disk")
    try:
        (tmp_path / "run.json").write_text(json.dumps(manifest))
        assert main(["run", "-f", str(tmp_path / "run.json"), "--out", str(disk / "out")]) == 21
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_file_size_limit_leaves_nothing_and_ends_with_21(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(manifest))
    out = tmp_path / "out"
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); "
        "from spark_engine.command.main import main; sys.exit(main(sys.argv[1:]))"
    )
    finished = subprocess.run(
        [sys.executable, "-B", "-c", limited, "run", "-f", tmp_path / "run.json", "--out", out],
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 21, finished.stderr
    assert str(out) in finished.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.json"]


def test_a_directory_that_cannot_be_written_ends_with_21(
    manifest: Manifest, backtest: Callable[..., Any]
) -> None:
    finished = backtest("run", "-f", "-", "--out", "/proc/evidence", stdin=json.dumps(manifest))
    assert finished.returncode == 21
    assert "/proc/evidence" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_an_out_directory_with_other_files_is_never_replaced(
    manifest: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_text(json.dumps(manifest))
    precious = tmp_path / "home"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    assert main(["run", "-f", str(tmp_path / "run.json"), "--out", str(precious)]) == 2
    assert "no artifact of ours" in capsys.readouterr().err
    assert (precious / "thesis.txt").read_text() == "years of work"


def test_an_artifact_directory_is_replaced_whole(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(manifest))
    out = tmp_path / "out"
    run = ["run", "-f", str(tmp_path / "run.json"), "--out", str(out), "-q"]
    assert main(run) == 0
    (out / "stale.txt").write_text("from before")
    assert main([*run, "--no-report"]) == 0
    names = {path.name for path in out.iterdir()}
    assert "stale.txt" not in names and "report.html" not in names
    assert main(["verify", str(out)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "run.json"]


def test_a_missing_manifest_is_misuse(backtest: Callable[..., Any]) -> None:
    finished = backtest("run", "-f", "nowhere.yaml")
    assert finished.returncode == 2
    assert "nowhere.yaml" in finished.stderr


def test_an_edit_without_a_value_is_misuse(backtest: Callable[..., Any], manifest: Manifest) -> None:
    finished = backtest("run", "-f", "-", "--set", "seed", stdin=json.dumps(manifest))
    assert finished.returncode == 2
    assert "path=value" in finished.stderr


@pytest.mark.parametrize(("signal_sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing_and_says_so(
    manifest: Manifest, tmp_path: Path, signal_sent: signal.Signals, code: int
) -> None:
    rows = "".join(row(hour, str(100 + hour % 7)) for hour in range(800_000))
    (tmp_path / "c.csv").write_text(HEADER + rows)
    (tmp_path / "run.json").write_text(json.dumps(on_own_data(manifest)))
    before = sorted(tmp_path.iterdir())
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "spark_engine.command.main",
            "run",
            "-f",
            "run.json",
            "--data",
            "c.csv",
            "--out",
            "out",
        ],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not _has_begun(process.pid, tmp_path / "c.csv") and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal_sent)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert "nothing is left half-written" in told
    assert "Traceback" not in told
    assert sorted(tmp_path.iterdir()) == before


def _has_begun(pid: int, candles: Path) -> bool:
    """Whether a run is in its midst: it has its candles open, or has read them, however long ago."""
    try:
        opened = [path.readlink() for path in Path(f"/proc/{pid}/fd").iterdir()]
        counts = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    except OSError:
        return False
    return candles in opened or int(counts["rchar"]) >= candles.stat().st_size
