# cython: language_level=3
# mypy: disable-error-code="import-untyped, import-not-found, no-any-return, unreachable"
"""Memory that nobody has cleared: clearing costs more than a simulation that writes all of it."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.cpython.bytearray import PyByteArray_FromStringAndSize


def uncleared(size: cython.Py_ssize_t) -> bytearray:
    """`size` bytes of any value; uncompiled they are zeros."""
    if cython.compiled:
        return PyByteArray_FromStringAndSize(cython.NULL, size)  # documented: NULL leaves them as they are
    return bytearray(size)
