"""Arrow columns into memory of our own, through the Arrow C data interface.

arro3's `Array.buffer()` panics on float64 (0.9.1), so the buffers are read where the interface exports them:
https://arrow.apache.org/docs/format/CDataInterface.html
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from spark_engine.data import scan
from spark_engine.data.panic import converted
from spark_engine.data.rows import NAN
from spark_engine.errors import InvalidData

if TYPE_CHECKING:
    from arro3.core import Array


class _ArrowArray(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.POINTER(ctypes.c_void_p)),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)


def float64_column(chunks: Sequence[Array]) -> array[float]:
    """The values of float64 arrays, one after another; NaN where null."""
    column = array("d", bytes(8 * sum(map(len, chunks))))
    begin = 0
    for chunk in chunks:
        _copy(chunk, column, begin, NAN)
        begin += len(chunk)
    return column


def int64_column(chunks: Sequence[Array]) -> memoryview:
    """The values of int64 arrays without nulls, one after another."""
    column = array("q", bytes(8 * sum(map(len, chunks))))
    begin = 0
    for chunk in chunks:
        _copy(chunk, column, begin, None)
        begin += len(chunk)
    return memoryview(column)


def int8_column(chunks: Sequence[Array]) -> memoryview:
    """The values of int8 arrays without nulls, one after another."""
    column = array("b", bytes(sum(map(len, chunks))))
    begin = 0
    for chunk in chunks:
        _copy(chunk, column, begin, None)
        begin += len(chunk)
    return memoryview(column)


def _copy(chunk: Array, column: array[Any], begin: int, null: float | None) -> None:
    if len(chunk) == 0:
        return
    _schema, capsule = chunk.__arrow_c_array__()
    exported = _ArrowArray.from_address(_capsule_pointer(capsule, b"arrow_array"))
    address, _length = column.buffer_info()
    size = column.itemsize
    ctypes.memmove(address + size * begin, exported.buffers[1] + size * exported.offset, size * len(chunk))
    if null is not None and chunk.null_count and exported.buffers[0]:
        bits = (exported.offset + len(chunk) + 7) // 8
        validity = memoryview((ctypes.c_ubyte * bits).from_address(exported.buffers[0])).cast("B")
        scan.fill_nulls(memoryview(column)[begin : begin + len(chunk)], validity, exported.offset, null)
    del capsule  # it owns the memory that was read above


def decoding(what: str) -> AbstractContextManager[None]:
    """Turns everything that arrow-rs raises on bad bytes into `InvalidData`, its panics included."""
    return converted(
        lambda error: InvalidData(f"{what} cannot be read: {_plain(error)}", field="spec.data.uri")
    )


def _plain(error: BaseException) -> str:
    """The last, telling part of an arrow-rs message, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    for wrapping in ("C Data interface error: ", "Csv error: ", "Parquet error: ", "External: "):
        text = text.replace(wrapping, "")
    _, found, inner = text.partition("`Result::unwrap()` on an `Err` value: ")
    return (inner if found else text)[:200]
