"""Ten million candles, and what memory they take.

python -m bench --only many_bars
"""

from __future__ import annotations

from collections.abc import Iterator

from spark_engine.data.candles import Candles

from bench.candles import repeated, walk
from bench.peers import Peers
from bench.process import peak_mebibytes
from bench.row import Row, Timing, interleaved, shown, timed
from bench.warm_run import FREE, MANY_BARS, warm_run

MOST_BARS = 10_000_000
# What a run must hold: 48 bytes of candles that it reads, 24 of equity, cash and position, and its fills.
BYTES_A_BAR = 200


def rows(_peers: Peers) -> Iterator[Row]:
    small = walk(MANY_BARS)
    candles = repeated(small, MOST_BARS // MANY_BARS)
    ours, few = warm_run(candles, "long", FREE), warm_run(small, "long", FREE)
    mine, tenth = interleaved(timed(ours), timed(few), rounds=3)
    yield Row(f"warm run, {MOST_BARS:,} bars", str(mine), f"{MANY_BARS:,} bars {tenth}", _linear(mine, tenth))
    memory = peak_mebibytes(ours)
    held = _bytes(candles) / 2**20
    limit = MOST_BARS * BYTES_A_BAR / 2**20
    bar = f"<= {BYTES_A_BAR} bytes a bar"
    yield Row(
        "resident memory of the process",
        f"{memory:.0f} MiB",
        f"candles {held:.0f} MiB",
        "",
        bar,
        memory <= limit,
    )
    yield Row("  a million bars", shown(mine.best / (MOST_BARS / MANY_BARS)), "", "")


def _linear(many: Timing, few: Timing) -> str:
    return f"{many.best / few.best:.1f}x"


def _bytes(candles: Candles) -> int:
    names = ("ts", "open", "high", "low", "close", "volume", "quality", "ticks_close")
    return sum(getattr(candles, name).nbytes for name in names)
