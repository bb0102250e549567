"""Candles to measure with: a deterministic walk, and the real one-minute file where it is present."""

from __future__ import annotations

import os
import random
from array import array
from dataclasses import replace
from pathlib import Path

from spark_engine.data.candles import Candles, DataQuality
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest

SEED = 42
MINUTE_MS = 60_000
START_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
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
    return _candles(
        array("q", range(START_MS, START_MS + bars * MINUTE_MS, MINUTE_MS)), opens, highs, lows, closes
    )


def repeated(candles: Candles, times: int) -> Candles:
    """The prices of `candles` again and again, on a clock that goes on."""
    count = len(candles) * times
    columns = {
        name: memoryview(getattr(candles, name).tobytes() * times).cast(getattr(candles, name).format)
        for name in ("open", "high", "low", "close", "volume", "quality", "ticks_close")
    }
    ts = array("q", range(START_MS, START_MS + count * MINUTE_MS, MINUTE_MS))
    return replace(
        candles, ts=memoryview(ts), quality_report=DataQuality(rows=count, price_scale=2), **columns
    )


def real_file(name: str = REAL_FILE) -> Path | None:
    """A file of SPARK_TEST_DATA or ../shared/data, None where it is absent."""
    folder = os.environ.get("SPARK_TEST_DATA") or str(Path(__file__).parents[2] / "shared" / "data")
    path = Path(folder) / name
    return path if path.exists() else None


def read(path: Path, symbol: str = "BTCUSDT", timeframe: str = "1m") -> Candles:
    """Candles as a run reads them."""
    return read_candles(CandleRequest(uri=str(path), symbol=symbol, timeframe=timeframe))


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
