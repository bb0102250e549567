"""Candle rows on their way in: seven columns that this process owns and may write to."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias, cast

from spark_engine.data.memory import uncleared

NAN: Final = float("nan")
Columns: TypeAlias = tuple[memoryview, memoryview, memoryview, memoryview, memoryview, memoryview, memoryview]
ColumnType: TypeAlias = Literal["q", "d", "b"]
TYPE_CODES: Final[dict[str, ColumnType]] = {"ts": "q", "quality": "b"}
SIZES: Final = {"q": 8, "d": 8, "b": 1}


@dataclass(frozen=True, slots=True)
class Rows:
    """Equal lengths. ts: int64, ms UTC. quality: int8. The others: float64, NaN where null."""

    ts: memoryview
    open: memoryview
    high: memoryview
    low: memoryview
    close: memoryview
    volume: memoryview
    quality: memoryview

    def __len__(self) -> int:
        return len(self.ts)

    def prices(self) -> tuple[memoryview, memoryview, memoryview, memoryview]:
        return self.open, self.high, self.low, self.close

    def columns(self) -> Columns:
        return self.ts, self.open, self.high, self.low, self.close, self.volume, self.quality

    def between(self, begin: int, end: int) -> Rows:
        """The rows [begin, end), sharing memory."""
        return Rows(*(column[begin:end] for column in self.columns()))

    def take(self, order: Sequence[int]) -> Rows:
        """A copy of the rows named by `order`, in that order."""
        return Rows(*(typed(column.format, map(column.__getitem__, order)) for column in self.columns()))

    def copy(self) -> Rows:
        return joined([self.between(0, len(self)), self.between(0, 0)])


def typed(code: str, values: Iterable[float]) -> memoryview:
    """A writable column of type `code` ("q", "d", "b")."""
    return memoryview(array(code, values))


def shift(ts: memoryview, by_ms: int) -> None:
    """ts += by_ms, in place."""
    ts[:] = typed("q", (stamp + by_ms for stamp in ts))


def zeros(code: ColumnType, length: int) -> memoryview:
    """A writable column of zeros; its pages are touched only where it is written."""
    column = memoryview(bytearray(SIZES[code] * length)).cast(code)
    return cast(memoryview, column)  # columns are typed alike, whatever they hold


def unwritten(code: ColumnType, length: int) -> memoryview:
    """A writable column that holds whatever was in memory: its writer writes every row."""
    column = memoryview(uncleared(SIZES[code] * length)).cast(code)
    return cast(memoryview, column)


def empty(length: int) -> Rows:
    """Rows of zeros, to be written."""
    return Rows(*(zeros(TYPE_CODES.get(column.name, "d"), length) for column in fields(Rows)))


def joined(parts: Sequence[Rows]) -> Rows:
    """All rows of `parts`, one after another."""
    if len(parts) == 1:
        return parts[0]
    whole = empty(sum(map(len, parts)))
    begin = 0
    for part in parts:
        for target, column in zip(whole.columns(), part.columns(), strict=True):
            target[begin : begin + len(part)] = column
        begin += len(part)
    return whole
