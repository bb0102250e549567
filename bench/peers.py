"""The real peers, from the package index, in an environment and a process of their own.

Engine and peers never share an environment: each runs with the packages that it asks for. The worker process
lives as long as the benchmark, so that both sides are warm and take turns.
"""

from __future__ import annotations

import json
import os
import subprocess
from array import array
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from spark_engine.data.candles import Candles

from bench.environments import Unavailable, python_with

REQUIREMENTS = (
    "backtesting==0.6.6",
    "numba==0.68.1",
    "numpy==2.4.6",
    "pandas==3.1.1",
    "pyarrow==26.0.0",
    "raptorbt==0.13.4",
    "vectorbt==1.2.0",
    "vectorbt-rust==1.2.0",
)
WORKER = Path(__file__).with_name("peer") / "worker.py"
COLD = Path(__file__).with_name("peer") / "cold_raptorbt.py"
QUIET = {"RAPTORBT_NO_VERSION_CHECK": "1", "PYTHONWARNINGS": "ignore"}


def python() -> Path:
    """The interpreter of the peers' environment (about 0.7 GB)."""
    return python_with("peers", REQUIREMENTS)


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, **QUIET, **variables}


class Peers:
    """A worker process that holds candles and runs one peer at a time, on demand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _process(self) -> subprocess.Popen[str]:
        """Started by the first room that needs it: it takes an environment of 0.7 GB."""
        return subprocess.Popen(
            [str(python()), str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def load(self, candles: Candles) -> None:
        """Hands over the columns of `candles`, through a file."""
        path = self._folder / "candles.bin"
        columns = (candles.ts, candles.open, candles.high, candles.low, candles.close, candles.volume)
        path.write_bytes(b"".join(column.tobytes() for column in columns))
        self.call("load", path=str(path))

    def signals(self, entries: array[int], exits: array[int]) -> None:
        """Bars whose close says enter or leave, for peers that run on signals of ours."""
        self.call("signals", entries=list(entries), exits=list(exits))

    def call(self, name: str, **arguments: Any) -> Mapping[str, Any]:
        """The answer of the function of that name in `peer/`; `seconds` is the time within it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"name": name, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise Unavailable(f"the peers' process ended with {self._process.wait()} during {name}")
        answer: Mapping[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Peers:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if "_process" not in self.__dict__:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
