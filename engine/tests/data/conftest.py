"""Candle files of every kind, written for a test, and the real market data where it is present."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars
import pytest
from spark_engine.data.candles import Candles
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest

HOUR = 3_600_000
MIDNIGHT = 1_704_067_200_000  # 2024-01-01T00:00:00Z
NOW = 1_800_000_000_000  # long after every bar of these tests

Columns = dict[str, list[Any]]


def columns_of(rows: int, step_ms: int = HOUR, start_ms: int = MIDNIGHT) -> Columns:
    """`rows` clean bars whose prices all differ, in steps of 0.01."""
    return {
        "ts": [start_ms + i * step_ms for i in range(rows)],
        "open": [round(100 + i / 100, 2) for i in range(rows)],
        "high": [round(101.5 + i / 100, 2) for i in range(rows)],
        "low": [round(99.25 + i / 100, 2) for i in range(rows)],
        "close": [round(100.5 + i / 100, 2) for i in range(rows)],
        "volume": [1.0 + i for i in range(rows)],
    }


@pytest.fixture(scope="session")
def bars() -> Callable[..., Columns]:
    return columns_of


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[..., Path]:
    """Writes columns as parquet, `ts` as it stands."""

    def write(columns: Mapping[str, Sequence[Any]], name: str = "candles.parquet", **options: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        polars.DataFrame(columns).write_parquet(path, **options)
        return path

    return write


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., Path]:
    """Writes text, or bytes, as a file."""

    def write(content: str | bytes, name: str = "candles.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture(scope="session")
def read() -> Callable[..., Candles]:
    """`read_candles` with the least of a request, at a fixed time of day."""

    def call(
        uri: object, timeframe: str = "1h", symbol: str = "BTCUSDT", now_ms: int = NOW, **request: Any
    ) -> Candles:
        return read_candles(CandleRequest(str(uri), symbol, timeframe, **request), now_ms)

    return call


@pytest.fixture(scope="session")
def ms() -> Callable[[str], int]:
    """Milliseconds of an ISO time, UTC."""

    def convert(text: str) -> int:
        return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)

    return convert
