"""Bars of minutes that tell which they are, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from spark_engine.feeds.market import Candle, Instrument, Quality

MINUTE = 60_000
TIMEFRAMES = ("1m", "5m", "1h", "1d", "1w")
INSTRUMENT = Instrument(
    symbol="BTCTRY", venue_symbol="BTC_TRY", base="BTC", quote="TRY", price_scale=0, quantity_scale=2
)


def minute(number: int, **values: Any) -> Candle:
    """The bar of a minute since 1970: its price tells which."""
    price = 100 + number % 977
    return Candle(
        **{
            "symbol": "BTCTRY",
            "timeframe": "1m",
            "ts_ms": number * MINUTE,
            "open": price,
            "high": price + 3,
            "low": price - 2,
            "close": price + 1,
            "volume": 10 + number % 7,
            "price_scale": 0,
            "quantity_scale": 2,
            "source": "history",
            **values,
        }
    )


def minutes(numbers: Iterable[int]) -> list[Candle]:
    return [minute(number) for number in numbers]


def told(candle: Candle) -> tuple[int, int, int, int, int, int, Quality]:
    """(minute, open, high, low, close, volume, quality)."""
    return (
        candle.ts_ms // MINUTE,
        candle.open,
        candle.high,
        candle.low,
        candle.close,
        candle.volume,
        candle.quality,
    )


def of(
    begin: int, end: int, quality: Quality = Quality.COMPLETE
) -> tuple[int, int, int, int, int, int, Quality]:
    """The bar of all these minutes, by its definition."""
    parts = minutes(range(begin, end))
    return (
        begin,
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        sum(part.volume for part in parts),
        quality,
    )
