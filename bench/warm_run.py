"""One warm run (decide, simulate, moments, trades, metrics) against the C kernel beside it.

python -m bench.warm_run
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.metrics import metrics
from spark_engine.strategies.registry import check_parameters, find

from bench.candles import read, real_file, walk
from bench.reference import compile_reference, reference_run
from bench.table import print_table

BARS = 100_000
MANY_BARS = 1_000_000
FAST, SLOW = 9, 21
ROUNDS = 8
BATCH = 5
RUNS = ROUNDS * BATCH
MOST = 3.0
ACCOUNT = Account(initial_cash=10_000.0, maker_rate=0.001, taker_rate=0.001, slippage_rate=0.0001)


@dataclass(frozen=True, slots=True)
class Timing:
    best: float
    middle: float


def warm_run(candles: Candles, direction: str) -> Callable[[], Ledger]:
    strategy = find("sma-cross")
    parameters = check_parameters(strategy, {"fast": FAST, "slow": SLOW, "direction": direction})

    def run() -> Ledger:
        ledger = simulate(candles, strategy.decide(candles, parameters), ACCOUNT)
        metrics(ledger, candles, ACCOUNT)
        return ledger

    return run


def interleaved(*runs: Callable[[], object]) -> list[Timing]:
    """Best and median milliseconds of each, taken in turns."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(ROUNDS):
        for run, taken in zip(runs, times, strict=True):
            for _ in range(BATCH):
                begin = perf_counter()
                run()
                taken.append((perf_counter() - begin) * 1000)
    return [Timing(min(taken), median(taken)) for taken in times]


def row(name: str, candles: Candles, direction: str) -> list[str]:
    ours = warm_run(candles, direction)
    theirs = reference_run(compile_reference(), candles, FAST, SLOW, direction, ACCOUNT)
    ledger, outcome = ours(), theirs()
    if (ledger.equity[-1], len(ledger.fills)) != (outcome.final_equity, outcome.fills):
        raise SystemExit(f"{name} {direction}: the two kernels disagree; no ratio of unequal work")
    mine, reference = interleaved(ours, theirs)
    ratio = mine.best / reference.best
    return [
        name,
        direction,
        f"{len(candles):,}",
        f"{len(ledger.fills):,}",
        f"{mine.best:.2f} / {mine.middle:.2f}",
        f"{reference.best:.2f} / {reference.middle:.2f}",
        f"{ratio:.2f}",
        _verdict(len(candles), ratio),
    ]


def _verdict(bars: int, ratio: float) -> str:
    """The bar is set for runs of about 100,000 candles; at ten times that, fresh memory pages dominate."""
    if bars >= MANY_BARS:
        return "not asked"
    return "yes" if ratio <= MOST else "NO"


def main() -> None:
    sources = [("walk", walk(BARS)), ("walk", walk(MANY_BARS))]
    path = real_file()
    if path is not None:
        sources.insert(1, (path.stem, read(path)))
    rows = [
        row(name, candles, direction) for name, candles in sources for direction in ("long", "long-short")
    ]
    print_table(
        f"One warm run: decide, simulate, trades, metrics (sma-cross {FAST}/{SLOW}; best / median of {RUNS})",
        ["candles", "direction", "bars", "fills", "ours ms", "C ms", "ratio of best", f"<= {MOST:g}"],
        rows,
    )


if __name__ == "__main__":
    main()
