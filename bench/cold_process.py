"""Whole processes, from start to exit: what a pod or a first command costs.

python -m bench.cold_process
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.table import print_table

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "btcusdt-1h-sma-cross.yaml"
READY = ROOT / ".venv" / ".ready"
ROUNDS = 8
MAKE_RUN_LIMIT = 3.0
BACKTEST = "import sys; from spark_engine.command.main import main; sys.exit(main())"

Process = Callable[[], None]


def python(*arguments: str) -> Process:
    return lambda: _run([sys.executable, *arguments])


def _run(command: list[str]) -> None:
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {finished.returncode}: {finished.stderr.strip()}")


def measure(processes: dict[str, Process]) -> list[list[str]]:
    """A row each: best and median milliseconds of the process, taken in turns."""
    times: dict[str, list[float]] = {name: [] for name in processes}
    for _ in range(ROUNDS):
        for name, process in processes.items():
            begin = perf_counter()
            process()
            times[name].append((perf_counter() - begin) * 1000)
    return [[name, f"{min(taken):.0f}", f"{median(taken):.0f}"] for name, taken in times.items()]


def second_make_run() -> list[str]:
    """Seconds of `make run` in a checkout that is set up; the limit is what a person waits gladly."""
    if not READY.exists():
        return ["second `make run`", "-", "not measured: `make run` has not set up this checkout"]
    make = partial(_run, ["make", "--silent", "run"])
    make()
    begin = perf_counter()
    make()
    seconds = perf_counter() - begin
    return ["second `make run`", f"{seconds:.2f} s", "yes" if seconds <= MAKE_RUN_LIMIT else "NO"]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="spark-bench-") as folder:
        run = ("-c", BACKTEST, "run", "-f", str(EXAMPLE), "-q", "--out")
        rows = measure(
            {
                "python -c pass": python("-c", "pass"),
                "import of the run path": python("-c", "import spark_engine.execute.wrap"),
                "backtest run --no-report": python(*run, f"{folder}/bare", "--no-report"),
                "backtest run": python(*run, f"{folder}/whole"),
            }
        )
    print_table(f"Cold processes, {EXAMPLE.name} (of {ROUNDS})", ["process", "best ms", "median ms"], rows)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\n  largest resident set of these processes: {memory:.0f} MiB")
    print_table("From the shell", ["command", "time", f"<= {MAKE_RUN_LIMIT:g} s"], [second_make_run()])


if __name__ == "__main__":
    main()
