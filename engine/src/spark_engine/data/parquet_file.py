"""Candles from the bytes of a parquet file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from arro3.io import read_parquet

from spark_engine.data.arrow import decoding
from spark_engine.data.names import layout_by_name
from spark_engine.data.rows import Rows
from spark_engine.data.table import rows_from_batches
from spark_engine.errors import InvalidData

if TYPE_CHECKING:
    from arro3.core import RecordBatch, RecordBatchReader

MAGIC: Final = b"PAR1"
BATCH_ROWS: Final = 1 << 18
MAX_ROWS: Final = 50_000_000


def read_parquet_rows(content: bytes, what: str, symbol: str, timestamps: str) -> Rows:
    """The rows of one file. Raises `InvalidData`."""
    reader = parquet_reader(content, what)
    with decoding(what):
        layout = layout_by_name(reader.schema.names, symbol, timestamps, what)
        return rows_from_batches(bounded_batches(reader, what), layout, symbol, what)


def parquet_reader(content: bytes, what: str, batch_rows: int = BATCH_ROWS) -> RecordBatchReader:
    """Raises `InvalidData` for what is no parquet file."""
    if len(content) < 12 or content[:4] != MAGIC or content[-4:] != MAGIC:
        raise InvalidData(
            f"{what} is not a whole parquet file: {len(content)} bytes, which must begin and end with PAR1",
            field="spec.data.uri",
        )
    with decoding(what):
        return read_parquet(content, batch_size=batch_rows)


def bounded_batches(reader: RecordBatchReader, what: str) -> list[RecordBatch]:
    """All batches of at most `MAX_ROWS` rows. Raises `InvalidData`."""
    batches = []
    rows = 0
    for batch in reader:
        rows += batch.num_rows
        if rows > MAX_ROWS:
            raise InvalidData(f"{what} has more than {MAX_ROWS} rows", field="spec.data.uri")
        batches.append(batch)
    return batches
