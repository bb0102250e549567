"""How many threads a sweep takes, and how it ends early."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from spark_engine.data.candles import Candles
from spark_engine.simulation import trials
from spark_engine.simulation.ledger import Decisions
from spark_engine.simulation.trials_threads import threads_available

from .conftest import account_of

PROCESSORS = 16


@pytest.fixture(autouse=True)
def sixteen_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(PROCESSORS)))


def root_with(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return folder


@pytest.mark.parametrize(
    ("text", "threads"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("50000 100000\n", 1),
        ("max 100000\n", PROCESSORS),
        ("3200000 100000\n", PROCESSORS),
        ("nonsense\n", PROCESSORS),
    ],
)
def test_the_quota_of_cgroup_v2_limits_the_threads(tmp_path: Path, text: str, threads: int) -> None:
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": text}
    assert threads_available(root_with(tmp_path, files)) == threads


@pytest.mark.parametrize(("quota", "threads"), [("-1", PROCESSORS), ("300000", 3), ("1000", 1)])
def test_the_quota_of_cgroup_v1_limits_the_threads(tmp_path: Path, quota: str, threads: int) -> None:
    files = {
        "proc/self/cgroup": "4:memory:/pod\n3:cpu,cpuacct:/pod\n0::/\n",
        "sys/fs/cgroup/cpu,cpuacct/pod/cpu.cfs_quota_us": f"{quota}\n",
        "sys/fs/cgroup/cpu,cpuacct/pod/cpu.cfs_period_us": "100000\n",
    }
    assert threads_available(root_with(tmp_path, files)) == threads


def test_the_tightest_group_on_the_way_up_counts(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/kubepods/pod1/c1\n",
        "sys/fs/cgroup/kubepods/pod1/c1/cpu.max": "max 100000\n",
        "sys/fs/cgroup/kubepods/pod1/cpu.max": "300000 100000\n",
        "sys/fs/cgroup/kubepods/cpu.max": "800000 100000\n",
    }
    assert threads_available(root_with(tmp_path, files)) == 3


def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    assert threads_available(tmp_path) == PROCESSORS


def test_progress_is_told_from_the_calling_thread_up_to_all_trials(real_candles: Candles) -> None:
    told: list[tuple[int, int]] = []
    pairs = [(fast, slow) for fast in range(2, 30) for slow in range(40, 90)]
    trials.simulate_crossings(
        real_candles,
        pairs,
        0.0,
        account_of(),
        threads=2,
        on_progress=lambda done: told.append((done, threading.get_ident())),
    )
    done = [count for count, _ in told]
    assert done == sorted(done)
    assert done[-1] == len(pairs)
    assert {thread for _, thread in told} == {threading.get_ident()}


def test_what_a_strategy_raises_ends_the_sweep_and_is_raised(coarse_candles: Candles) -> None:
    asked: list[int] = []

    def decide(k: int) -> Decisions:
        asked.append(k)
        if k == 70:
            raise LookupError("no such column")
        return trials.crossings_of(coarse_candles, [(3, 9)], 0.0, 0)

    with pytest.raises(LookupError, match="no such column"):
        trials.simulate_decisions(coarse_candles, 100_000, decide, account_of(), threads=2)
    assert len(asked) < 10_000


def test_a_failing_progress_ends_the_sweep(real_candles: Candles) -> None:
    def refuse(_done: int) -> None:
        raise BrokenPipeError

    before = threading.active_count()
    with pytest.raises(BrokenPipeError):
        trials.simulate_crossings(
            real_candles, [(5, 30)] * 5000, 0.0, account_of(), threads=2, on_progress=refuse
        )
    assert threading.active_count() == before


ENDLESS = """
import sys
from array import array
from spark_engine.simulation.ledger import Account
from spark_engine.simulation.trials import simulate_crossings
sys.path.insert(0, sys.argv[1])
from conftest import candles_of
closes = [10_000 + (bar * 7919) % 501 for bar in range(200_000)]
candles = candles_of(closes, closes)
try:
    simulate_crossings(
        candles, [(5, 30)] * 1_000_000, 0.0, Account(1.0, 0.0, 0.0, 0.0), threads=int(sys.argv[2]),
        on_progress=lambda done: print("running", flush=True), blocks=False,
    )
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupt_stops_a_sweep_that_would_take_minutes(threads: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(Path(__file__).parent), str(threads)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert out.endswith("interrupted\n")
    assert process.returncode == 0
