"""Providers as a feed of a few symbols has them: instruments known, trades asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from spark_engine.feeds.market import Instrument
from spark_engine.feeds.provider import StreamProvider, Subscription
from spark_engine.feeds.providers.registry import stream_provider

Join = Callable[..., StreamProvider]
PAIRS = {
    "BTCTRY": ("BTC", "TRY", 0, 8),
    "BTCUSDT": ("BTC", "USDT", 2, 8),
    "ADATRY": ("ADA", "TRY", 3, 4),
    "ETHUSDT": ("ETH", "USDT", 1, 8),
}


def instrument(symbol: str) -> Instrument:
    base, quote, price_scale, quantity_scale = PAIRS[symbol]
    return Instrument(
        symbol=symbol,
        venue_symbol=symbol,
        base=base,
        quote=quote,
        price_scale=price_scale,
        quantity_scale=quantity_scale,
    )


@pytest.fixture
def join() -> Join:
    """A provider that knows all pairs and has asked for the given symbols."""

    def make(name: str, *symbols: str) -> StreamProvider:
        provider = stream_provider(name)
        provider.use({symbol: instrument(symbol) for symbol in PAIRS})
        provider.subscribe([Subscription("trade", symbol) for symbol in symbols])
        return provider

    return make
