"""What a delivery changes of what is known already. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from spark_engine.feeds.market import Candle

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Changes:
    """candles: new ones and revised ones, in time order. unchanged: rows that say what is known."""

    candles: tuple[Candle, ...]
    new: int
    revised: int
    unchanged: int


def changes(known: Mapping[int, Candle], delivered: Sequence[Candle]) -> Changes:
    """`known`: the latest revision by time. A delivered bar with other values is its next revision."""
    found: list[Candle] = []
    new = 0
    for candle in delivered:
        before = known.get(candle.ts_ms)
        if before is None:
            new += 1
            found.append(candle)
        elif not says_the_same(before, candle):
            found.append(replace(candle, revision=before.revision + 1))
    return Changes(tuple(found), new, len(found) - new, len(delivered) - len(found))


def says_the_same(a: Candle, b: Candle) -> bool:
    """Equal values, in whatever scale, and equal quality."""
    prices = _aligned(a.price_scale, b.price_scale)
    volumes = _aligned(a.quantity_scale, b.quantity_scale)
    return (
        all(getattr(a, name) * prices[0] == getattr(b, name) * prices[1] for name in PRICES)
        and a.volume * volumes[0] == b.volume * volumes[1]
        and a.quality == b.quality
    )


def _aligned(a: int, b: int) -> tuple[int, int]:
    finest = max(a, b)
    return 10 ** (finest - a), 10 ** (finest - b)
