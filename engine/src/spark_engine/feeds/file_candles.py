"""Rows of a file as candles in exact decimals. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from spark_engine.data.rows import Rows
from spark_engine.data.scaled import scaled
from spark_engine.feeds.market import Candle, Instrument, Quality


def file_candles(
    rows: Rows, times: Sequence[int], timeframe: str, instrument: Instrument, what: str
) -> tuple[Instrument, tuple[Candle, ...], bool]:
    """`instrument` at the scales that every row needs, its candles, and whether they are exact: every price
    and volume is its decimal text. Else they were rounded to nine decimals.

    times: ms UTC, one a row. what: names the rows in `InvalidData` for numbers that an archive cannot hold.
    """
    prices, volumes = scaled(rows.prices(), what), scaled([rows.volume], what)
    instrument = msgspec.structs.replace(instrument, price_scale=prices.scale, quantity_scale=volumes.scale)
    candles = tuple(
        Candle(
            symbol=instrument.symbol,
            timeframe=timeframe,
            ts_ms=ts,
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=volume,
            price_scale=prices.scale,
            quantity_scale=volumes.scale,
            quality=Quality(rows.quality[row]),
            source="history",
        )
        for row, (ts, opened, high, low, close, volume) in enumerate(
            zip(times, *prices.columns, volumes.columns[0], strict=True)
        )
    )
    return instrument, candles, prices.exact and volumes.exact
