"""Whole processes, from start to exit: what a pod or a command on a laptop costs.

python -m bench --only cold_process
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from spark_engine.data.candles import Candles
from spark_engine.execute.manifest import load_object, resolve_run

from bench import peers
from bench.candles import walk
from bench.peers import Peers
from bench.process import ROOT, Process
from bench.row import Row, interleaved, limit_row, ratio_row, shown
from bench.warm_run import BARS, FAST, SLOW

EXAMPLE = ROOT / "examples" / "btcusdt-1h-sma-cross.yaml"
READY = ".venv/.ready"
BACKTEST = "import sys; from spark_engine.command.main import main; sys.exit(main())"
COLUMNS = ("ts", "open", "high", "low", "close", "volume")
LAPTOP_SECONDS, POD_SECONDS, POD_MEBIBYTES, MAKE_RUN_SECONDS = 0.6, 0.15, 64, 3.0


def rows(_peers: Peers) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="spark-bench-") as name:
        folder = Path(name)
        yield from _pod_rows(folder)
        yield from _laptop_rows(folder)
    yield from _make_run_rows()


def _pod_rows(folder: Path) -> Iterator[Row]:
    """run.json and parquet in, every artifact but the report out; raptorbt writes none."""
    candles = write_parquet(walk(BARS), folder / "candles.parquet")
    variables = pod_variables(folder, candles)
    run, artifact = str(folder / "run.json"), str(folder / "artifact")
    bare = Process([sys.executable, "-m", "bench.cold_run", run, artifact], {})
    pod = Process([sys.executable, "-m", "spark_engine.pod"], variables)
    raptorbt = Process(
        [str(peers.python()), str(peers.COLD), str(candles), str(FAST), str(SLOW)], peers.environment()
    )
    pass_ = Process([sys.executable, "-c", "pass"], {})
    for process in (bare, pod, raptorbt):
        process.seconds()
    mine, whole, theirs, nothing = interleaved(bare.seconds, pod.seconds, raptorbt.seconds, pass_.seconds)
    work = f"cold process, parquet of {BARS:,} bars, all artifacts but the report"
    yield ratio_row(work, mine, "raptorbt", theirs, most=1.0)
    yield limit_row("  aim", str(mine), mine.best, POD_SECONDS, f"aim {POD_SECONDS} s")
    memory = f"{bare.mebibytes:.0f} MiB"
    ratio = bare.mebibytes / raptorbt.mebibytes
    beside = f"raptorbt {raptorbt.mebibytes:.0f} MiB"
    yield Row("resident memory", memory, beside, f"{ratio:.2f}", "<= 1", ratio <= 1.0)
    yield limit_row("  aim", memory, bare.mebibytes, POD_MEBIBYTES, f"aim {POD_MEBIBYTES} MiB")
    yield Row("the pod, report and all", str(whole), "", "")
    yield Row("python -c pass", str(nothing), "", "")


def _laptop_rows(folder: Path) -> Iterator[Row]:
    run = [sys.executable, "-c", BACKTEST, "run", "-f", str(EXAMPLE), "-q", "--out"]
    whole, bare = Process([*run, f"{folder}/whole"], {}), Process([*run, f"{folder}/bare", "--no-report"], {})
    whole.seconds(), bare.seconds()
    with_report, without = interleaved(whole.seconds, bare.seconds)
    limit = f"<= {LAPTOP_SECONDS} s"
    yield limit_row("backtest run, report and all", str(with_report), with_report.best, LAPTOP_SECONDS, limit)
    yield Row("backtest run --no-report", str(without), "", "")


def _make_run_rows() -> Iterator[Row]:
    """Only where there is nothing to set up: a benchmark must not change the environment that it runs in."""
    if (
        shutil.which("make") is None
        or subprocess.run(["make", "-q", READY], cwd=ROOT, check=False).returncode
    ):
        yield Row("second `make run`", "not measured: this checkout is to be set up first", "", "")
        return
    make = Process(["make", "--silent", "run"], {})
    make.seconds()
    seconds = make.seconds()
    yield limit_row(
        "second `make run`", shown(seconds), seconds, MAKE_RUN_SECONDS, f"<= {MAKE_RUN_SECONDS:g} s"
    )


def write_parquet(candles: Candles, path: Path) -> Path:
    table = pa.table({name: pa.array(memoryview(getattr(candles, name))) for name in COLUMNS})
    pq.write_table(table, path)
    return path


def pod_variables(folder: Path, candles: Path) -> dict[str, str]:
    """A run of the whole file, as the operator mounts it."""
    manifest: dict[str, Any] = load_object(EXAMPLE.read_bytes(), str(EXAMPLE))
    spec = manifest["spec"]
    spec["strategy"] = {"name": "sma-cross", "params": {"fast": FAST, "slow": SLOW}}
    spec["market"] = {
        "symbol": "BTCUSDT",
        "timeframe": "1m",
        "start": "2024-01-01T00:00:00Z",
        "end": "2099-01-01T00:00:00Z",
    }
    spec["data"] = {"uri": candles.as_uri()}
    document = resolve_run(manifest).document() | {"artifact": {"uri": (folder / "store").as_uri()}}
    (folder / "run.json").write_text(json.dumps(document))
    return {
        "SPARK_RUN_FILE": str(folder / "run.json"),
        "SPARK_TERMINATION_LOG": str(folder / "termination-log"),
        "SPARK_JOB_UID": "job-1",
    }
