"""A segment of an archive: an immutable parquet file of candles or of ticks, to and from its bytes.

Candles: ts timestamp[ms, UTC], open, high, low, close, volume float64 (the double nearest to the integer
over 10^scale), trades int64 (null: not known), quality int8, source int8 (`SOURCES`), revision int32, commit
int64, price_scale int8, quantity_scale int8. Ticks: ts, id text, price int64, quantity int64, price_scale
int8, quantity_scale int8, side int8, commit int64.

Candles lie in order of (ts, revision), ticks of (commit, ts, id): segments of ticks that follow each other
become one by being put together.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import arro3.core as arrow
import arro3.io

from spark_engine.data.archive.segment import NOT_KNOWN, CandleColumns, Columns, TickColumns
from spark_engine.data.arrow import decoding, float64_column, int8_column, int64_column
from spark_engine.data.parquet_file import BATCH_ROWS, bounded_batches, parquet_reader
from spark_engine.errors import InvalidData

if TYPE_CHECKING:
    from arro3.core import Array, RecordBatch, RecordBatchReader, Table

COMPRESSION: Final = "zstd(3)"
TIMESTAMP: Final = arrow.DataType.timestamp("ms", tz="UTC")
TEXT: Final = arrow.DataType.utf8()
FLOATS: Final = ("open", "high", "low", "close", "volume")
SMALL: Final = ("quality", "source", "price_scale", "quantity_scale", "side")
BATCH_TICKS: Final = 1 << 14  # in memory at once, of a segment that is read in parts


def encode_candles(columns: CandleColumns) -> bytes:
    """The bytes of the parquet file, rows in the order given."""
    table = _numbers(columns)
    table["trades"] = _trades(columns.trades)
    table["revision"] = table["revision"].cast(arrow.DataType.int32())
    return _encoded(table)


def encode_ticks(columns: TickColumns) -> bytes:
    """Likewise, of ticks."""
    return _encoded(_numbers(columns))


def decode_candles(content: bytes, what: str) -> CandleColumns:
    """The rows of a segment in its order. Raises `InvalidData`. Corrupt bytes may end the process: readers
    of files that they did not write decode in `data.isolated`."""
    return _decoded(CandleColumns, content, what)


def decode_ticks(content: bytes, what: str) -> TickColumns:
    """Likewise, of ticks."""
    return _decoded(TickColumns, content, what)


def tick_batches(content: bytes, what: str) -> Iterator[TickColumns]:
    """Likewise, `BATCH_TICKS` at a time."""
    reader = _reader(TickColumns, content, what, BATCH_TICKS)
    while True:
        with decoding(what):
            batch = next(reader, None)
            if batch is None:
                return
            columns = _of_batches(TickColumns, [batch])
        yield columns


def joined_ticks(contents: Iterable[bytes], what: str) -> tuple[bytes, int]:
    """The bytes of one segment of the rows of several, one after another, and how many they are."""
    batches: list[RecordBatch] = []
    for content in contents:
        reader = _reader(TickColumns, content, what)
        with decoding(what):
            batches += bounded_batches(reader, what)
    table = arrow.Table.from_batches(batches)
    return _written(table), table.num_rows


def _numbers(columns: CandleColumns | TickColumns) -> dict[str, Any]:
    table = {field.name: _array(getattr(columns, field.name)) for field in fields(columns)}
    table["ts"] = table["ts"].cast(TIMESTAMP)
    return table


def _array(column: memoryview | list[str]) -> Array:
    if isinstance(column, list):
        return arrow.Array(column, TEXT)
    types = {"q": arrow.DataType.int64(), "d": arrow.DataType.float64(), "b": arrow.DataType.int8()}
    return arrow.Array.from_buffer(column) if len(column) else arrow.Array([], types[column.format])


def _trades(column: memoryview) -> Array:
    if NOT_KNOWN not in column:
        return _array(column)
    return arrow.Array([None if count == NOT_KNOWN else count for count in column], arrow.DataType.int64())


def _encoded(columns: dict[str, Any]) -> bytes:
    return _written(arrow.Table.from_pydict(columns))


def _written(table: Table) -> bytes:
    buffer = io.BytesIO()
    columns = table.column_names
    whole = ("ts", "commit", "price", "quantity")
    arro3.io.write_parquet(
        table,
        buffer,
        compression=COMPRESSION,
        dictionary_enabled=False,
        column_dictionary_enabled={name: True for name in columns if name in SMALL or name == "revision"},
        column_encoding={name: "delta_binary_packed" for name in columns if name in whole},
    )
    return buffer.getvalue()


def _decoded(kind: type[Columns], content: bytes, what: str) -> Columns:
    reader = _reader(kind, content, what)
    with decoding(what):
        return _of_batches(kind, bounded_batches(reader, what))


def _reader(
    kind: type[Columns], content: bytes, what: str, batch_rows: int = BATCH_ROWS
) -> RecordBatchReader:
    reader = parquet_reader(content, what, batch_rows)
    with decoding(what):
        found = list(reader.schema.names)
    if found != [field.name for field in fields(kind)]:
        raise InvalidData(
            f"{what} is no segment: its columns are {', '.join(found)[:200]}", field="spec.data.uri"
        )
    return reader


def _of_batches(kind: type[Columns], batches: Sequence[RecordBatch]) -> Columns:
    return kind(*(_values(batches, place, field.name) for place, field in enumerate(fields(kind))))


def _values(batches: Sequence[RecordBatch], place: int, name: str) -> Any:
    chunks = [batch.column(place) for batch in batches]
    if name == "id":
        return [text for chunk in chunks for text in chunk.cast(TEXT).to_pylist()]
    if name in FLOATS:
        return memoryview(float64_column([chunk.cast(arrow.DataType.float64()) for chunk in chunks]))
    if name in SMALL:
        return int8_column([chunk.cast(arrow.DataType.int8()) for chunk in chunks])
    whole = [chunk.cast(arrow.DataType.int64()) for chunk in chunks]
    if name == "trades" and any(chunk.null_count for chunk in whole):
        counts = (count for chunk in whole for count in chunk.to_pylist())
        return memoryview(array("q", (NOT_KNOWN if count is None else count for count in counts)))
    return int64_column(whole)
