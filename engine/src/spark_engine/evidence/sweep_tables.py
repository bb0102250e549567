"""The parquet tables of a sweep: columns as docs/evidence.md lists them, written and read in batches."""

from __future__ import annotations

import io
import json
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import arro3.core as arrow
import arro3.io

from spark_engine.data.arrow import float64_column, int64_column
from spark_engine.data.panic import converted
from spark_engine.errors import InvalidData, first_line
from spark_engine.simulation.trials_rows import BLOCKS, Trials
from spark_engine.sweeps.axis_types import ValueType
from spark_engine.sweeps.measure import METRICS, Measure, Value

T = TypeVar("T")

COMPRESSION = "zstd(1)"
ROW_GROUP = 16_384

INTEGER, NUMBER = arrow.DataType.int64(), arrow.DataType.float64()
TYPES: dict[ValueType, arrow.DataType] = {
    "integer": INTEGER,
    "number": NUMBER,
    "boolean": arrow.DataType.bool(),
    "text": arrow.DataType.utf8(),
}
# column of the table -> column of `Trials`; final equity and drawdown are there with every bit
SUMS = {
    "turnoverNotional": "turnover",
    "s1": "s1",
    "s2": "s2",
    "s3": "s3",
    "s4": "s4",
    "d2": "d2",
    "minEquity": "min_equity",
}
EXACT = {"finalEquity": "final_equity", "maxDrawdown": "max_drawdown"}
METRIC_COLUMNS = tuple(METRICS)
TRAINING = ("window", "trial", "objective", "sharpe", "failed")


def parameter_column(name: str) -> str:
    """A parameter named as a column of ours would hide it."""
    taken = {"trial", "rank", "error", *METRIC_COLUMNS, *SUMS}
    return f"params.{name}" if name in taken else name


def trial_batch(
    ids: Sequence[int],
    parameters: Mapping[str, tuple[ValueType, Sequence[Any]]],
    rows: Trials,
    errors: Sequence[str | None],
    measure: Measure,
) -> arrow.RecordBatch:
    """One chunk of the table of trials, without ranks. A row with an error has parameters only."""
    figures: dict[str, list[Value]] = {name: [] for name in METRIC_COLUMNS}
    sums: dict[str, list[Value]] = {name: [] for name in SUMS}
    nothing: dict[str, Value] = dict.fromkeys(METRIC_COLUMNS)
    for row, error in enumerate(errors):
        found = nothing if error is not None else measure.metrics(rows, row)
        for name, values in figures.items():
            values.append(found[name])
        for name, source in SUMS.items():
            sums[name].append(None if error is not None else getattr(rows, source)[row])
    for name, source in EXACT.items():
        exact = getattr(rows, source)
        figures[name] = [None if error is not None else exact[row] for row, error in enumerate(errors)]
    return arrow.RecordBatch.from_pydict(
        {
            "trial": arrow.Array(list(ids), INTEGER),
            **{
                parameter_column(name): arrow.Array(list(values), TYPES[kind])
                for name, (kind, values) in parameters.items()
            },
            **{
                name: arrow.Array(values, INTEGER if name == "trades" else NUMBER)
                for name, values in figures.items()
            },
            **{name: arrow.Array(values, NUMBER) for name, values in sums.items()},
            "error": arrow.Array(list(errors), arrow.DataType.utf8()),
        }
    )


def block_batch(ids: Sequence[int], rows: Trials, errors: Sequence[str | None]) -> arrow.RecordBatch:
    """The block sums of CSCV, 16 rows a trial without an error."""
    good = [row for row, error in enumerate(errors) if error is None]
    places = [row * BLOCKS + block for row in good for block in range(BLOCKS)]
    return arrow.RecordBatch.from_pydict(
        {
            "trial": arrow.Array([ids[row] for row in good for _ in range(BLOCKS)], INTEGER),
            "block": arrow.Array(list(range(BLOCKS)) * len(good), INTEGER),
            "s1": arrow.Array([rows.block_s1[place] for place in places], NUMBER),
            "s2": arrow.Array([rows.block_s2[place] for place in places], NUMBER),
        }
    )


def training_batch(rows: Sequence[tuple[int, int, Value, Value, bool]]) -> arrow.RecordBatch:
    """What each trial was worth on each training window: rows of the columns `TRAINING`."""
    columns = list(zip(*rows, strict=True)) or [()] * len(TRAINING)
    kinds = (INTEGER, INTEGER, NUMBER, NUMBER, arrow.DataType.bool())
    return arrow.RecordBatch.from_pydict(
        {
            name: arrow.Array(list(values), kind)
            for name, values, kind in zip(TRAINING, columns, kinds, strict=True)
        }
    )


def write_table(path: Path, batches: Iterable[arrow.RecordBatch]) -> None:
    """Writes one batch after another, never all of them in memory: whole or not at all. At least one.

    Raises `OSError` where the disk is full or read-only.
    """
    iterator = iter(batches)
    first = next(iterator)
    unfinished = path.with_name(f"{path.name}.unfinished")
    reader = arrow.RecordBatchReader.from_batches(first.schema, _chain(first, iterator))
    with unfinished.open("wb") as file:
        sink = _Sink(file)
        target = cast(IO[bytes], sink)
        arro3.io.write_parquet(reader, target, compression=COMPRESSION, max_row_group_size=ROW_GROUP)
        if sink.failure is not None:
            raise sink.failure
        os.fsync(file.fileno())
    unfinished.replace(path)


class _Sink:
    """A file that keeps its failure to itself: arro3 panics where a write fails, and prints about it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.failure: OSError | None = None

    def write(self, content: bytes) -> int:
        return self._tried(lambda: self._file.write(content), len(content))

    def flush(self) -> None:
        self._tried(self._file.flush, None)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._tried(lambda: self._file.seek(offset, whence), 0)

    def tell(self) -> int:
        return self._tried(self._file.tell, 0)

    def _tried(self, act: Callable[[], T], otherwise: T) -> T:
        if self.failure is None:
            try:
                return act()
            except OSError as failure:
                self.failure = failure
        return otherwise


def encoded(batch: arrow.RecordBatch) -> bytes:
    """A small table as the bytes of a parquet file."""
    buffer = io.BytesIO()
    arro3.io.write_parquet(batch, buffer, compression=COMPRESSION)
    return buffer.getvalue()


def read_batches(path: Path | IO[bytes], rows: int = ROW_GROUP) -> Iterator[arrow.RecordBatch]:
    """The batches of a parquet file, one at a time, of no rows at least one. Raises `InvalidData`."""
    name = path.name if isinstance(path, Path) else "the table"
    with converted(lambda error: InvalidData(f"{name} cannot be read: {first_line(error)}")):
        reader = arro3.io.read_parquet(path, batch_size=rows)
        empty = True
        for batch in reader:
            empty = False
            yield batch
        if empty:
            columns = [
                arrow.Array([], reader.schema.field(place).type) for place in range(len(reader.schema.names))
            ]
            yield arrow.RecordBatch.from_arrays(columns, schema=reader.schema)


def floats(batch: arrow.RecordBatch, name: str) -> array[float]:
    """A float64 column; NaN where null."""
    return float64_column([batch.column(name)])


def integers(batch: arrow.RecordBatch, name: str) -> memoryview:
    """An int64 column; whatever the reader left where null."""
    return int64_column([batch.column(name)])


def row_of(batch: arrow.RecordBatch, row: int) -> dict[str, Any]:
    """One row by column, None where null."""
    part = batch.slice(row, 1)
    return {name: part.column(name).to_pylist()[0] for name in batch.column_names}


def stored(kind: ValueType, value: Any) -> Any:
    """A value of a parameter as its column holds it: of values of several types, their JSON."""
    return json.dumps(value) if kind == "text" and not isinstance(value, str) else value


def _chain(first: arrow.RecordBatch, rest: Iterator[arrow.RecordBatch]) -> Iterator[arrow.RecordBatch]:
    yield first
    yield from rest
