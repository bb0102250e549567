"""How each row of a source was written: the unit and form of its times, and which of its cells are empty.

A run needs none of this; it decides which of two rows of one time is the better one (`data.mend`).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from arro3.core import DataType

from spark_engine.data.arrow import decoding
from spark_engine.data.csv_file import csv_layout, csv_text
from spark_engine.data.files import FIELD
from spark_engine.data.isolated import isolated_columns
from spark_engine.data.names import OPEN_TIMES, Layout, layout_by_name, plain_name, plain_symbol
from spark_engine.data.parquet_file import MAGIC, bounded_batches, parquet_reader
from spark_engine.data.rows import Rows, joined
from spark_engine.data.stamps import FIRST_DATE, LAST_DATE, TWELVE_HOURS, stamp_ms
from spark_engine.data.table import NULL_TEXTS, columns_from_batches, rows_from_batches
from spark_engine.errors import InvalidData

if TYPE_CHECKING:
    from arro3.core import Array, RecordBatch

# From the finest unit of a number to the coarsest; texts say what they say.
FORMS: Final = (
    *("epoch ns", "epoch us", "epoch ms", "epoch s", "day"),
    *("24-hour date", "12-hour date", "typed", "unreadable"),
)
NS, US, MS, S, DAY, DATE_24H, DATE_12H, TYPED, UNREADABLE = range(len(FORMS))
NO_TIME: Final = -(1 << 62)
NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
ROW_COLUMNS: Final = 7


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """stamps: int64, ms UTC, `NO_TIME` where it cannot be read. forms: int8, positions in `FORMS`."""

    name: str
    stamps: memoryview
    forms: memoryview


@dataclass(frozen=True, slots=True)
class Written:
    """The rows of one or more files in their order. times: the column that rows are stamped by comes first.

    filled: int64, cells of a row that are not empty. empty: how many cells are, by column that has such.
    """

    rows: Rows
    times: tuple[TimeColumn, ...]
    filled: memoryview
    empty: Mapping[str, int]


def read_written(files: Mapping[str, bytes], symbol: str, timestamps: str) -> Written:
    """All rows of `symbol`. Raises `InvalidData` where a file cannot be read or there is no row at all."""
    parts = [_file(name, content, symbol, timestamps) for name, content in files.items()]
    whole = parts[0] if len(parts) == 1 else _joined(parts)
    if len(whole.rows) == 0:
        raise InvalidData(f"there are no rows in {', '.join(files)[:200]}", field=FIELD)
    return whole


def _file(what: str, content: bytes, symbol: str, timestamps: str) -> Written:
    if not content:
        raise InvalidData(f"{what} is empty", field=FIELD)
    # Decoded where a corrupt file can do no harm; its names are read here only once it has passed there.
    columns = isolated_columns(lambda: _columns(content, what, symbol, timestamps), what)
    names, layout = _layout(content, what, symbol, timestamps)
    times = _time_positions(names, layout)
    filled, *others = columns[ROW_COLUMNS:]
    empty = dict(zip(names, others[2 * len(times) :], strict=True))
    return Written(
        Rows(*columns[:ROW_COLUMNS]),
        tuple(
            TimeColumn(names[position], others[2 * number], others[2 * number + 1])
            for number, position in enumerate(times)
        ),
        filled,
        {name: count for name, flags in empty.items() if (count := bytes(flags).count(1))},
    )


def _columns(content: bytes, what: str, symbol: str, timestamps: str) -> list[memoryview]:
    """Those of `Rows`, filled cells, then stamps and forms of each time column, then 1 where a cell is empty,
    for each column of the file."""
    names, layout = _layout(content, what, symbol, timestamps)
    with decoding(what):
        batches = _batches(content, what, symbol, timestamps)
        rows = rows_from_batches(batches, layout, symbol, what)
        chosen = _chosen(batches, layout, symbol)
        empty = [_only(_empty(_cells(batches, position)), chosen) for position in range(len(names))]
        columns = [*rows.columns(), _filled(empty, len(rows))]
        for position in _time_positions(names, layout):
            columns += [_only(column, chosen) for column in _times(batches, position, what)]
    return [*columns, *empty]


def _layout(content: bytes, what: str, symbol: str, timestamps: str) -> tuple[list[str], Layout]:
    if _is_parquet(content, what):
        names = list(parquet_reader(content, what).schema.names)
        return names, layout_by_name(names, symbol, timestamps, what)
    cells = csv_text(content, what).cells
    layout, has_header = csv_layout(cells, symbol, timestamps, what)
    return (cells if has_header else [f"column {number + 1}" for number in range(len(cells))]), layout


def _is_parquet(content: bytes, what: str) -> bool:
    return what.lower().endswith(".parquet") or content.startswith(MAGIC)


def _time_positions(names: Sequence[str], layout: Layout) -> list[int]:
    """The column that rows are stamped by, then the others that ought to say the same."""
    others = [position for position, name in enumerate(names) if plain_name(name) in OPEN_TIMES]
    return [layout.ts, *(position for position in others if position != layout.ts)]


def _batches(content: bytes, what: str, symbol: str, timestamps: str) -> list[RecordBatch]:
    if _is_parquet(content, what):
        return bounded_batches(parquet_reader(content, what), what)
    text = csv_text(content, what)
    return text.batches(csv_layout(text.cells, symbol, timestamps, what)[1])


def _cells(batches: Sequence[RecordBatch], position: int) -> list[Array]:
    return [batch.column(position) for batch in batches]


def _chosen(batches: Sequence[RecordBatch], layout: Layout, symbol: str) -> list[int] | None:
    """The rows of `symbol`, None for all."""
    if layout.symbol is None or not symbol:
        return None
    names = [str(name or "") for chunk in _cells(batches, layout.symbol) for name in chunk.to_pylist()]
    spelt = {name: plain_symbol(name) == plain_symbol(symbol) for name in set(names)}
    return None if all(spelt.values()) else [row for row, name in enumerate(names) if spelt[name]]


def _only(column: memoryview, chosen: list[int] | None) -> memoryview:
    if chosen is None:
        return column
    return memoryview(array(column.format, map(column.__getitem__, chosen)))


def _empty(chunks: Sequence[Array]) -> memoryview:
    flags = bytearray()
    for chunk in chunks:
        if _is_text(chunk.type):
            flags += bytes(text is None or text.strip().lower() in NULL_TEXTS for text in chunk.to_pylist())
        elif chunk.null_count:
            flags += bytes(value is None for value in chunk.to_pylist())
        else:
            flags += bytes(len(chunk))
    return memoryview(flags).cast("b")


def _filled(empty: Sequence[memoryview], rows: int) -> memoryview:
    """Only columns with an empty cell are counted row by row."""
    partial = [column for column in empty if 1 in bytes(column)]
    whole = len(empty) - len(partial)
    if not partial:
        return memoryview(array("q", [whole]) * rows)
    return memoryview(array("q", (whole + row.count(0) for row in zip(*partial, strict=True))))


def _times(batches: Sequence[RecordBatch], position: int, what: str) -> tuple[memoryview, memoryview]:
    chunks = _cells(batches, position)
    if not all(_is_text(chunk.type) or DataType.is_numeric(chunk.type) for chunk in chunks):
        return _typed_times(batches, position, what)
    stamps, forms = array("q"), array("b")
    for chunk in chunks:
        read = [_time(value) for value in chunk.to_pylist()]
        stamps.extend(stamp for stamp, _form in read)
        forms.extend(form for _stamp, form in read)
    return memoryview(stamps), memoryview(forms)


def _typed_times(batches: Sequence[RecordBatch], position: int, what: str) -> tuple[memoryview, memoryview]:
    rows = sum(batch.num_rows for batch in batches)
    try:
        (stamps,) = columns_from_batches(batches, position, {}, what)
    except InvalidData:
        return _unread(rows)
    return stamps, memoryview(array("b", [TYPED]) * rows)


def _time(value: str | float | None) -> tuple[int, int]:
    text = "" if value is None else str(value).strip()
    stamp = stamp_ms(text)
    if stamp is None:
        return NO_TIME, UNREADABLE
    if NUMBER.fullmatch(text):
        return stamp, _unit(float(text))
    return stamp, DATE_12H if TWELVE_HOURS.fullmatch(text) else DATE_24H


def _unit(value: float) -> int:
    """By size, as `data.stamps` tells units apart."""
    if FIRST_DATE <= value <= LAST_DATE and value.is_integer():
        return DAY
    size = abs(value)
    return S if size < 1e11 else MS if size < 1e14 else US if size < 1e17 else NS


def _is_text(kind: DataType) -> bool:
    return DataType.is_string(kind) or DataType.is_large_string(kind) or DataType.is_string_view(kind)


def _unread(rows: int) -> tuple[memoryview, memoryview]:
    return memoryview(array("q", [NO_TIME]) * rows), memoryview(array("b", [UNREADABLE]) * rows)


def _joined(parts: Sequence[Written]) -> Written:
    """A file without a time column that others have leaves it unread."""
    names = list(dict.fromkeys(column.name for part in parts for column in part.times[1:]))
    first = TimeColumn(
        parts[0].times[0].name,
        _concatenated([part.times[0].stamps for part in parts], "q"),
        _concatenated([part.times[0].forms for part in parts], "b"),
    )
    empty: dict[str, int] = {}
    for part in parts:
        for name, count in part.empty.items():
            empty[name] = empty.get(name, 0) + count
    return Written(
        joined([part.rows for part in parts]),
        (first, *(_column(parts, name) for name in names)),
        _concatenated([part.filled for part in parts], "q"),
        empty,
    )


def _column(parts: Sequence[Written], name: str) -> TimeColumn:
    found = [
        next(((c.stamps, c.forms) for c in part.times[1:] if c.name == name), None) or _unread(len(part.rows))
        for part in parts
    ]
    stamps, forms = zip(*found, strict=True)
    return TimeColumn(name, _concatenated(stamps, "q"), _concatenated(forms, "b"))


def _concatenated(parts: Sequence[memoryview], code: str) -> memoryview:
    whole: array[int] = array(code)
    for part in parts:
        whole.frombytes(part.tobytes())
    return memoryview(whole)
