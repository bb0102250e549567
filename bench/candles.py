"""Candles to measure with: a deterministic walk, and the real one-minute file where it is present."""

from __future__ import annotations

import os
import random
from array import array
from pathlib import Path

from spark_engine.data.candles import Candles, DataQuality

SEED = 42
MINUTE_MS = 60_000
REAL_FILE = "btcusdt_1m_binance_2025.parquet"
SCALE = 100.0


def walk(bars: int) -> Candles:
    """A random walk of one-minute bars around 30,000.00 with two decimals; the same on every machine."""
    draw = random.Random(SEED)  # noqa: S311 - candles, not keys
    price = 3_000_000
    opens, highs, lows, closes = (array("q") for _ in range(4))
    for _ in range(bars):
        close = max(100, price + round(draw.gauss(0.0, 1500.0)))
        opens.append(price)
        highs.append(max(price, close) + round(abs(draw.gauss(0.0, 500.0))))
        lows.append(max(1, min(price, close) - round(abs(draw.gauss(0.0, 500.0)))))
        closes.append(close)
        price = close
    return _candles(array("q", range(0, bars * MINUTE_MS, MINUTE_MS)), opens, highs, lows, closes)


def real_file() -> Path | None:
    """The real file in SPARK_TEST_DATA or ../shared/data, None where there is none."""
    folder = os.environ.get("SPARK_TEST_DATA") or str(Path(__file__).parents[2] / "shared" / "data")
    path = Path(folder) / REAL_FILE
    return path if path.exists() else None


def read(path: Path) -> Candles:
    """Candles of a parquet file with two decimals."""
    import arro3.io

    table = arro3.io.read_parquet(str(path), batch_size=1_000_000).read_all()
    opens, highs, lows, closes = (
        array("q", (int(value * SCALE + 0.5) for value in table.column(name).to_pylist()))
        for name in ("open", "high", "low", "close")
    )
    return _candles(array("q", range(0, len(closes) * MINUTE_MS, MINUTE_MS)), opens, highs, lows, closes)


def _candles(
    ts: array[int], opens: array[int], highs: array[int], lows: array[int], closes: array[int]
) -> Candles:
    return Candles(
        ts=memoryview(ts),
        open=_prices(opens),
        high=_prices(highs),
        low=_prices(lows),
        close=_prices(closes),
        volume=_prices(closes),
        quality=memoryview(bytes(len(ts))).cast("b"),
        ticks_close=memoryview(closes),
        timeframe_ms=MINUTE_MS,
        quality_report=DataQuality(rows=len(ts), price_scale=2),
    )


def _prices(ticks: array[int]) -> memoryview:
    return memoryview(array("d", (tick / SCALE for tick in ticks)))
