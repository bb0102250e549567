"""What is in a source, clean or not: the reading that `backtest data inspect` prints."""

from __future__ import annotations

import time
from dataclasses import dataclass
from heapq import nlargest
from itertools import pairwise
from typing import Final

from spark_engine.data import scan
from spark_engine.data.check import BARS_ARE_WHOLE, ROW_CHECKS, Grid, described
from spark_engine.data.decode import SortedRows, decode
from spark_engine.data.files import Source
from spark_engine.data.prepare import prepared
from spark_engine.data.request import CandleRequest, timeframe_text
from spark_engine.data.rows import Rows, shift, zeros
from spark_engine.data.source import open_source
from spark_engine.data.ticks import tick_scale
from spark_engine.data.timeframe import grid_anchor_ms, source_step_ms
from spark_engine.errors import BacktestError

GAPS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars missing between two rows that exist, ms UTC."""

    after_ms: int
    before_ms: int
    missing_bars: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a run under default policies would not take the data, and the field that governs it."""

    field: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """Counts are rows of the whole source, duplicates included; gaps are counted between different times."""

    uri: str
    files: tuple[str, ...]
    bytes: int
    sha256: str
    rows: int
    first_ms: int
    last_ms: int
    timeframe: str | None  # None where there are no two times
    unsorted_rows: int
    gaps: int
    missing_bars: int
    longest_gaps: tuple[Gap, ...]
    exact_duplicates: int
    conflicting_duplicates: int
    nan_prices: int
    infinite_prices: int
    prices_not_above_zero: int
    broken_ranges: int
    broken_ranges_within_1e9: int
    off_grid_rows: int
    null_volumes: int
    zero_volumes: int
    bad_volumes: int
    flat_bars: int
    partial_bars: int
    price_scale: int | None  # of the rows with usable prices; None where they fit no scale
    refusals: tuple[Refusal, ...]

    @property
    def accepted(self) -> bool:
        """Whether a run of the source's own timeframe under default policies would take all of it."""
        return not self.refusals


def inspect_candles(
    uri: str, symbol: str | None = None, timestamps: str = "Open", now_ms: int | None = None
) -> Inspection:
    """Reads `uri` and reports on it. Dirty rows are counted, never an error.

    `symbol` is needed only where the source holds several. Raises `InvalidData` where there are no rows to be
    had (nothing there, no candle columns, a cell that is no number), `StoreUnavailable` as `read_candles`.
    """
    source = open_source(uri)
    table = decode(source.files, symbol or "", timestamps)
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    return _inspection(uri, source, table, timestamps, now_ms)


def _inspection(uri: str, source: Source, table: SortedRows, timestamps: str, now_ms: int) -> Inspection:
    rows = table.rows.copy()
    step_ms = source_step_ms(rows.ts)
    if timestamps == "Close":
        shift(rows.ts, -step_ms)
    grid = Grid(step_ms or 1, grid_anchor_ms(step_ms or 1))
    null_volumes, zero_volumes, bad_volumes, _ = scan.volume_faults(rows.volume)
    within, broken, _ = scan.order_faults(*rows.prices())
    exact, conflicting, _ = scan.duplicates(*rows.columns(), zeros("b", len(rows)))
    nan, infinite, not_above_zero, _ = scan.price_faults(*rows.prices())
    off_grid, _ = scan.off_grid(rows.ts, grid.step_ms, grid.anchor_ms)
    gaps, missing, _, _ = scan.gaps(rows.ts, grid.step_ms) if step_ms else (0, 0, 0, 0)
    partial, _ = scan.partial_rows(rows.quality, zeros("b", len(rows)))
    return Inspection(
        uri=uri,
        files=tuple(source.files),
        bytes=source.size,
        sha256=source.sha256,
        rows=len(rows),
        first_ms=rows.ts[0],
        last_ms=rows.ts[-1],
        timeframe=timeframe_text(step_ms) if step_ms else None,
        unsorted_rows=table.unsorted,
        gaps=gaps,
        missing_bars=missing,
        longest_gaps=_longest_gaps(rows.ts, step_ms),
        exact_duplicates=exact,
        conflicting_duplicates=conflicting,
        nan_prices=nan,
        infinite_prices=infinite,
        prices_not_above_zero=not_above_zero,
        broken_ranges=broken,
        broken_ranges_within_1e9=within,
        off_grid_rows=off_grid,
        null_volumes=null_volumes,
        zero_volumes=zero_volumes,
        bad_volumes=bad_volumes,
        flat_bars=sum(o == h == low == c for o, h, low, c in zip(*rows.prices(), strict=True)),
        partial_bars=partial,
        price_scale=tick_scale(_with_prices(rows)),
        refusals=_refusals(uri, table, rows, grid, timestamps, now_ms),
    )


def _with_prices(rows: Rows) -> Rows:
    """The rows whose four prices are finite and above 0."""
    infinity = float("inf")
    bars = enumerate(zip(*rows.prices(), strict=True))
    good = [row for row, prices in bars if all(0 < price < infinity for price in prices)]
    return rows if len(good) == len(rows) else rows.take(good)


def _longest_gaps(ts: memoryview, step_ms: int) -> tuple[Gap, ...]:
    if not step_ms:
        return ()
    found = (
        Gap(before, after, (after - before) // step_ms - 1)
        for before, after in pairwise(ts)
        if after - before >= 2 * step_ms
    )
    return tuple(nlargest(GAPS_SHOWN, found, key=lambda gap: gap.missing_bars))


def _refusals(
    uri: str, table: SortedRows, mended: Rows, grid: Grid, timestamps: str, now_ms: int
) -> tuple[Refusal, ...]:
    """Every rule that the rows break; where they break none, what a run says that reads them all."""
    found = [(check, check.find(mended, grid)) for check in (*ROW_CHECKS, BARS_ARE_WHOLE)]
    refusals = tuple(
        Refusal(check.field, described(check, finding, mended))
        for check, finding in found
        if finding is not None
    )
    return refusals or _refused_run(uri, table, timeframe_text(grid.step_ms), timestamps, now_ms)


def _refused_run(
    uri: str, table: SortedRows, timeframe: str, timestamps: str, now_ms: int
) -> tuple[Refusal, ...]:
    try:
        request = CandleRequest(uri, "", timeframe, timestamps=timestamps)
        prepared(table, request, now_ms)
    except BacktestError as refused:
        return (Refusal(refused.field, refused.message),)
    return ()
