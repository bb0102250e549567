"""Returns by month and year as rows of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spark_engine.report.formatting import ABSENT, signed_percent

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HEAT = (0.02, 0.08)  # returns from which a cell is shaded more


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    tone: str  # style class, empty for none


@dataclass(frozen=True, slots=True)
class Year:
    """Twelve months and the year, of the strategy and of buy-and-hold."""

    year: str
    strategy: list[Cell]
    benchmark: list[Cell]


def monthly_table(chart: Mapping[str, Any]) -> list[Year]:
    """By UTC year; empty for artifacts of earlier engines."""
    monthly = chart.get("monthly")
    if monthly is None:
        return []
    known = {month: index for index, month in enumerate(monthly["months"])}
    years = sorted({month[:4] for month in known})
    return [
        Year(year, *(_cells(year, known, monthly[name]) for name in ("strategy", "benchmark")))
        for year in years
    ]


def _cells(year: str, known: Mapping[str, int], returns: Sequence[float | None]) -> list[Cell]:
    months = [f"{year}-{month:02}" for month in range(1, 13)]
    values = [returns[known[month]] if month in known else None for month in months]
    growth: float | None = 1.0
    for month, value in zip(months, values, strict=True):
        if month in known:
            growth = None if growth is None or value is None else growth * (1.0 + value)
    return [_cell(value) for value in [*values, None if growth is None else growth - 1.0]]


def _cell(value: float | None) -> Cell:
    if value is None:
        return Cell(ABSENT, "none")
    depth = 1 + sum(1 for limit in HEAT if abs(value) >= limit)
    tone = "" if value == 0 else f"{'gain' if value > 0 else 'loss'}-{depth}"
    return Cell(signed_percent(value, 1 if abs(value) < 10 else 0), tone)
