"""One set of runs, one digest each: by any number of threads, compiled or not. `make matrix` asks more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import spark_crds
import spark_engine
from spark_engine.version import SEMANTICS

CASES_FILE = Path(__file__).with_name("cases.py")
PINNED: dict[str, str] = json.loads(CASES_FILE.with_name("pinned.json").read_text())[str(SEMANTICS)]
SOURCES = [Path(package.__file__).parent for package in (spark_engine, spark_crds) if package.__file__]


def _cases() -> ModuleType:
    spec = spec_from_file_location("determinism_cases", CASES_FILE)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases = _cases()


@pytest.mark.parametrize("name", cases.CASES)
def test_a_case_gives_the_bits_that_it_always_gave_with_one_two_and_eight_threads(name: str) -> None:
    """Whoever changes a pinned digest raises SEMANTICS, and says so in the changelog."""
    assert cases.CASES[name]() == PINNED[name]


def test_every_pinned_digest_is_of_a_case() -> None:
    assert set(PINNED) == set(cases.CASES)


def test_the_engine_as_plain_python_gives_the_same_bits(tmp_path: Path) -> None:
    for source in SOURCES:
        shutil.copytree(
            source, tmp_path / source.name, ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__")
        )
    told = _told(tmp_path)
    assert told["compiled"] is False
    assert told["digests"] == PINNED


def _told(source: Path) -> dict[str, Any]:
    finished = subprocess.run(
        [sys.executable, str(CASES_FILE)],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    told: dict[str, Any] = json.loads(finished.stdout)
    return told
