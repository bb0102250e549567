"""The tables of trials in pieces become one: ranks, digest, and the figures of the selection.

Columns that are needed whole lie in files that are mapped, so that memory does not grow with the trials.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isnan, nan
from pathlib import Path
from typing import Any

import arro3.core as arrow

from spark_engine.data.rows import zeros
from spark_engine.evidence import sweep_tables as tables
from spark_engine.evidence.sweep_result import trials_digest
from spark_engine.simulation.trials_rows import BLOCKS
from spark_engine.statistics.selection import SharpeRatios, sharpe_ratios
from spark_engine.statistics.selection_overfitting import Overfitting, overfitting
from spark_engine.sweeps.measure import Measure
from spark_engine.sweeps.ranking import Direction, ranked
from spark_engine.sweeps.selection import NONE

WHOLE = ("trial", "trades")
REAL = ("finalEquity", "maxDrawdown", "s1", "s2", "sharpe", "objective")
BATCH = 8_192


@dataclass(frozen=True, slots=True)
class Sources:
    """The tables of trials in pieces, ids ascending from piece to piece: parts, or shards."""

    results: tuple[Path, ...]
    blocks: tuple[Path, ...]
    training: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """All trials, ascending. `rank`: int64, from 1, 0 for a trial with an error. `best`: rows, best first."""

    columns: Mapping[str, memoryview]
    rank: memoryview
    best: Sequence[int]
    errors: int
    digest: str

    def __len__(self) -> int:
        return len(self.columns["trial"])


def gather(sources: Sources, objective: tuple[str, Direction], top: int, scratch: Path) -> Gathered:
    """Reads every piece once. `top`: how many of the best are wanted. `scratch`: a folder for its columns."""
    metric, direction = objective
    columns = _columns(sources, metric, scratch)
    failed = _failed(columns)
    digest = trials_digest(*(columns[name] for name in ("trial", "trades", *REAL[:4])))
    rank = _mapped(scratch / "rank", "q", len(columns["trial"]))
    best: list[int] = []
    place = 0
    # A trial with an error has no objective either, but comes behind those that merely have none
    for row in ranked(columns["objective"], columns["trial"], direction):
        if columns["trades"][row] < 0:
            continue
        place += 1
        rank[row] = place
        if place <= top:
            best.append(row)
    return Gathered(columns, rank, best, failed, digest)


def ranked_batches(sources: Sources, gathered: Gathered | None) -> Iterator[arrow.RecordBatch]:
    """The table, batch by batch, with the ranks where there are any: before the column `error`."""
    begin = 0
    for path in sources.results:
        for batch in tables.read_batches(path):
            if gathered is None:
                yield batch
                continue
            ranks = [place or None for place in gathered.rank[begin : begin + batch.num_rows]]
            begin += batch.num_rows
            names = [*batch.column_names[:-1], "rank", "error"]
            made = {name: batch.column(name) for name in batch.column_names}
            made["rank"] = arrow.Array(ranks, tables.INTEGER)
            yield arrow.RecordBatch.from_pydict({name: made[name] for name in names})


def rows_of(sources: Sources, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Rows of the table of trials, by column, in the order of `rows`."""
    wanted, found = set(rows), {}
    begin = 0
    for path in sources.results:
        for batch in tables.read_batches(path):
            here = [row for row in wanted if begin <= row < begin + batch.num_rows]
            found.update({row: tables.row_of(batch, row - begin) for row in here})
            begin += batch.num_rows
    return [found[row] for row in rows]


def ratios_of(gathered: Gathered, measure: Measure) -> SharpeRatios:
    """The Sharpe ratios per bar of the trials without an error, batch by batch."""
    trades, sharpe = gathered.columns["trades"], gathered.columns["sharpe"]
    values = (
        measure.per_bar(None if isnan(sharpe[row]) else sharpe[row])
        for row in range(len(gathered))
        if trades[row] >= 0
    )
    return joined_ratios(values)


def overfit(sources: Sources, trials: int, returns: int) -> Overfitting | None:
    """PBO of all trials without an error, where their block sums were kept."""
    s1, s2 = array("d"), array("d")
    for path in sources.blocks:
        for batch in tables.read_batches(path):
            s1.extend(tables.floats(batch, "s1"))
            s2.extend(tables.floats(batch, "s2"))
    if len(s1) != trials * BLOCKS or not len(s1):
        return None
    return overfitting(memoryview(s1), memoryview(s2), returns)


def joined_ratios(values: Iterator[float | None]) -> SharpeRatios:
    """Of values that need not fit into memory."""
    whole = NONE
    while batch := list(islice(values, BATCH)):
        whole = whole.joined(sharpe_ratios(batch))
    return whole


def _failed(columns: Mapping[str, memoryview]) -> int:
    """Trials with an error; their rows take the values that the digest has for them."""
    failed = 0
    for row, equity in enumerate(columns["finalEquity"]):
        if isnan(equity):
            failed += 1
            columns["trades"][row] = -1
            for name in ("finalEquity", "maxDrawdown", "s1", "s2"):
                columns[name][row] = 0.0  # type: ignore[call-overload]
    return failed


def _columns(sources: Sources, metric: str, scratch: Path) -> dict[str, memoryview]:
    scratch.mkdir(exist_ok=True)
    files = {name: (scratch / name).open("wb") for name in (*WHOLE, *REAL)}
    rows = 0
    try:
        for path in sources.results:
            for batch in tables.read_batches(path):
                rows += batch.num_rows
                for name in WHOLE:
                    files[name].write(tables.integers(batch, name))
                for name in REAL[:-1]:
                    files[name].write(tables.floats(batch, name))
                files["objective"].write(objective_of(batch, metric))
    finally:
        for file in files.values():
            file.close()
    return {name: _mapped(scratch / name, "q" if name in WHOLE else "d", rows) for name in (*WHOLE, *REAL)}


def objective_of(batch: arrow.RecordBatch, metric: str) -> array[float]:
    """The objective as it is reported, to 12 digits; NaN where null."""
    if metric == "trades":
        equity = tables.floats(batch, "finalEquity")
        trades = tables.integers(batch, metric)
        return array("d", (nan if isnan(e) else float(t) for e, t in zip(equity, trades, strict=True)))
    values = tables.floats(batch, metric)
    if metric in tables.EXACT:
        return array("d", (float(f"{value:.12g}") for value in values))
    return values


def _mapped(path: Path, code: str, rows: int) -> memoryview:
    """A writable column in a file of that many rows."""
    if rows == 0:
        return zeros("q" if code == "q" else "d", 0)
    with path.open("ab") as file:
        file.truncate(8 * rows)
    with path.open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 8 * rows)).cast(code)  # type: ignore[call-overload,no-any-return]
