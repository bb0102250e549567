"""Which symbols a file holds."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from spark_engine.data.arrow import decoding
from spark_engine.data.csv_file import csv_layout, csv_text
from spark_engine.data.isolated import isolated_columns
from spark_engine.data.names import layout_by_name
from spark_engine.data.parquet_file import MAGIC, bounded_batches, parquet_reader

if TYPE_CHECKING:
    from arro3.core import RecordBatch


def symbols_of(content: bytes, what: str) -> tuple[str, ...] | None:
    """As the file spells them, sorted; None for a file without a column of symbols. Raises `InvalidData`."""
    (column,) = isolated_columns(lambda: [_encoded(_symbols(content, what))], what)
    text = column.tobytes().decode()
    return tuple(text.split("\n")[1:]) if text else None


def _symbols(content: bytes, what: str) -> list[str] | None:
    with decoding(what):
        if what.lower().endswith(".parquet") or content.startswith(MAGIC):
            reader = parquet_reader(content, what)
            position = layout_by_name(reader.schema.names, "", "Open", what).symbol
            return None if position is None else _distinct(bounded_batches(reader, what), position)
        text = csv_text(content, what)
        layout, has_header = csv_layout(text.cells, "", "Open", what)
        return None if layout.symbol is None else _distinct(text.batches(has_header), layout.symbol)


def _distinct(batches: list[RecordBatch], position: int) -> list[str]:
    names = {str(name or "").strip() for batch in batches for name in batch.column(position).to_pylist()}
    return sorted(name.replace("\n", " ") for name in names)


def _encoded(names: list[str] | None) -> memoryview:
    """A column of bytes, since only numbers leave the process that decodes: nothing, or a line each."""
    text = "" if names is None else "".join(f"\n{name}" for name in names)
    return memoryview(array("b", text.encode()))
