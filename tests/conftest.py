"""The example as an object, and the command as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spark_engine.execute.manifest import load_object

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "btcusdt-1h-sma-cross.yaml"

Manifest = dict[str, Any]


@pytest.fixture
def manifest() -> Manifest:
    """The example as an object, to be spoilt in one place by a test."""
    return load_object(EXAMPLE.read_bytes(), str(EXAMPLE))


@pytest.fixture
def backtest(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `backtest` as a person does: a process of its own, in an empty folder."""

    def call(*arguments: object, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "spark_engine.command.main", *map(str, arguments)],
            cwd=tmp_path,
            input=stdin,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return call
