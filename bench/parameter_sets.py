"""Sweeps of 1,000 sets: all sums of every row, beside the C kernel, raptorbt and vectorbt.

python -m bench --only parameter_sets
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Decisions
from spark_engine.simulation.trials import Trials, simulate_crossings, simulate_decisions
from spark_engine.simulation.trials_threads import threads_available
from spark_engine.strategies.registry import check_parameters, find

from bench.candles import walk
from bench.peers import Peers
from bench.row import Row, Timing, interleaved, ratio_row, timed
from bench.sweep import (
    ACCOUNT,
    AGREEMENT,
    BARS,
    PAIRS,
    PEERS,
    compile_sweep_kernel,
    our_sweep,
    require_equal,
    their_sweep,
)

PEER_ROUNDS = 3
PER_YEAR = 525_600.0
# 1,000 sets of each of the other families, on the path that any strategy of targets takes.
FAMILIES: dict[str, Callable[[int], dict[str, Any]]] = {
    "rsi": lambda k: {"period": 5 + k % 20, "lower": 20 + k // 20 % 10, "upper": 65 + k // 200 * 5},
    "donchian": lambda k: {"entry": 10 + k % 50, "exit": 5 + k // 50},
    "bollinger": lambda k: {"period": 10 + k % 50, "width": 1.5 + k // 50 * 0.1},
}


def rows(peers: Peers) -> Iterator[Row]:
    candles, library, threads = walk(BARS), compile_sweep_kernel(), threads_available()
    for shorts in (False, True):
        for count in sorted({1, threads}):
            ours = our_sweep(candles, PAIRS, shorts, count)
            theirs = their_sweep(library, candles, PAIRS, shorts, count)
            require_equal(ours(), theirs())
            mine, reference = interleaved(timed(ours), timed(theirs))
            direction = "long-short" if shorts else "long"
            yield ratio_row(
                f"{len(PAIRS):,} pairs, {direction}, {_plural(count)}", mine, "C", reference, most=1.0
            )
            yield Row(
                "  bar-evaluations a second", _rate(mine, len(PAIRS)), f"C {_rate(reference, len(PAIRS))}", ""
            )
    yield from _peer_rows(peers, candles, threads)
    for name in FAMILIES:
        yield from _family_rows(name, candles, threads)


def _peer_rows(peers: Peers, candles: Candles, threads: int) -> Iterator[Row]:
    peers.load(candles)
    account = replace(ACCOUNT, slippage_rate=0.0)
    for name, wanted, pairs in PEERS:
        settings: dict[str, Any] = {"pairs": pairs, "cash": account.initial_cash, "fee": account.taker_rate}
        settings |= {"per_year": PER_YEAR} if name == "raptorbt" else {}
        ours = partial(simulate_crossings, candles, PAIRS, 0.0, account, threads=threads)
        finals = dict(zip(PAIRS, ours().final_equity, strict=True))
        told = peers.call(f"{name}.sweep", **settings)
        agree = sum(
            abs(final / finals[pair] - 1.0) <= AGREEMENT
            for pair, final in zip(pairs, told["final"], strict=True)
        )
        mine, theirs = interleaved(
            timed(ours), _seconds(peers, f"{name}.sweep", settings), rounds=PEER_ROUNDS
        )
        times = (theirs.best / len(pairs)) / (mine.best / len(PAIRS))
        yield Row(
            f"{len(PAIRS):,} pairs, {_plural(threads)}; {agree:,} of {len(pairs):,} final equities equal",
            f"{mine} = {_rate(mine, len(PAIRS))}",
            f"{name} {_rate(theirs, len(pairs))}",
            f"{times:.0f}x",
            f">= {wanted:g}x",
            times >= wanted,
        )


def _family_rows(name: str, candles: Candles, threads: int) -> Iterator[Row]:
    try:
        strategy = find(name)
    except Exception as absent:
        yield Row(f"1,000 sets of {name}", f"not measured: {absent}", "", "")
        return
    decide = strategy.decide
    assert decide is not None

    def of_set(k: int) -> Decisions:
        return decide(candles, check_parameters(strategy, FAMILIES[name](k)))

    def run() -> Trials:
        return simulate_decisions(candles, len(PAIRS), of_set, ACCOUNT, threads=threads)

    (mine,) = interleaved(timed(run), rounds=PEER_ROUNDS)
    yield Row(
        f"{len(PAIRS):,} sets of {name}, {_plural(threads)}", f"{mine} = {_rate(mine, len(PAIRS))}", "", ""
    )


def _seconds(peers: Peers, name: str, settings: dict[str, Any]) -> Callable[[], float]:
    return lambda: float(peers.call(name, **settings)["seconds"])


def _rate(timing: Timing, sets: int) -> str:
    rate = sets * BARS / timing.best
    return f"{rate / 1e9:.2f} G/s" if rate >= 1e9 else f"{rate / 1e6:.1f} M/s"


def _plural(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"
