"""The hand-written C kernel, compiled on the spot and called through ctypes."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from array import array
from collections.abc import Callable
from pathlib import Path

from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account

SOURCE = Path(__file__).with_name("reference_kernel.c")
FLAGS = ("-O3", "-ffp-contract=off", "-shared", "-fPIC")
SUMS = (
    "s1", "s2", "s3", "s4", "d2", "max_drawdown", "fees", "slippage", "turnover", "final_equity",
    "equity_sum", "daily_s1", "daily_s2", "gained", "lost", "total", "best", "worst",
)  # fmt: skip
COUNTS = ("fills", "exposure", "trades", "daily_returns", "wins", "losses", "held")
FILLS, FILL_TYPES = ("bar", "order", "side", "reason", "quantity", "price", "fee"), "qqbbddd"
TRADES, TRADE_TYPES = (
    "side", "reason", "entry_bar", "exit_bar", "entry_price", "exit_price", "quantity", "fees", "pnl",
    "mae", "mfe",
), "bbqqddddddd"  # fmt: skip


class Outcome(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in SUMS] + [(name, ctypes.c_int64) for name in COUNTS]


class FillColumns(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in FILLS]


class TradeColumns(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in TRADES]


def compile_reference() -> ctypes.CDLL:
    library = Path(tempfile.mkdtemp(prefix="spark-bench-")) / "reference.so"
    subprocess.run(["cc", *FLAGS, str(SOURCE), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def reference_run(
    library: ctypes.CDLL, candles: Candles, fast: int, slow: int, direction: str, account: Account
) -> Callable[[], Outcome]:
    """A call that runs the C kernel once into buffers that were allocated beforehand."""
    bars = len(candles)
    fills, trades = _room(FILL_TYPES, 2 * bars + 2), _room(TRADE_TYPES, bars + 1)
    marks = _room("ddd", bars)
    prices = (candles.ts, candles.ticks_close, candles.open, candles.high, candles.low, candles.close)
    inputs = [array(column.format, column) for column in prices]
    outcome = Outcome()
    arguments = (
        ctypes.c_int64(bars),
        *map(_address, inputs),
        ctypes.c_int64(fast),
        ctypes.c_int64(slow),
        ctypes.c_int64(direction == "long-short"),
        ctypes.c_double(account.initial_cash),
        ctypes.c_double(account.taker_rate),
        ctypes.c_double(account.slippage_rate),
        ctypes.byref(FillColumns(*(_address(column) for column in fills))),
        ctypes.byref(TradeColumns(*(_address(column) for column in trades))),
        *map(_address, marks),
        ctypes.byref(outcome),
    )
    keep_alive = (fills, trades, marks, inputs)

    def run() -> Outcome:
        library.reference_run(*arguments)
        assert keep_alive
        return outcome

    return run


def _room(types: str, rows: int) -> list[array[float]]:
    return [array(code, bytes(rows * array(code).itemsize)) for code in types]


def _address(column: array[float]) -> ctypes.c_void_p:
    return ctypes.c_void_p(column.buffer_info()[0])
