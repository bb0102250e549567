"""A sweep of 1,000 sma-cross pairs over 100,000 one-minute candles against a C kernel and the real peers.

python -m bench.sweep
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account
from spark_engine.simulation.trials import Trials, simulate_crossings
from spark_engine.simulation.trials_threads import threads_available

from bench.candles import walk
from bench.environments import Unavailable
from bench.peers import Peers
from bench.table import print_table

BARS = 100_000
ROUNDS = 8
THREADS = (1, 2)
SOURCE = Path(__file__).with_name("sweep_kernel.c")
FLAGS = ("-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC", "-pthread")
ACCOUNT = Account(
    initial_cash=10_000.0, maker_rate=0.001, taker_rate=0.001, slippage_rate=0.0001, allow_short=True
)
PAIRS = [(fast, slow) for fast in range(5, 25) for slow in range(30, 130, 2)]
SUMS = ("final_equity", "max_drawdown", "s1", "s2", "s3", "s4", "d2", "fees", "slippage", "turnover")
COUNTS = ("fills", "trades", "bars_in_position")
PEER_ROUNDS = 3
# vectorbt computes pair after pair at one speed; all of them, three times over, would take minutes.
PEERS = (("raptorbt", 20.0, PAIRS), ("vectorbt", 150.0, PAIRS[::10]))
AGREEMENT = 1e-6


class Outcome(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in SUMS] + [(name, ctypes.c_int64) for name in COUNTS]


class Work(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("bars", "pairs", "shorts")),
        *((name, ctypes.c_void_p) for name in ("ticks", "fast", "slow", "open", "close")),
        *((name, ctypes.c_double) for name in ("cash", "rate", "slippage_rate")),
        ("out", ctypes.c_void_p),
    ]


def compile_sweep_kernel() -> ctypes.CDLL:
    library = Path(tempfile.mkdtemp(prefix="spark-bench-")) / "sweep.so"
    subprocess.run(["cc", *FLAGS, str(SOURCE), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def our_sweep(
    candles: Candles, pairs: Sequence[tuple[int, int]], shorts: bool, threads: int
) -> Callable[[], Trials]:
    return lambda: simulate_crossings(candles, pairs, -1.0 if shorts else 0.0, ACCOUNT, threads=threads)


def their_sweep(
    library: ctypes.CDLL, candles: Candles, pairs: Sequence[tuple[int, int]], shorts: bool, threads: int
) -> Callable[[], ctypes.Array[Outcome]]:
    """A call of the C kernel; `pairs` as (fast, slow)."""
    inputs = [
        candles.ticks_close,
        array("q", [fast for fast, _ in pairs]),
        array("q", [slow for _, slow in pairs]),
        candles.open,
        candles.close,
    ]
    columns = [array("d" if column is inputs[3] or column is inputs[4] else "q", column) for column in inputs]
    outcomes = (Outcome * len(pairs))()
    work = Work(
        len(candles),
        len(pairs),
        shorts,
        *(column.buffer_info()[0] for column in columns),
        ACCOUNT.initial_cash,
        ACCOUNT.taker_rate,
        ACCOUNT.slippage_rate,
        ctypes.addressof(outcomes),
    )

    def run() -> ctypes.Array[Outcome]:
        library.sweep(ctypes.byref(work), ctypes.c_int64(threads))
        assert columns
        return outcomes

    return run


def require_equal(trials: Trials, outcomes: ctypes.Array[Outcome]) -> None:
    """No ratio of unequal work: every row's final equity, drawdown, sums and counts agree to the bit."""
    for name in SUMS + COUNTS:
        ours, theirs = getattr(trials, name).tolist(), [getattr(outcome, name) for outcome in outcomes]
        if ours != theirs:
            raise SystemExit(f"the two sweeps disagree on {name}")


def row(library: ctypes.CDLL, candles: Candles, shorts: bool, threads: int) -> list[str]:
    ours = our_sweep(candles, PAIRS, shorts, threads)
    theirs = their_sweep(library, candles, PAIRS, shorts, threads)
    require_equal(ours(), theirs())
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for run, taken in zip((ours, theirs), times, strict=True):
            begin = perf_counter()
            run()
            taken.append(perf_counter() - begin)
    work = len(candles) * len(PAIRS) / 1e9
    return [
        "long-short" if shorts else "long",
        str(threads),
        *(f"{min(taken) * 1000:.0f} / {median(taken) * 1000:.0f}" for taken in times),
        *(f"{work / min(taken):.2f}" for taken in times),
        f"{min(times[1]) / min(times[0]):.2f}",
        "yes" if min(times[0]) <= min(times[1]) else "NO",
    ]


def peer_row(
    peers: Peers, candles: Candles, name: str, wanted: float, pairs: list[tuple[int, int]]
) -> list[str]:
    """Rates of both sides in turns, each with all processors; fees but no slippage, long."""
    account = replace(ACCOUNT, slippage_rate=0.0)
    settings = {"cash": account.initial_cash, "fee": account.taker_rate}
    if name == "raptorbt":
        settings["per_year"] = 365 * 1440.0
    ours, theirs, told = [], [], {}
    for _ in range(PEER_ROUNDS):
        begin = perf_counter()
        trials = simulate_crossings(candles, PAIRS, 0.0, account, threads=threads_available())
        ours.append(len(PAIRS) * len(candles) / (perf_counter() - begin))
        told = dict(peers.call(f"{name}.sweep", pairs=pairs, **settings))
        theirs.append(len(pairs) * len(candles) / told["seconds"])
    ratio = max(ours) / max(theirs)
    finals = dict(zip(PAIRS, trials.final_equity, strict=True))
    agree = sum(
        abs(final / finals[pair] - 1.0) <= AGREEMENT for pair, final in zip(pairs, told["final"], strict=True)
    )
    return [
        name,
        f"{len(pairs):,}",
        f"{agree:,}",
        f"{max(ours) / 1e6:.0f}",
        f"{max(theirs) / 1e6:.1f}",
        f"{ratio:.0f}",
        f"{wanted:g}",
        "yes" if ratio >= wanted else "NO",
    ]


def against_peers(candles: Candles) -> None:
    try:
        with tempfile.TemporaryDirectory() as folder, Peers(Path(folder)) as peers:
            peers.load(candles)
            rows = [peer_row(peers, candles, *peer) for peer in PEERS]
    except Unavailable as reason:
        print(f"\nSweep against peers: not run, {reason}")
        return
    print_table(
        f"Sweep against peers, million bar-evaluations a second (best of {PEER_ROUNDS})",
        ["peer", "pairs", "same equity", "ours M/s", "theirs M/s", "ratio", "wanted", "met"],
        rows,
    )


def main() -> None:
    candles, library = walk(BARS), compile_sweep_kernel()
    print_table(
        f"Sweep: {len(PAIRS):,} pairs x {BARS:,} bars, all sums of every row (best / median of {ROUNDS})",
        ["direction", "threads", "ours ms", "C ms", "ours G/s", "C G/s", "times C", ">= 1"],
        [row(library, candles, shorts, threads) for shorts in (False, True) for threads in THREADS],
    )
    against_peers(candles)


if __name__ == "__main__":
    main()
