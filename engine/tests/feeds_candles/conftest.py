"""Ticks and bars for the tests of candles, and the real trades where they are present."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from spark_engine.feeds.market import Candle, Instrument, MarketTick

SCALE = 8
Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def instrument() -> Instrument:
    return Instrument(
        symbol="XRPETH",
        venue_symbol="XRPETH",
        base="XRP",
        quote="ETH",
        price_scale=SCALE,
        quantity_scale=SCALE,
    )


@pytest.fixture(scope="session")
def latest() -> Callable[[Iterable[Candle]], dict[int, Candle]]:
    """What a reader keeps: of each bar the highest revision, none of which may come twice."""

    def keep(candles: Iterable[Candle]) -> dict[int, Candle]:
        kept: dict[int, Candle] = {}
        for candle in candles:
            assert candle.ts_ms not in kept or candle.revision > kept[candle.ts_ms].revision
            kept[candle.ts_ms] = candle
        return kept

    return keep


def _scaled(value: float) -> int:
    """The float's own decimal text, so nothing is rounded."""
    scaled = Decimal(repr(value)).scaleb(SCALE)
    assert scaled == int(scaled)
    return int(scaled)


def _rows(path: Path) -> Rows:
    rows: Rows = pyarrow.parquet.read_table(path).to_pylist()
    return rows


@pytest.fixture(scope="session")
def real_ticks(market_data: Callable[[str], Path]) -> list[MarketTick]:
    return [
        MarketTick("XRPETH", row["id"], row["ts_ms"], _scaled(row["price"]), _scaled(row["amount"]))
        for row in _rows(market_data("xrpeth_trades_2019.parquet"))
    ]


@pytest.fixture(scope="session")
def real_bars(market_data: Callable[[str], Path]) -> dict[int, tuple[int, ...]]:
    """Open, high, low, close, volume by time; the first and the last bar left out, which are not whole."""
    rows = _rows(market_data("xrpeth_1m_2019.parquet"))[1:-1]
    return {
        round(row["ts"].timestamp() * 1000): tuple(
            _scaled(row[name]) for name in ("open", "high", "low", "close", "volume")
        )
        for row in rows
    }
