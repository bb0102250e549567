"""Market data in one form, whatever the venue: instruments, ticks, quotes, candles.

Prices and quantities are integers: `price / 10**price_scale` of the instrument is the price, exactly. Times
are ms since 1970, UTC, of the venue's clock.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Literal

import msgspec

TimeMs = int
Source = Literal["ticks", "history", "merged"]
BUY: Final = 1
SELL: Final = -1
UNKNOWN_SIDE: Final = 0


class Quality(IntEnum):
    """As `spark_engine.data.candles` has them. Archives hold the first two; readers derive the others."""

    COMPLETE = 0
    PARTIAL = 1
    NO_TRADES = 2
    FEED_DOWN = 3


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """What is traded. `symbol` is canonical (`BTCTRY`, `THYAO`), `venue_symbol` the venue's own spelling."""

    symbol: str
    venue_symbol: str
    base: str
    quote: str
    price_scale: int
    quantity_scale: int
    trading: bool = True


class MarketTick(msgspec.Struct, frozen=True, gc=False):
    """One trade as the venue printed it. `side` is the taker's: 1 buy, -1 sell, 0 not known."""

    symbol: str
    id: str
    ts_ms: int
    price: int
    quantity: int
    side: int = UNKNOWN_SIDE


class Quote(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask, None for an empty side. `ts_ms` None: the venue sends no time with it."""

    symbol: str
    bid: int | None
    ask: int | None
    bid_quantity: int | None = None
    ask_quantity: int | None = None
    last: int | None = None
    ts_ms: int | None = None


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """One bar [ts_ms, ts_ms + timeframe) with at least one trade.

    `quality` COMPLETE: every trade of the bar is in it, as far as anybody can know. `source`: built from
    ticks, read from the venue's history, or ticks mended by history. `revision` counts amendments from 0.
    `trades` None: the venue's history does not say.
    """

    symbol: str
    timeframe: str
    ts_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    price_scale: int
    quantity_scale: int
    trades: int | None = None
    quality: Quality = Quality.COMPLETE
    source: Source = "ticks"
    revision: int = 0


class Interval(msgspec.Struct, frozen=True, order=True, gc=False):
    """[from_ms, to_ms), ms UTC."""

    from_ms: int
    to_ms: int
