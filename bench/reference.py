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


class Outcome(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_double)
        for name in (
            "s1",
            "s2",
            "s3",
            "s4",
            "d2",
            "max_drawdown",
            "fees",
            "slippage",
            "turnover",
            "final_equity",
        )
    ] + [("fills", ctypes.c_int64), ("exposure", ctypes.c_int64)]


class FillColumns(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("bar", "order", "side", "quantity", "price", "fee")]


def compile_reference() -> ctypes.CDLL:
    folder = Path(tempfile.mkdtemp(prefix="spark-bench-"))
    library = folder / "reference.so"
    subprocess.run(["cc", *FLAGS, str(SOURCE), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def reference_run(
    library: ctypes.CDLL, candles: Candles, fast: int, slow: int, direction: str, account: Account
) -> Callable[[], Outcome]:
    """A call that runs the C kernel once into buffers that were allocated beforehand."""
    bars = len(candles)
    capacity = 2 * bars + 2
    columns = [array(code, bytes(capacity * array(code).itemsize)) for code in "qqbddd"]
    equity = array("d", bytes(8 * bars))
    inputs = [array(column.format, column) for column in (candles.ticks_close, candles.open, candles.close)]
    fills = FillColumns(*(column.buffer_info()[0] for column in columns))
    outcome = Outcome()
    arguments = (
        ctypes.c_int64(bars),
        *(ctypes.c_void_p(column.buffer_info()[0]) for column in inputs),
        ctypes.c_int64(fast),
        ctypes.c_int64(slow),
        ctypes.c_int64(direction == "long-short"),
        ctypes.c_double(account.initial_cash),
        ctypes.c_double(account.taker_rate),
        ctypes.c_double(account.slippage_rate),
        ctypes.byref(fills),
        ctypes.c_void_p(equity.buffer_info()[0]),
        ctypes.byref(outcome),
    )
    keep_alive = (columns, equity, inputs, fills)

    def run() -> Outcome:
        library.reference_run(*arguments)
        assert keep_alive
        return outcome

    return run
