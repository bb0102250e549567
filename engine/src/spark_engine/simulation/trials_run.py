"""One call of the 64-lane kernel: the state of all sets, and what its threads share."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from math import inf
from typing import Final

from spark_engine.data.candles import Candles
from spark_engine.data.rows import zeros
from spark_engine.simulation.ledger import Account, Decisions
from spark_engine.simulation.simulate import simulate
from spark_engine.simulation.trials_processor import core
from spark_engine.simulation.trials_rows import BLOCKS, LEAST_RETURNS, Trials, put_ledger
from spark_engine.simulation.trials_threads import Control, Task, work

LANES: Final = 64
LONGEST_BLOCK: Final = 1024  # bars that 64 sets go through at once

Progress = Callable[[int], None]
Decide = Callable[[int], Decisions]

REAL: Final = (
    *("cash", "position", "equity", "s1", "s2", "s3", "s4", "d2", "low", "threshold", "peak", "drawdown"),
    *("min_equity", "fees", "slippage", "turnover", "liquidated", "entry_price", "entry_fee"),
    *("gained", "lost", "pnl", "marked_s1", "marked_s2"),
)
WHOLE: Final = (
    *("fills", "trades", "wins", "losses", "bars_held", "bars_in_position", "entry_bar", "peak_bar"),
    *("longest", "longest_from", "retired_bar"),
)
BY_BLOCK: Final = ("block_s1", "block_s2")
REPORTED: Final = (
    *("s1", "s2", "s3", "s4", "d2", "min_equity", "fees", "slippage", "turnover", "gained", "lost", "pnl"),
    *("fills", "trades", "wins", "losses", "bars_held", "bars_in_position"),
)


def words(rows: int) -> memoryview:
    """A column of 64 bits a bar: a bit a lane."""
    return memoryview(bytearray(8 * rows)).cast("Q")


class LaneRun:
    """The sets [0, count) from their first bar to their rows. `control` and `lanes` are for the tasks."""

    def __init__(
        self,
        candles: Candles,
        count: int,
        account: Account,
        *,
        threads: int,
        on_progress: Progress | None,
        blocks: bool,
    ) -> None:
        self._candles, self._account, self._count = candles, account, count
        self._threads, self._on_progress, self._blocks = threads, on_progress, blocks
        self.bars = len(candles) - candles.warmup
        self.core = core()
        self.control = Control(threads)
        self._columns = _state(count, account, blocks and self.bars > LEAST_RETURNS)
        self.lanes = self.core.Lanes(
            candles.open[candles.warmup :],
            candles.close[candles.warmup :],
            account.fill_next_close,
            account.close_at_end,
            account.taker_rate,
            account.slippage_rate,
            self._columns,
        )

    def leave_alone(self, k: int) -> None:
        """The lane of set k rests from the first bar; `rows` simulates the set alone."""
        self._columns["retired_bar"][k] = 0

    def rows(self, tasks: int, task: Task, decide: Decide) -> Trials:
        """Carries out the tasks, then simulates alone the sets that are left to that or went bankrupt."""
        work(tasks, task, self._threads, self.control, self._tell)
        trials = self._trials()
        retired = [row for row, bar in enumerate(trials.bankrupt_bar) if bar >= 0]

        def alone(number: int, _thread: int) -> None:
            row = retired[number]
            ledger = simulate(self._candles, decide(row), self._account)
            put_ledger(trials, row, ledger, self.bars, self._account, self.core)

        work(len(retired), alone, self._threads, self.control, self._tell)
        return trials

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(sum(self.control.done) // self.bars)

    def _trials(self) -> Trials:
        column = {name: self._columns[name][: self._count] for name in (*REAL, *WHOLE)}
        last_bar = array("q", map(int.__add__, column["longest"], column["longest_from"]))
        rows = self._count * BLOCKS if self._blocks else 0
        by_block = {name: self._columns[name] for name in BY_BLOCK}
        return Trials(
            trial=memoryview(array("q", range(self._count))),
            final_equity=column["equity"],
            max_drawdown=column["drawdown"],
            final_equity_liquidated=column["liquidated"],
            drawdown_peak_bar=column["longest_from"],
            drawdown_last_bar=memoryview(last_bar),
            bankrupt_bar=column["retired_bar"],
            stopped_bar=memoryview(array("q", [-1]) * self._count),
            **{name: values[:rows] if len(values) else zeros("d", rows) for name, values in by_block.items()},
            **{name: column[name] for name in REPORTED},
        )


def _state(count: int, account: Account, blocks: bool) -> dict[str, memoryview]:
    """All columns of the kernel, padded to whole groups; the lanes that pad hold cash and never trade."""
    padded = -(-count // LANES) * LANES
    state = {name: zeros("d", padded) for name in REAL} | {name: zeros("q", padded) for name in WHOLE}
    state |= {name: zeros("d", padded * BLOCKS if blocks else 0) for name in BY_BLOCK}
    for name in ("cash", "equity", "low", "peak", "min_equity"):
        state[name][:] = memoryview(array("d", [account.initial_cash]) * padded)
    state["threshold"][:] = memoryview(array("d", [inf]) * padded)
    state["retired_bar"][:] = memoryview(array("q", [-1]) * padded)
    return state
