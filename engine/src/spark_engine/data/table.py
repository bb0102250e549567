"""Arrow record batches into candle rows: parquet has typed columns, CSV has text in all of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from arro3.core import DataType

from spark_engine.data.arrow import float64_column, int64_column
from spark_engine.data.candles import COMPLETE, FEED_DOWN, NO_TRADES, PARTIAL
from spark_engine.data.names import Layout, plain_name, plain_symbol
from spark_engine.data.rows import NAN, Rows, zeros
from spark_engine.data.scan import units_to_ms
from spark_engine.data.stamps import (
    ALLOWED,
    EARLIEST_MS,
    LATEST_MS,
    BadStamp,
    stamps_from_floats,
    stamps_from_integers,
    stamps_from_texts,
)
from spark_engine.errors import InvalidData

if TYPE_CHECKING:
    from arro3.core import Array, RecordBatch

UNITS: Final = {"s": (1000, 1), "ms": (1, 1), "us": (1, 1000), "ns": (1, 1_000_000)}
DAY: Final = (86_400_000, 1)
NULL_TEXTS: Final = frozenset({"", "null", "nan", "na", "n/a", "none", "-"})
QUALITY_NAMES: Final = {
    "complete": COMPLETE,
    "partial": PARTIAL,
    "no_trades": NO_TRADES,
    "feed_down": FEED_DOWN,
}


def rows_from_batches(batches: Sequence[RecordBatch], layout: Layout, symbol: str, what: str) -> Rows:
    """The rows of `symbol` (all rows without a symbol column; "" is the only one), in file order.

    Raises `InvalidData` that names the row (from 1, header aside) and the column of a bad cell.
    """

    def floats(name: str, position: int) -> memoryview:
        return _floats(_chunks(batches, position), name, what)

    rows = sum(batch.num_rows for batch in batches)
    read = Rows(
        ts=_stamps(_chunks(batches, layout.ts), what),
        open=floats("open", layout.open),
        high=floats("high", layout.high),
        low=floats("low", layout.low),
        close=floats("close", layout.close),
        volume=zeros("d", rows) if layout.volume is None else floats("volume", layout.volume),
        quality=zeros("b", rows)
        if layout.quality is None
        else _quality(_chunks(batches, layout.quality), what),
    )
    if layout.symbol is None or rows == 0:
        return read
    return _only(read, _chunks(batches, layout.symbol), symbol, what)


def columns_from_batches(
    batches: Sequence[RecordBatch], time: int, numbers: Mapping[str, int], what: str
) -> list[memoryview]:
    """The times at position `time` in ms UTC, then each column of numbers, NaN where null; in file order.

    Raises `InvalidData` as `rows_from_batches`.
    """
    floats = [_floats(_chunks(batches, position), name, what) for name, position in numbers.items()]
    return [_stamps(_chunks(batches, time), what), *floats]


def _chunks(batches: Sequence[RecordBatch], position: int) -> list[Array]:
    return [_simple(batch.column(position)) for batch in batches]


def _simple(column: Array) -> Array:
    """Dictionaries and views as what they stand for, all text as one type."""
    kind = column.type
    if DataType.is_dictionary(kind) and kind.value_type is not None:
        column = column.cast(kind.value_type)
        kind = column.type
    if DataType.is_string_view(kind) or DataType.is_large_string(kind):
        return column.cast(DataType.string())
    return column


def _floats(chunks: Sequence[Array], name: str, what: str) -> memoryview:
    begin = 0
    cast = []
    mended: dict[int, float] = {}
    for chunk in chunks:
        kind = chunk.type
        if DataType.is_string(kind):
            numbers = chunk.cast(DataType.float64())
            if numbers.null_count != chunk.null_count:
                mended |= _cells(chunk, numbers, begin, name, what)
        elif DataType.is_numeric(kind) or DataType.is_decimal(kind) or DataType.is_null(kind):
            numbers = chunk.cast(DataType.float64())
        else:
            raise InvalidData(
                f"{what}: column {name} holds {_type_name(kind)}, not numbers", field="spec.data.uri"
            )
        cast.append(numbers)
        begin += len(chunk)
    column = float64_column(cast)
    for row, value in mended.items():
        column[row] = value
    return memoryview(column)


def _cells(texts: Array, numbers: Array, begin: int, name: str, what: str) -> dict[int, float]:
    """The cells that arrow does not take for a number: spelt with blanks around, or as nothing."""
    found = {}
    for row, (text, number) in enumerate(zip(texts.to_pylist(), numbers.to_pylist(), strict=True), begin):
        if number is None and text is not None:
            found[row] = _cell(text, row, name, what)
    return found


def _cell(text: str, row: int, name: str, what: str) -> float:
    plain = text.strip()
    if plain.lower() in NULL_TEXTS:
        return NAN
    try:
        if "_" not in plain and plain.isascii():
            return float(plain)
    except ValueError:
        pass
    raise InvalidData(
        f"{what}, row {row + 1}, column {name}: {text[:40]!r} is not a number", field="spec.data.uri"
    )


def _stamps(chunks: Sequence[Array], what: str) -> memoryview:
    if not chunks:
        return zeros("q", 0)
    try:
        return _milliseconds(chunks, chunks[0].type, what)
    except BadStamp as bad:
        raise InvalidData(
            f"{what}, row {bad.row + 1}: {bad.text} is not a time; {ALLOWED}", field="spec.data.uri"
        ) from None


def _milliseconds(chunks: Sequence[Array], kind: DataType, what: str) -> memoryview:
    if DataType.is_timestamp(kind):
        return _scaled(_integers(chunks), *UNITS[str(kind.time_unit)])
    if DataType.is_date32(kind):
        return _scaled(_integers([chunk.cast(DataType.int32()) for chunk in chunks]), *DAY)
    if DataType.is_date64(kind):
        return _scaled(_integers(chunks), *UNITS["ms"])
    if DataType.is_integer(kind):
        return stamps_from_integers(_integers(chunks))
    if DataType.is_floating(kind) or DataType.is_decimal(kind):
        return stamps_from_floats(
            memoryview(float64_column([chunk.cast(DataType.float64()) for chunk in chunks]))
        )
    if DataType.is_string(kind):
        numbers = [chunk.cast(DataType.int64()) for chunk in chunks]
        if not any(chunk.null_count for chunk in numbers):
            return stamps_from_integers(int64_column(numbers))
        return stamps_from_texts([text for chunk in chunks for text in chunk.to_pylist()])
    raise InvalidData(f"{what}: the time column holds {_type_name(kind)}; {ALLOWED}", field="spec.data.uri")


def _integers(chunks: Sequence[Array]) -> memoryview:
    cast = [chunk.cast(DataType.int64()) for chunk in chunks]
    begin = 0
    for chunk in cast:
        if chunk.null_count:
            raise BadStamp(begin + list(chunk.to_pylist()).index(None), "nothing")
        begin += len(chunk)
    return int64_column(cast)


def _scaled(values: memoryview, multiply: int, divide: int) -> memoryview:
    bad = units_to_ms(values, multiply, divide, EARLIEST_MS, LATEST_MS)
    if bad >= 0:
        raise BadStamp(bad, str(values[bad]))
    return values


def _texts(chunks: Sequence[Array]) -> Iterator[str]:
    for chunk in chunks:
        for value in chunk.to_pylist():
            yield "" if value is None else str(value)


def _quality(chunks: Sequence[Array], what: str) -> memoryview:
    flags = array("b")
    for row, text in enumerate(_texts(chunks)):
        name = plain_name(text)
        flag = QUALITY_NAMES.get(
            name, COMPLETE if not name else int(name) if name in ("0", "1", "2", "3") else None
        )
        if flag is None:
            raise InvalidData(
                f"{what}, row {row + 1}: quality must be complete, partial, no-trades, feed-down or 0 to 3; "
                f"is {text[:40]!r}",
                field="spec.data.uri",
            )
        flags.append(flag)
    return memoryview(flags)


def _only(rows: Rows, chunks: Sequence[Array], symbol: str, what: str) -> Rows:
    names = list(_texts(chunks))
    if not symbol:
        if len(set(names)) == 1:
            return rows
        raise InvalidData(
            f"{what} holds {len(set(names))} symbols, name one of {_some(names)}", field="spec.market.symbol"
        )
    wanted = {name for name in set(names) if plain_symbol(name) == plain_symbol(symbol)}
    if not wanted:
        raise InvalidData(
            f"{what} has no rows of {symbol}; it has {_some(names)}", field="spec.market.symbol"
        )
    if len(wanted) == len(set(names)):
        return rows
    return rows.take([row for row, name in enumerate(names) if name in wanted])


def _some(names: Sequence[str]) -> str:
    return ", ".join(sorted(set(names))[:5])[:200]


def _type_name(kind: DataType) -> str:
    return str(kind).strip().removeprefix("arro3.core.DataType<").removesuffix(">")[:60]
