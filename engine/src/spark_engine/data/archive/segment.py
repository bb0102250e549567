"""What a segment of an archive holds: rows of candles or of ticks, and the same as columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeVar

from spark_engine.errors import InvalidData

SOURCES: Final = ("ticks", "history", "merged")  # a candle's source is the place of its name here
NOT_KNOWN: Final = -1  # a candle's number of trades, in memory and in digests
Columns = TypeVar("Columns", "CandleColumns", "TickColumns")


class CandleRow(NamedTuple):
    """One revision of a bar as a feed has it: prices and volume are integers over 10^scale."""

    ts: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    trades: int | None
    quality: int
    source: str
    revision: int
    commit: int
    price_scale: int
    quantity_scale: int


class TickRow(NamedTuple):
    """One trade as a feed has it."""

    ts: int
    id: str
    price: int
    quantity: int
    price_scale: int
    quantity_scale: int
    side: int
    commit: int


@dataclass(frozen=True, slots=True)
class CandleColumns:
    """Equal lengths; "q" int64, "d" float64, "b" int8. trades: `NOT_KNOWN` for null. revision: int64 here."""

    ts: memoryview
    open: memoryview
    high: memoryview
    low: memoryview
    close: memoryview
    volume: memoryview
    trades: memoryview
    quality: memoryview
    source: memoryview
    revision: memoryview
    commit: memoryview
    price_scale: memoryview
    quantity_scale: memoryview

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class TickColumns:
    """Equal lengths; as `CandleColumns`, id a list of texts."""

    ts: memoryview
    id: list[str]
    price: memoryview
    quantity: memoryview
    price_scale: memoryview
    quantity_scale: memoryview
    side: memoryview
    commit: memoryview

    def __len__(self) -> int:
        return len(self.ts)


CANDLE_NAMES: Final = tuple(field.name for field in fields(CandleColumns))


def candle_columns(rows: Iterable[CandleRow]) -> CandleColumns:
    """Integers become the nearest doubles: Python's division of integers is correctly rounded."""
    table = list(rows)
    price = [10**row.price_scale for row in table]
    quantity = [10**row.quantity_scale for row in table]
    pairs = list(zip(table, price, strict=True))
    return CandleColumns(
        ts=_column("q", (row.ts for row in table)),
        open=_column("d", (row.open / scale for row, scale in pairs)),
        high=_column("d", (row.high / scale for row, scale in pairs)),
        low=_column("d", (row.low / scale for row, scale in pairs)),
        close=_column("d", (row.close / scale for row, scale in pairs)),
        volume=_column("d", (row.volume / scale for row, scale in zip(table, quantity, strict=True))),
        trades=_column("q", (NOT_KNOWN if row.trades is None else row.trades for row in table)),
        quality=_column("b", (row.quality for row in table)),
        source=_column("b", (SOURCES.index(row.source) for row in table)),
        revision=_column("q", (row.revision for row in table)),
        commit=_column("q", (row.commit for row in table)),
        price_scale=_column("b", (row.price_scale for row in table)),
        quantity_scale=_column("b", (row.quantity_scale for row in table)),
    )


def candle_rows(columns: CandleColumns) -> list[CandleRow]:
    """What `candle_columns` was given; of integers from 2^52 on, the nearest that the double tells."""
    return [_candle_row(*row) for row in zip(*map(columns.__getattribute__, CANDLE_NAMES), strict=True)]


def _candle_row(ts: int, *row: Any) -> CandleRow:
    *prices, volume, trades, quality, source, revision, commit, price_scale, quantity_scale = row
    opened, high, low, close = (nearest_integer(price, price_scale) for price in prices)
    return CandleRow(
        ts=ts,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=nearest_integer(volume, quantity_scale),
        trades=None if trades == NOT_KNOWN else trades,
        quality=quality,
        source=SOURCES[source],
        revision=revision,
        commit=commit,
        price_scale=price_scale,
        quantity_scale=quantity_scale,
    )


def nearest_integer(value: float, scale: int) -> int:
    """value * 10^scale, rounded half to even from the exact product."""
    numerator, denominator = value.as_integer_ratio()
    whole, rest = divmod(numerator * 10**scale, denominator)
    up = 2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1)
    return int(whole + up)


def tick_columns(rows: Iterable[TickRow]) -> TickColumns:
    table = list(rows)
    return TickColumns(
        ts=_column("q", (row.ts for row in table)),
        id=[row.id for row in table],
        price=_column("q", (row.price for row in table)),
        quantity=_column("q", (row.quantity for row in table)),
        price_scale=_column("b", (row.price_scale for row in table)),
        quantity_scale=_column("b", (row.quantity_scale for row in table)),
        side=_column("b", (row.side for row in table)),
        commit=_column("q", (row.commit for row in table)),
    )


def tick_rows(columns: TickColumns) -> list[TickRow]:
    """What `tick_columns` was given."""
    return list(map(TickRow, *(getattr(columns, field.name) for field in fields(columns))))


def in_order(columns: Columns) -> Columns:
    """Candles by (ts, revision), ticks by (ts, id in UTF-8); `columns` itself where they are so already.

    Raises `InvalidData` for two rows of one place.
    """
    second: Sequence[Any] = columns.revision if isinstance(columns, CandleColumns) else columns.id
    if all(map(int.__lt__, columns.ts, columns.ts[1:])):
        return columns
    if isinstance(columns, TickColumns):
        second = [text.encode() for text in columns.id]
    keys = list(zip(columns.ts, second, strict=True))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    for before, after in pairwise(order):
        if keys[before] == keys[after]:
            raise InvalidData(
                f"the archive holds two rows of {keys[after][0]} ms and {keys[after][1]!r}",
                field="spec.data.uri",
            )
    return taken(columns, order)


def taken(columns: Columns, order: Sequence[int]) -> Columns:
    """A copy of the rows named by `order`, in that order."""
    return type(columns)(*(_taken(getattr(columns, field.name), order) for field in fields(columns)))


def joined(parts: Sequence[Columns]) -> Columns:
    """All rows of at least one part, one after another."""
    if len(parts) == 1:
        return parts[0]
    names = [field.name for field in fields(parts[0])]
    return type(parts[0])(*(_concatenated([getattr(part, name) for part in parts]) for name in names))


def _taken(column: Any, order: Sequence[int]) -> Any:
    picked = map(column.__getitem__, order)
    return list(picked) if isinstance(column, list) else _column(column.format, picked)


def _concatenated(columns: Sequence[Any]) -> Any:
    if isinstance(columns[0], list):
        return [text for column in columns for text in column]
    whole = array(columns[0].format)
    for column in filter(len, columns):
        whole.frombytes(column.cast("B"))
    return memoryview(whole)


def _column(code: str, values: Iterable[float]) -> memoryview:
    return memoryview(array(code, values))
