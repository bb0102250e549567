"""Two minutes of the soak (SOAK=60m for another time): the bars of the issue, and the figures as a table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DURATION = os.environ.get("SOAK", "2m")
SEED = os.environ.get("SOAK_SEED", "1")


def test_a_feed_under_faults_loses_nothing_doubles_nothing_and_stays_quick_and_small(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "tests.soak", "--for", DURATION, "--seed", SEED]
    soak = subprocess.run(
        [*command, "--folder", str(tmp_path / "soak")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with capsys.disabled():
        print(soak.stdout)
    assert soak.returncode == 0, soak.stdout
