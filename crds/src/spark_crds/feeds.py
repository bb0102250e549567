"""What a MarketDataFeed means where it is silent: a default of the schema cannot depend on the provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CHANNELS: Final = ("ticker", "trade", "orderbook", "obdiff")
TIMEFRAMES: Final = ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w")  # by length
BUILT_FROM: Final = "1m"
FILE_PROVIDERS: Final = ("bist-files",)

_STREAM: Final[Mapping[str, Any]] = {
    "channels": ["ticker", "trade"],
    "timeframes": [BUILT_FROM],
    "staleAfter": "30s",
    "calendar": "24x7",
}
_BIST: Final[Mapping[str, Any]] = {
    "timeframes": ["1d"],
    "staleAfter": "1d",
    "calendar": "XIST",
}
DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "btcturk-spot": _STREAM,
    "binance-spot": _STREAM,
    "bist-files": _BIST,
}


def resolved_feed(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The spec with its provider's defaults, what is a set in order, and 1m where it is archived anyway."""
    filled: dict[str, Any] = {**DEFAULTS[spec["provider"]], **spec}
    timeframes = set(filled["timeframes"])
    if spec["provider"] not in FILE_PROVIDERS:
        timeframes.add(BUILT_FROM)
        filled["channels"] = sorted(filled["channels"], key=CHANNELS.index)
    filled["symbols"] = sorted(filled["symbols"])
    filled["timeframes"] = sorted(timeframes, key=TIMEFRAMES.index)
    return filled
