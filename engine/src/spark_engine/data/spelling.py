"""Rows, times and spans in words, for reports of what was mended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from spark_engine.data.origin import DAY, FORMS, MS, NS, TYPED, UNREADABLE, US
from spark_engine.data.rows import Rows
from spark_engine.data.stamps import iso

NUMBERS: Final[dict[int, Callable[[int], str]]] = {
    NS: lambda ms: f"{ms}000000",
    US: lambda ms: f"{ms}000",
    MS: str,
    DAY: lambda ms: iso(ms)[:10].replace("-", ""),
}


def bar_text(rows: Rows, row: int) -> str:
    return f"{prices_text(rows, row)}, volume {number_text(rows.volume[row])}"


def prices_text(rows: Rows, row: int) -> str:
    names = ("open", "high", "low", "close")
    return ", ".join(
        f"{name} {number_text(column[row])}" for name, column in zip(names, rows.prices(), strict=True)
    )


def number_text(value: float) -> str:
    return repr(value).removesuffix(".0")


def time_as_written(ms: int, form: int) -> str:
    """A time as the source wrote it, but for blanks and zeros at its end."""
    if form in (TYPED, UNREADABLE):
        return iso(ms)
    if form > DAY:
        return f"{iso(ms)} as {FORMS[form]}"
    return NUMBERS[form](ms) if form in NUMBERS else number_text(ms / 1000)


def span_text(ms: int) -> str:
    """4 h, 90 s."""
    size = abs(ms)
    for unit, length in (("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if size % length == 0:
            return f"{size // length} {unit}"
    return f"{size} ms"


def direction(ts: memoryview) -> str:
    """ascending, descending or mixed."""
    rising = falling = False
    for row in range(1, len(ts)):
        rising = rising or ts[row] > ts[row - 1]
        falling = falling or ts[row] < ts[row - 1]
    return "mixed" if rising and falling else "descending" if falling else "ascending"
