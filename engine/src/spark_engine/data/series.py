"""Rows of a time and a few numbers from a data URI, such as funding rates or corporate actions."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from spark_engine.data.arrow import decoding
from spark_engine.data.csv_file import csv_text, is_number
from spark_engine.data.files import FIELD, Source
from spark_engine.data.isolated import isolated_columns
from spark_engine.data.names import plain_name
from spark_engine.data.parquet_file import MAGIC, bounded_batches, parquet_reader
from spark_engine.data.rows import NAN, zeros
from spark_engine.data.source import open_source
from spark_engine.data.stamps import stamp_ms
from spark_engine.data.table import columns_from_batches
from spark_engine.errors import BacktestError, InvalidData


@dataclass(frozen=True, slots=True)
class SeriesLayout:
    """Positions of the time, and of each number that there is."""

    time: int
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Series:
    """ts: int64, ms UTC. columns: float64 by name, NaN where null or absent. In file order.

    sha256: as that of candles, of the file or the directory's manifest.
    """

    ts: memoryview
    columns: Mapping[str, memoryview]
    sha256: str


Choose: TypeAlias = Callable[[Sequence[str] | None, int, str], SeriesLayout]


def read_series(uri: str, field: str, names: Sequence[str], choose: Choose) -> Series:
    """The columns `names` of every row behind `uri`.

    `choose` finds them by the names of columns in plain spelling (None for a CSV file without a header), how
    many columns there are, and what to call the file. Raises `InvalidData` that names `field`,
    `StoreUnavailable` as `open_source`.
    """
    with naming(field):
        source = open_source(uri)
    return series_of(source, field, names, choose)


def series_of(source: Source, field: str, names: Sequence[str], choose: Choose) -> Series:
    """The same of files that were read. Raises `InvalidData` that names `field`."""
    with naming(field):
        parts = [_columns(name, content, names, choose) for name, content in source.files.items()]
    whole = [_joined(columns) for columns in zip(*parts, strict=True)]
    return Series(whole[0], dict(zip(names, whole[1:], strict=True)), source.sha256)


@contextmanager
def naming(field: str) -> Iterator[None]:
    """What is wrong with the file of `field` is said of it, and not of the candles."""
    try:
        yield
    except BacktestError as error:
        if error.field != FIELD:
            raise
        raise type(error)(error.message, field=field) from None


def column_named(names: Sequence[str], aliases: Sequence[str], what: str) -> int:
    """The first of `aliases` that is among the plain `names`. Raises `InvalidData`."""
    for alias in aliases:
        if alias in names:
            return names.index(alias)
    raise InvalidData(
        f"{what} has no column {' or '.join(aliases)[:200]}; found {', '.join(names)[:200] or 'none'}",
        field=FIELD,
    )


def _columns(name: str, content: bytes, names: Sequence[str], choose: Choose) -> list[memoryview]:
    if not content:
        raise InvalidData(f"{name} is empty", field=FIELD)
    read = _parquet if name.lower().endswith(".parquet") or content.startswith(MAGIC) else _csv
    return isolated_columns(lambda: read(content, name, names, choose), name)


def _parquet(content: bytes, what: str, names: Sequence[str], choose: Choose) -> list[memoryview]:
    reader = parquet_reader(content, what)
    with decoding(what):
        found = [plain_name(name) for name in reader.schema.names]
        layout = choose(found, len(found), what)
        batches = bounded_batches(reader, what)
        return _filled(columns_from_batches(batches, layout.time, layout.numbers, what), layout, names)


def _csv(content: bytes, what: str, names: Sequence[str], choose: Choose) -> list[memoryview]:
    text = csv_text(content, what)
    first, *others = text.cells or [""]
    has_header = stamp_ms(first) is None or not all(map(is_number, others))
    found = [plain_name(cell) for cell in text.cells] if has_header else None
    layout = choose(found, len(text.cells), what)
    batches = text.batches(has_header)
    with decoding(what):
        return _filled(columns_from_batches(batches, layout.time, layout.numbers, what), layout, names)


def _filled(columns: list[memoryview], layout: SeriesLayout, names: Sequence[str]) -> list[memoryview]:
    ts, *numbers = columns
    known = dict(zip(layout.numbers, numbers, strict=True))
    return [ts, *(known[name] if name in known else _absent(len(ts)) for name in names)]


def _absent(rows: int) -> memoryview:
    return memoryview(array("d", [NAN]) * rows)


def _joined(parts: Sequence[memoryview]) -> memoryview:
    whole = zeros("q" if parts[0].format == "q" else "d", sum(map(len, parts)))
    begin = 0
    for part in parts:
        whole[begin : begin + len(part)] = part
        begin += len(part)
    return whole
