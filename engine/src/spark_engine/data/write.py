"""Candle rows as a file that every reader of candles takes."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Final

import arro3.io
from arro3.core import Array, DataType, Table

from spark_engine.data.rows import Rows
from spark_engine.errors import StoreUnavailable

TIMESTAMP: Final = DataType.timestamp("ms", tz="UTC")
COMPRESSION: Final = "zstd(3)"


def candles_parquet(rows: Rows) -> bytes:
    """ts (timestamp[ms, UTC]), open, high, low, close, volume; quality where a bar is not complete."""
    columns: dict[str, Array] = {"ts": Array.from_buffer(rows.ts).cast(TIMESTAMP)}
    for name in ("open", "high", "low", "close", "volume"):
        columns[name] = Array.from_buffer(getattr(rows, name))
    if any(bytes(rows.quality)):
        columns["quality"] = Array.from_buffer(rows.quality)
    buffer = io.BytesIO()
    arro3.io.write_parquet(Table.from_pydict({**columns}), buffer, compression=COMPRESSION)
    return buffer.getvalue()


def write_file(path: Path, content: bytes, field: str) -> None:
    """In one step, or not at all. Raises `StoreUnavailable` where the disk is full or read-only."""
    partial = path.parent / f".{path.name}.{os.getpid()}.partial"
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise StoreUnavailable(f"cannot write {path}: {error.strerror or error}", field=field) from None
    finally:
        partial.unlink(missing_ok=True)
