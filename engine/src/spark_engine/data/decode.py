"""From the files of a source to one table of rows in time order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_engine.data import scan
from spark_engine.data.csv_file import read_csv_rows
from spark_engine.data.isolated import isolated
from spark_engine.data.parquet_file import read_parquet_rows
from spark_engine.data.rows import Rows, joined, typed
from spark_engine.errors import InvalidData

if TYPE_CHECKING:
    from spark_engine.data.archive.coverage import Known


@dataclass(frozen=True, slots=True)
class SortedRows:
    """rows: in time order, of equal times in file order. unsorted: how many stood after a later one.

    known: what an archive says besides, None for other sources.
    """

    rows: Rows
    unsorted: int
    known: Known | None = None


def decode(files: Mapping[str, bytes], symbol: str, timestamps: str) -> SortedRows:
    """All rows of `symbol`. Raises `InvalidData` where a file cannot be read or there is no row at all."""
    what = ", ".join(files)[:200]
    rows = isolated(
        lambda: joined([_file_rows(name, content, symbol, timestamps) for name, content in files.items()]),
        what,
    )
    if len(rows) == 0:
        raise InvalidData(f"there are no rows in {what}", field="spec.data.uri")
    return sorted_rows(rows, timestamps)


def sorted_rows(rows: Rows, timestamps: str) -> SortedRows:
    """Rows in the order of their files, into that of time. Writes to the times."""
    if timestamps == "Close":
        _mend_close_stamps(rows.ts)
    unsorted = scan.unsorted_rows(rows.ts)
    if unsorted:
        rows = rows.take(sorted(range(len(rows)), key=rows.ts.__getitem__))
    return SortedRows(rows, unsorted)


def _file_rows(name: str, content: bytes, symbol: str, timestamps: str) -> Rows:
    if not content:
        raise InvalidData(f"{name} is empty", field="spec.data.uri")
    if name.lower().endswith(".parquet") or content.startswith(b"PAR1"):
        return read_parquet_rows(content, name, symbol, timestamps)
    return read_csv_rows(content, name, symbol, timestamps)


def _mend_close_stamps(ts: memoryview) -> None:
    """A close stamped in the last millisecond of a second (`...:59.999`) is that of the next full one."""
    ts[:] = typed("q", (stamp + 1 if stamp % 1000 == 999 else stamp for stamp in ts))
