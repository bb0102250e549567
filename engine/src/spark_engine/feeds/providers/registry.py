"""The streaming venues by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from spark_engine.errors import InvalidSpec
from spark_engine.feeds.provider import StreamProvider
from spark_engine.feeds.providers.binance.spot import BinanceSpot
from spark_engine.feeds.providers.btcturk.spot import BtcturkSpot
from spark_engine.feeds.settings import Endpoints

STREAM_PROVIDERS: Final[Mapping[str, Callable[[Endpoints], StreamProvider]]] = {
    provider.name: provider for provider in (BtcturkSpot, BinanceSpot)
}


def stream_provider(name: str, endpoints: Endpoints = Endpoints()) -> StreamProvider:  # noqa: B008 - a value
    """Raises `InvalidSpec` that lists what is allowed."""
    make = STREAM_PROVIDERS.get(name)
    if make is None:
        allowed = ", ".join(sorted(STREAM_PROVIDERS))
        raise InvalidSpec(f"must be one of {allowed}; is {name!r:.80}", field="spec.provider")
    return make(endpoints)
