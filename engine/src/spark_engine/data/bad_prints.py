"""Prices that no trade can have had: far from what was paid before and after. Reported, not guessed away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from spark_engine.data.rows import Rows

FACTOR: Final = 1.5  # a split or a crash stays; what comes back within a bar from so far off does not happen
SIDE: Final = 5  # bars on either side whose median close stands for what was paid there
NAMES: Final = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class BadPrint:
    """`field` of the bar at `ts_ms` is `price`; the bars around it close near `around`."""

    ts_ms: int
    field: str
    price: float
    around: float


def bad_prints(rows: Rows) -> Iterator[BadPrint]:
    """In time order. A price counts that is `FACTOR` times above, or below, the closes of both sides.

    `rows` are in time order, one a time; at the ends there is one side. Needs three rows.
    """
    if len(rows) < 3:
        return
    for row in _suspects(rows):
        sides = [side for side in _sides(rows.close, row) if side]
        for name, column in zip(NAMES, rows.prices(), strict=True):
            price = column[row]
            levels = [median(side) for side in sides]
            if price > FACTOR * max(levels) or price * FACTOR < min(levels):
                yield BadPrint(rows.ts[row], name, price, median(levels))


def _suspects(rows: Rows) -> Iterator[int]:
    """Rows with a price far from the close of a neighbour: few, so that medians are taken of few."""
    close = rows.close
    for row, (high, low) in enumerate(zip(rows.high, rows.low, strict=True)):
        near = close[row - 1] if row else close[row + 1]
        if high > FACTOR * near or low * FACTOR < near:
            yield row


def _sides(close: memoryview, row: int) -> tuple[Sequence[float], Sequence[float]]:
    def usable(values: memoryview) -> list[float]:
        return [value for value in values if 0.0 < value < float("inf")]

    return usable(close[max(0, row - SIDE) : row]), usable(close[row + 1 : row + 1 + SIDE])
