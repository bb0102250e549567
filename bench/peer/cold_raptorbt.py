"""A whole process around raptorbt, as lean as it goes: parquet in through pyarrow without pandas, one run.

Writes no artifact: raptorbt has none. Usage: cold_raptorbt.py FILE FAST SLOW
"""

from __future__ import annotations

import sys

import numpy as np
import pyarrow.parquet as pq
import raptorbt
from crossings import cross

PATH, FAST, SLOW = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PRICES = ("open", "high", "low", "close", "volume")


def column(table: object, name: str, kind: type) -> np.ndarray:
    """Through the buffers: `to_numpy` imports pandas where it is installed."""
    chunks = [np.frombuffer(chunk.buffers()[1], kind) for chunk in table.column(name).chunks]
    return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)


table = pq.ParquetFile(PATH).read(columns=["ts", *PRICES])
prices = [column(table, name, np.float64) for name in PRICES]
settings = raptorbt.BacktestConfig(initial_capital=1e4, fees=0.001, fill_timing="next_bar_open")
entries, exits = cross(raptorbt.sma(prices[3], FAST), raptorbt.sma(prices[3], SLOW))
result = raptorbt.run_single_backtest(
    column(table, "ts", np.int64), *prices, entries, exits, 1, 1.0, "X", settings
)
print(result.metrics.total_closed_trades, result.metrics.end_value)
