"""Rust code that panics: pyo3 raises it as a `BaseException`, and Rust writes a trace to standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from spark_engine.errors import BacktestError


@contextmanager
def converted(convert: Callable[[BaseException], BacktestError]) -> Iterator[None]:
    """Raises `convert(error)` for everything that Rust code raises in the body, its panics included.

    Our errors, exits and interrupts pass.
    """
    try:
        yield
    except (BacktestError, MemoryError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise convert(error) from None
