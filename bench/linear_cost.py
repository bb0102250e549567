"""Cost grows with the work: 10,000 to 10,000,000 bars, and 10 to 100,000 sets of parameters.

python -m bench --only linear_cost
"""

from __future__ import annotations

from collections.abc import Iterator

from spark_engine.simulation.trials import simulate_crossings
from spark_engine.simulation.trials_threads import threads_available

from bench.candles import repeated, walk
from bench.peers import Peers
from bench.row import Row, interleaved, timed
from bench.sweep import ACCOUNT
from bench.warm_run import FREE, warm_run

BLOCK = 10_000
BARS = (10_000, 100_000, 1_000_000, 10_000_000)
SETS = (10, 100, 1_000, 10_000, 100_000)
SWEEP_BARS = 10_000
ROUNDS = 3


def rows(_peers: Peers) -> Iterator[Row]:
    block = walk(BLOCK)
    for bars in BARS:
        run = warm_run(repeated(block, bars // BLOCK), "long", FREE)
        (mine,) = interleaved(timed(run), rounds=ROUNDS)
        yield Row(f"warm run, {bars:,} bars", str(mine), "", f"{mine.best / bars * 1e9:.1f} ns a bar")
    threads = threads_available()
    pairs = [(fast, slow) for slow in range(401, 801) for fast in range(5, 255)]
    for sets in SETS:
        few = pairs[:: len(pairs) // sets][:sets]
        (mine,) = interleaved(
            timed(
                lambda few=few: simulate_crossings(block, few, 0.0, ACCOUNT, threads=threads, blocks=False)
            ),
            rounds=ROUNDS,
        )
        each = mine.best / sets / SWEEP_BARS * 1e9
        yield Row(f"{sets:,} pairs x {SWEEP_BARS:,} bars", str(mine), "", f"{each:.2f} ns a bar and pair")
