"""What candles must be before a strategy sees them: these lists are the specification (SEMANTICS 1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from spark_engine.data import scan
from spark_engine.data.candles import FEED_DOWN
from spark_engine.data.rows import Rows, zeros
from spark_engine.data.stamps import iso
from spark_engine.errors import InvalidData


@dataclass(frozen=True, slots=True)
class Grid:
    """Where bars may begin: anchor_ms + k * step_ms, ms UTC."""

    step_ms: int
    anchor_ms: int


@dataclass(frozen=True, slots=True)
class Finding:
    """count: rows at fault. first: index of the first of them. detail: what is wrong with it."""

    count: int
    first: int
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """find: the rows that break the rule, None where none does. advice: what the field allows instead."""

    rule: str
    field: str
    find: Callable[[Rows, Grid], Finding | None]
    advice: str = ""


def prices_are_positive(rows: Rows, _grid: Grid) -> Finding | None:
    missing, infinite, low, first = scan.price_faults(*rows.prices())
    return _finding(missing + infinite + low, first, lambda: _prices(rows, first))


def range_holds_body(rows: Rows, _grid: Grid) -> Finding | None:
    """What misses by at most 1e-9 is mended here if it was not yet, and is not at fault."""
    _mended, broken, first = scan.order_faults(*rows.prices())
    return _finding(broken, first, lambda: _prices(rows, first))


def volumes_are_finite(rows: Rows, _grid: Grid) -> Finding | None:
    _null, _zero, bad, first = scan.volume_faults(rows.volume)
    return _finding(bad, first, lambda: f"volume {rows.volume[first]!r}")


def times_are_on_grid(rows: Rows, grid: Grid) -> Finding | None:
    count, first = scan.off_grid(rows.ts, grid.step_ms, grid.anchor_ms)
    return _finding(
        count, first, lambda: f"{(rows.ts[first] - grid.anchor_ms) % grid.step_ms} ms after the grid"
    )


def times_are_unique(rows: Rows, _grid: Grid) -> Finding | None:
    """Exact duplicates do not count."""
    _exact, conflicting, first = scan.duplicates(*rows.columns(), zeros("b", len(rows)))
    return _finding(conflicting, first, lambda: f"{_prices(rows, first)}, a later row has other values")


def bars_are_whole(rows: Rows, _grid: Grid) -> Finding | None:
    count, first = scan.partial_rows(rows.quality, zeros("b", len(rows)))
    return _finding(count, first, lambda: "feed-down" if rows.quality[first] == FEED_DOWN else "partial")


def bars_are_gapless(rows: Rows, grid: Grid) -> Finding | None:
    count, missing, _longest, first = scan.gaps(rows.ts, grid.step_ms)
    return _finding(count, first, lambda: f"the bars before it are missing, {missing} bars in all")


PRICES_ARE_POSITIVE: Final = Check("prices must be finite and above 0", "spec.data.uri", prices_are_positive)
RANGE_HOLDS_BODY: Final = Check(
    "low must be at most, and high at least, open and close", "spec.data.uri", range_holds_body
)
VOLUMES_ARE_FINITE: Final = Check(
    "volumes must be finite and at least 0", "spec.data.uri", volumes_are_finite
)
TIMES_ARE_ON_GRID: Final = Check(
    "bars must begin on the grid of their timeframe, UTC",
    "spec.data.uri",
    times_are_on_grid,
    "sources stamped at the close of a bar need spec.data.timestamps: Close",
)
TIMES_ARE_UNIQUE: Final = Check(
    "rows of one time must be equal",
    "spec.data.duplicates",
    times_are_unique,
    "KeepLast keeps the row that comes last in the source",
)
BARS_ARE_WHOLE: Final = Check(
    "bars must not be partial or feed-down",
    "spec.data.partialBars",
    bars_are_whole,
    "Drop leaves such bars out, Keep trades on them; a resampled bar that reaches beyond the source is "
    "partial, so spec.market.start and end on whole bars inside it help too",
)
BARS_ARE_GAPLESS: Final = Check(
    "no bar may be missing", "spec.data.gaps", bars_are_gapless, "Keep trades at the next bar that exists"
)

# Of the rows of the source, in this order; before the prices, since a dropped row may be as bad as it likes.
ROW_CHECKS: Final = (
    TIMES_ARE_UNIQUE,
    PRICES_ARE_POSITIVE,
    RANGE_HOLDS_BODY,
    VOLUMES_ARE_FINITE,
    TIMES_ARE_ON_GRID,
)


def require(checks: Sequence[Check], rows: Rows, grid: Grid) -> None:
    """Raises `InvalidData` for the first check that finds something, naming the bar and the field."""
    for check in checks:
        finding = check.find(rows, grid)
        if finding is not None:
            raise InvalidData(described(check, finding, rows), field=check.field)


def described(check: Check, finding: Finding, rows: Rows) -> str:
    """One sentence. Bars are counted from 0, warm-up included, in time order."""
    others = "" if finding.count == 1 else f" (the first of {finding.count})"
    advice = f"; {check.advice}" if check.advice else ""
    bar = f"bar {finding.first} at {iso(rows.ts[finding.first])}{others}"
    return f"{check.rule}: {bar}: {finding.detail}{advice}"


def _finding(count: int, first: int, detail: Callable[[], str]) -> Finding | None:
    return Finding(count, first, detail()) if count else None


def _prices(rows: Rows, row: int) -> str:
    names = ("open", "high", "low", "close")
    return ", ".join(f"{name} {column[row]!r}" for name, column in zip(names, rows.prices(), strict=True))
