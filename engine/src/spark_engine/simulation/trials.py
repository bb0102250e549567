"""Many trials over the same candles: one row of sums a set of parameters, each with the bits of a single run.

Windows of a walk-forward are cuts of candles (`trials_window.cut`), not arguments here: what a test may see
before it begins is then the same for every strategy, however far its averages remember.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import Any, Final

from spark_engine.data.candles import Candles
from spark_engine.data.rows import zeros
from spark_engine.errors import EngineError, InvalidSpec, InvalidStrategy
from spark_engine.simulation import columns, signals
from spark_engine.simulation.checks import check_decisions, check_simulation, is_plain
from spark_engine.simulation.ledger import Account, Decisions, Ledger
from spark_engine.simulation.trials_processor import core
from spark_engine.simulation.trials_rows import Trials, no_rows, put_ledger
from spark_engine.simulation.trials_run import LANES, LONGEST_BLOCK, Decide, LaneRun, Progress, words
from spark_engine.simulation.trials_threads import Control, work

__all__ = ["Trials", "simulate_crossings", "simulate_decisions", "simulate_singly"]

MOST_GROUPS: Final = 16  # of 64 sets in one task: their state stays in the second-level cache
TABLE_VALUES: Final = 131_072  # of shared averages: 1 MiB a thread
EXACT_QUOTIENTS: Final = 2**52
EXACT_SUMS: Final = 2**53
LIMIT: Final = 2**63


def simulate_crossings(
    candles: Candles,
    pairs: Sequence[tuple[int, int]],
    target_down: float,
    account: Account,
    *,
    threads: int = 1,
    on_progress: Progress | None = None,
    blocks: bool = True,
) -> Trials:
    """sma-cross with each of the (fast, slow) `pairs`; `target_down` is 0.0 (long) or -1.0 (long-short).

    `on_progress(done)` is told the number of trials done, from the calling thread. KeyboardInterrupt stops
    all threads within a block of bars. Without `blocks` the columns of CSCV stay empty. Raises `InvalidSpec`
    for windows that are not 1 <= fast < slow or leave 64 bits and for shorts that the account does not allow,
    and what `simulate` raises.
    """
    largest = _check(candles, account)
    _check_pairs(pairs, largest)
    if target_down < 0.0 and not account.allow_short:
        raise InvalidSpec("must be true for the direction long-short", field="spec.account.allowShort")
    decide = partial(crossings_of, candles, pairs, target_down)
    if not _quotients_are_exact(pairs, largest):
        return simulate_decisions(
            candles, len(pairs), decide, account, threads=threads, on_progress=on_progress, blocks=blocks
        )
    run = LaneRun(candles, len(pairs), account, threads=threads, on_progress=on_progress, blocks=blocks)
    groups = -(-len(pairs) // LANES)
    size = max(1, min(MOST_GROUPS, -(-groups // (2 * threads)))) * LANES

    def task(number: int, thread: int) -> None:
        first = number * size
        last = min(first + size, len(pairs))
        crossings = _shared_averages(run.core, candles, pairs[first:last], first, target_down == 0.0)
        run.core.carry_crossings(
            run.lanes, crossings, first, last, run.control.stop, run.control.done, thread
        )

    return run.rows(-(-len(pairs) // size), task, decide)


def simulate_decisions(
    candles: Candles,
    count: int,
    decide: Decide,
    account: Account,
    *,
    threads: int = 1,
    on_progress: Progress | None = None,
    blocks: bool = True,
) -> Trials:
    """Any strategy of targets: `decide(k)` gives the decisions of set k in [0, count).

    `decide` is called from the threads; where it releases the GIL, they run at once. Sets that go bankrupt or
    have targets other than -1, 0 and 1 are decided twice and simulated alone: right, but ten times slower.
    Without `allow_short` a target of -1 counts as 0. Each thread keeps 16 bytes a bar. Progress and errors as
    `simulate_crossings`; what `decide` raises is raised.
    """
    _check(candles, account)
    run = LaneRun(candles, count, account, threads=threads, on_progress=on_progress, blocks=blocks)
    targets = [(words(run.bars + 1), words(run.bars + 1)) for _ in range(threads)]

    def task(number: int, thread: int) -> None:
        up, down = targets[thread]
        first = number * LANES
        last = min(first + LANES, count)
        run.core.clear(up, down)
        for k in range(first, last):
            if run.control.stop[0]:
                return
            decisions = _checked(decide(k), run.bars, k)
            fractional, _ = columns.kinds(decisions.target)
            if fractional:
                run.leave_alone(k)
                continue
            run.core.put(k - first, decisions.bar, decisions.target, account.allow_short, up, down)
        run.core.carry_targets(
            run.lanes, up, down, first, last, LONGEST_BLOCK, run.control.stop, run.control.done, thread
        )

    return run.rows(-(-count // LANES), task, decide)


def simulate_singly(
    candles: Candles,
    count: int,
    ledger_of: Callable[[int], Ledger],
    account: Account,
    *,
    threads: int = 1,
    on_progress: Progress | None = None,
    blocks: bool = True,
) -> Trials:
    """Trials that need the general kernel: `ledger_of(k)` is the single run of set k, summed and let go.

    `ledger_of` is called from the threads; an interrupt takes effect between two runs. A run that a gate
    stopped has its bar in `stopped_bar` and zeros in its blocks.
    """
    trials, control, kernel = no_rows(count, blocks), Control(threads), core()
    bars = len(candles) - candles.warmup
    trials.trial[:] = memoryview(array("q", range(count)))

    def task(number: int, thread: int) -> None:
        put_ledger(trials, number, ledger_of(number), bars, account, kernel)
        control.done[thread] += 1

    def tell() -> None:
        if on_progress is not None:
            on_progress(sum(control.done))

    work(count, task, threads, control, tell)
    return trials


def crossings_of(candles: Candles, pairs: Sequence[tuple[int, int]], down: float, k: int) -> Decisions:
    """The decisions of pair k alone, exact up to 64 bits."""
    rows = LANES + (len(candles) - candles.warmup) // 8
    while True:
        bar, target = zeros("q", rows), zeros("d", rows)
        count = signals.sma_cross(candles.ticks_close, *pairs[k], candles.warmup, down, bar, target)
        if count <= rows:
            return Decisions(bar=bar[:count], target=target[:count])
        rows = count


def _shared_averages(
    kernel: ModuleType, candles: Candles, pairs: Sequence[tuple[int, int]], first: int, flat: bool
) -> Any:
    windows = sorted({window for pair in pairs for window in pair})
    place = {window: k for k, window in enumerate(windows)}
    block = max(LANES, min(LONGEST_BLOCK, TABLE_VALUES // len(windows) // LANES * LANES))
    return kernel.Crossings(
        candles.ticks_close,
        candles.warmup,
        flat,
        first,
        array("q", windows),
        array("q", [place[fast] for fast, _ in pairs]),
        array("q", [place[slow] for _, slow in pairs]),
        block,
        zeros("d", windows[-1] + block + 1),
        zeros("d", len(windows) * (block + 8)),
        words(block),
        words(block),
    )


def _check(candles: Candles, account: Account) -> int:
    """The largest close in ticks. Raises what `simulate` raises for the same candles and account."""
    if not is_plain(candles, account):
        raise EngineError("this account needs the general kernel: simulate_singly")
    check_simulation(candles, account)
    return signals.largest(candles.ticks_close)


def _check_pairs(pairs: Sequence[tuple[int, int]], largest: int) -> None:
    for k, (fast, slow) in enumerate(pairs):
        if not 1 <= fast < slow or largest * fast * slow >= LIMIT:
            raise InvalidSpec(
                f"pair {k} is fast {fast}, slow {slow}: must be 1 <= fast < slow and, with prices up to "
                f"{largest} ticks, fast * slow at most {(LIMIT - 1) // max(largest, 1)}",
                field="spec.parameters",
            )


def _quotients_are_exact(pairs: Sequence[tuple[int, int]], largest: int) -> bool:
    """Unequal averages are then further apart than rounding moves them (SEMANTICS section 2)."""
    most = max((fast * slow for fast, slow in pairs), default=0)
    longest = max((slow for _, slow in pairs), default=0)
    return largest * most < EXACT_QUOTIENTS and largest * (longest + LONGEST_BLOCK) < EXACT_SUMS


def _checked(decisions: Decisions, bars: int, k: int) -> Decisions:
    try:
        check_decisions(decisions, bars)
    except InvalidStrategy as wrong:
        raise InvalidStrategy(f"set {k}: {wrong.message}", field=wrong.field) from None
    return decisions
