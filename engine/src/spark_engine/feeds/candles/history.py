"""When the venue's own bar takes the place of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from spark_engine.feeds.candles.bars import rescaled
from spark_engine.feeds.market import Candle, Quality

EXACT_BITS: Final = 50


@dataclass(frozen=True, slots=True)
class Mended:
    """candle: what is to be written, None: nothing. disagrees: our ticks and the history contradict."""

    candle: Candle | None
    disagrees: bool = False


def mended(ours: Candle | None, history: Candle) -> Mended:
    """`ours`: the bar as it was last written, None for none; `history`: the venue's, whole.

    - None: the venue's bar, source "history".
    - From ticks and COMPLETE: kept; a venue's bar that differs is a disagreement.
    - From ticks and PARTIAL: the venue's bar, source "merged", unless our trades prove it wrong (a
      disagreement; ours stays).
    - From history before: the venue's present word.
    ValueError where `history` has fewer decimals than `ours`.
    """
    if history.quality is not Quality.COMPLETE:
        return Mended(None)
    if ours is None:
        return Mended(replace(history, source="history", revision=0))
    if ours.source == "ticks" and ours.quality is Quality.COMPLETE:
        return Mended(None, disagrees=not says_the_same(ours, history))
    if ours.source == "ticks":
        if not contains(history, ours):
            return Mended(None, disagrees=True)
        return Mended(replace(history, source="merged", revision=ours.revision + 1))
    known = rescaled(ours, history.price_scale, history.quantity_scale)
    same = _prices(known) == _prices(history) and known.volume == history.volume
    if same and ours.quality is Quality.COMPLETE:
        return Mended(None)
    return Mended(replace(history, source=ours.source, revision=ours.revision + 1))


def says_the_same(ours: Candle | None, history: Candle | None) -> bool:
    """Whether both are of the same trades, as far as the float that tells the venue's volume is exact.
    ValueError where `history` has fewer decimals than `ours`."""
    if ours is None or history is None:
        return ours is history
    known = rescaled(ours, history.price_scale, history.quantity_scale)
    return _prices(known) == _prices(history) and abs(known.volume - history.volume) <= _noise(history)


def contains(history: Candle | None, ours: Candle | None) -> bool:
    """Whether the trades of `ours` can be among those of `history`. ValueError likewise."""
    if ours is None or history is None:
        return ours is None
    part = rescaled(ours, history.price_scale, history.quantity_scale)
    volume = history.volume + _noise(history)
    return history.high >= part.high and history.low <= part.low and volume >= part.volume


def _noise(history: Candle) -> int:
    """Steps of volume: venues add floats, each exact to one part in 2^53."""
    return max(1, history.volume >> EXACT_BITS)


def _prices(candle: Candle) -> tuple[int, ...]:
    return candle.open, candle.high, candle.low, candle.close
