"""What of new rows a day does not hold yet: a row that is written twice is one row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from spark_engine.data.archive.segment import (
    CandleColumns,
    CandleRow,
    TickRow,
    candle_columns,
    candle_rows,
    taken,
)
from spark_engine.feeds.archive.pending import UNCOMMITTED


def fresh_ticks(rows: Iterable[TickRow], held: Iterable[tuple[int, str]]) -> list[TickRow]:
    """A trade is its time and its id: the first that came stays. held: of those that came before."""
    seen = set(held)
    fresh = []
    for row in rows:
        if (row.ts, row.id) not in seen:
            seen.add((row.ts, row.id))
            fresh.append(row)
    return fresh


def fresh_candles(rows: Sequence[CandleRow], held: CandleColumns | None) -> list[CandleRow]:
    """A bar that is held in its revision, or as the last one, is dropped; one that differs from what is
    held in its revision becomes the next. Compared is what a file can tell, which keeps doubles."""
    known: dict[int, dict[int, CandleRow]] = {row.ts: {} for row in rows}
    if held is not None:
        for row in candle_rows(taken(held, [n for n, ts in enumerate(held.ts) if ts in known])):
            known[row.ts][row.revision] = row._replace(commit=UNCOMMITTED)
    fresh = []
    for row, told in zip(rows, candle_rows(candle_columns(rows)), strict=True):
        revision = _revision(told, known[row.ts])
        if revision is not None:
            known[row.ts][revision] = told._replace(revision=revision)
            fresh.append(row._replace(revision=revision))
    return fresh


def _revision(row: CandleRow, held: Mapping[int, CandleRow]) -> int | None:
    last = max(held, default=-1)
    if row.revision > last:
        return row.revision
    if row in (held.get(row.revision), held[last]._replace(revision=row.revision)):
        return None
    return last + 1
