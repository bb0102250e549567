"""What a sweep keeps in memory does not grow with the bars, and what it imports stays small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CLEAR_REFS = Path("/proc/self/clear_refs")
KIB = 1024
GROWTH = """
import random
import sys
from array import array
from itertools import accumulate
from pathlib import Path
from spark_engine.simulation.ledger import Account
from spark_engine.simulation.trials import simulate_crossings
sys.path.insert(0, sys.argv[1])
from conftest import candles_of

def kib(name):
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1])

def sweep(bars):
    draw = random.Random(1)
    closes = array("q", accumulate((draw.randrange(-9, 10) for _ in range(bars)), initial=1_000_000))
    candles = candles_of(closes, closes)
    del closes
    Path("/proc/self/clear_refs").write_text("5")
    before = kib("VmRSS")
    pairs = [(fast, slow) for fast in range(2, 18) for slow in range(20, 36)]
    trials = simulate_crossings(candles, pairs, 0.0, Account(1.0, 0.0, 0.0, 0.0), threads=2)
    assert max(trials.bankrupt_bar) == -1 and min(trials.trades) > bars / 1000
    return kib("VmHWM") - before

sweep(1_000)
print(sweep(int(sys.argv[2])))
"""


def growth(bars: int) -> int:
    """KiB that a sweep of 256 pairs takes beyond the candles."""
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, str(Path(__file__).parent), str(bars)],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(not CLEAR_REFS.exists(), reason="the peak of memory is measured through Linux's /proc")
def test_a_sweep_over_twenty_times_the_bars_takes_no_more_memory() -> None:
    few, many = growth(20_000), growth(400_000)
    assert many < few + 2 * KIB
    assert many < 16 * KIB


def test_a_sweep_needs_no_data_frame_library() -> None:
    heavy = "numpy polars pandas pyarrow pydantic yaml rich jsonschema"
    code = (
        "import sys, spark_engine.simulation.trials as trials; trials.core(); "
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
