"""A user strategy that fails, in one line: which bar, which file and line, and why."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from spark_engine.data.candles import Candles
from spark_engine.data.stamps import iso
from spark_engine.errors import BacktestError, InvalidStrategy, first_line
from spark_engine.strategies.order import OrderError
from spark_engine.strategies.table import FIELD


def failure(error: BaseException, root: str, bar: str = "") -> BaseException:
    """What to raise for `error` of the code in `root`: an `InvalidStrategy`, or itself where it is none of
    the strategy's doing (Ctrl-C, SIGTERM, the deadline). `bar`: as `bar_of` names it.
    """
    if isinstance(error, BacktestError) or not isinstance(error, Exception | SystemExit):
        return error
    where = ", ".join(part for part in (bar, _line(error.__traceback__, root)) if part)
    return InvalidStrategy(f"{where}: {_reason(error)}" if where else _reason(error), field=FIELD)


def bar_of(candles: Candles, bar: int) -> str:
    """A window bar in words: `bar 17 (2024-01-01T17:00:00Z)`."""
    row = candles.warmup + bar
    return f"bar {bar} ({iso(candles.ts[row])})" if 0 <= row < len(candles) else f"bar {bar}"


def shown(path: str, root: str) -> str:
    """A file of the strategy, from its package on; another file whole."""
    below = Path(root).parent
    return str(Path(path).relative_to(below)) if root and Path(path).is_relative_to(below) else path


def _reason(error: BaseException) -> str:
    if isinstance(error, OrderError):
        return first_line(error)
    if isinstance(error, SystemExit):
        return "it called sys.exit; a strategy may only return or raise"
    text = str(error).strip()
    return f"{type(error).__name__}: {first_line(error)}" if text else type(error).__name__


def _line(trace: TracebackType | None, root: str) -> str:
    """The innermost line of the strategy's own code; of a deep recursion that is the deepest."""
    found = ""
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if root and Path(path).is_relative_to(root):
            found = f"{shown(path, root)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found
