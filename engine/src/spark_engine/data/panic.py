"""Rust code that panics: pyo3 raises it as a `BaseException`, and Rust writes a trace to standard error."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Final

from spark_engine.errors import BacktestError

STANDARD_ERROR: Final = 2


@contextmanager
def converted(convert: Callable[[BaseException], BacktestError], *, silent: bool) -> Iterator[None]:
    """Raises `convert(error)` for everything that Rust code raises in the body, its panics included.

    Our errors, exits and interrupts pass. `silent` closes standard error meanwhile, for the whole process.
    """
    try:
        with _silent_standard_error() if silent else nullcontext():
            yield
    except (BacktestError, MemoryError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise convert(error) from None


@contextmanager
def _silent_standard_error() -> Iterator[None]:
    try:
        saved = os.dup(STANDARD_ERROR)
    except OSError:  # closed already
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, STANDARD_ERROR)
        os.close(nowhere)
        yield
    finally:
        os.dup2(saved, STANDARD_ERROR)
        os.close(saved)
