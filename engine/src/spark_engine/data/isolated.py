"""Decodes in a process of its own, since a corrupt file can abort the one that reads it.

arro3 hands batches over the Arrow C stream interface, and a panic of arrow-rs inside a C function ends the
process: nothing can catch it there. A fork costs one to three milliseconds, and a copy of the columns.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import struct
from collections.abc import Callable, Sequence
from typing import Final, NoReturn, TypeAlias, cast

from spark_engine.data.rows import ColumnType, Rows, zeros
from spark_engine.errors import BacktestError, EngineError, InvalidData

Columns: TypeAlias = Sequence[memoryview]
HEADER: Final = struct.Struct("<bqq")  # kind, rows or bytes, columns
COLUMNS, REFUSED, FAILED = 0, 1, 2
CRASHES: Final = tuple(-number for number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL))
STANDARD_ERROR: Final = 2


def isolated(decode: Callable[[], Rows], what: str) -> Rows:
    """What `decode` returns. Raises the `InvalidData` that it raises, or one of its own where it crashes."""
    return Rows(*isolated_columns(lambda: decode().columns(), what))


def isolated_columns(decode: Callable[[], Columns], what: str) -> list[memoryview]:
    """The same for columns of equal length and the types "q", "d", "b"."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        _work(decode, send)
    os.close(send)
    try:
        columns = _received(receive)
    except EOFError:
        raise _crash(_ended(child), what) from None
    except BaseException:
        os.kill(child, signal.SIGKILL)
        _ended(child)
        raise
    finally:
        os.close(receive)
    _ended(child)
    return columns


def _ended(child: int) -> int:
    """Waits for the child: its exit code, or the negative number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _crash(code: int, what: str) -> BacktestError:
    if code in CRASHES:
        return InvalidData(f"{what} is corrupt: decoding it crashes the reader", field="spec.data.uri")
    return EngineError(f"the process that decodes {what} ended early with {code}; is there enough memory?")


def _work(decode: Callable[[], Columns], send: int) -> NoReturn:
    """The child: writes the columns, or the refusal, and ends without any clean-up of the parent's."""
    try:
        _crash_quietly()
        try:
            columns = decode()
        except InvalidData as refused:
            _send_text(send, REFUSED, f"{refused.field or ''}\0{refused.message}")
        except BaseException as failed:
            _send_text(send, FAILED, f"{type(failed).__name__}: {failed}")
        else:
            formats = "".join(column.format for column in columns).encode()
            rows = len(columns[0]) if columns else 0
            _send(send, memoryview(HEADER.pack(COLUMNS, rows, len(columns)) + formats))
            for column in columns:
                _send(send, column.cast("B"))
    finally:
        os._exit(0)


def _crash_quietly() -> None:
    """No trace on standard error, no core file."""
    os.environ["RUST_BACKTRACE"] = "0"
    os.dup2(os.open(os.devnull, os.O_WRONLY), STANDARD_ERROR)
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _send_text(send: int, kind: int, text: str) -> None:
    content = text.encode("utf-8", "replace")
    _send(send, memoryview(HEADER.pack(kind, len(content), 0) + content))


def _send(send: int, content: memoryview) -> None:
    while content:
        content = content[os.write(send, content) :]


def _received(receive: int) -> list[memoryview]:
    header = bytearray(HEADER.size)
    _fill(receive, memoryview(header))
    kind, length, count = HEADER.unpack(header)
    if kind == COLUMNS:
        formats = bytearray(count)
        _fill(receive, memoryview(formats))
        columns = [zeros(cast(ColumnType, code), length) for code in formats.decode()]
        for column in columns:
            _fill(receive, column.cast("B"))
        return columns
    text = bytearray(length)
    _fill(receive, memoryview(text))
    field, _, message = text.decode().partition("\0")
    raise InvalidData(message, field=field or None) if kind == REFUSED else EngineError(text.decode())


def _fill(receive: int, target: memoryview) -> None:
    while target:
        count = os.readv(receive, [target])
        if count == 0:
            raise EOFError
        target = target[count:]
