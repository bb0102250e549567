"""What bars of any kind share: where they begin, their scale, several as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from spark_engine.data.request import anchor_ms, timeframe_ms
from spark_engine.feeds.market import Candle, Quality, Source


@dataclass(frozen=True, slots=True)
class Grid:
    """Bars of one timeframe: counted from 1970-01-01 UTC, weeks from Monday (SEMANTICS section 1)."""

    timeframe: str
    step_ms: int
    anchor_ms: int

    def begin(self, ts_ms: int) -> int:
        """Where the bar of `ts_ms` begins; also the end of the last whole bar until then."""
        return ts_ms - (ts_ms - self.anchor_ms) % self.step_ms


def grid(timeframe: str) -> Grid:
    """Raises `InvalidSpec` for what is no timeframe."""
    return Grid(timeframe, timeframe_ms(timeframe, "timeframe"), anchor_ms(timeframe))


def rescaled(candle: Candle, price_scale: int, quantity_scale: int) -> Candle:
    """The same values with more decimals. ValueError for fewer: digits would be lost."""
    if (candle.price_scale, candle.quantity_scale) == (price_scale, quantity_scale):
        return candle
    prices = scale_factor(candle.price_scale, price_scale)
    quantities = scale_factor(candle.quantity_scale, quantity_scale)
    return replace(
        candle,
        open=candle.open * prices,
        high=candle.high * prices,
        low=candle.low * prices,
        close=candle.close * prices,
        volume=candle.volume * quantities,
        price_scale=price_scale,
        quantity_scale=quantity_scale,
    )


def scale_factor(before: int, after: int) -> int:
    """ValueError where `after` is the smaller scale."""
    if after < before:
        raise ValueError(f"a scale can only grow: {before} decimals are known, {after} are asked")
    return int(10 ** (after - before))


def combined(candles: Sequence[Candle], timeframe: str, ts_ms: int) -> Candle:
    """At least one bar, in order of time, as one of `timeframe` at `ts_ms`.

    PARTIAL if one of them is; what lies between them is not judged. In the widest of their scales.
    """
    price_scale = max(candle.price_scale for candle in candles)
    quantity_scale = max(candle.quantity_scale for candle in candles)
    alike = [rescaled(candle, price_scale, quantity_scale) for candle in candles]
    counts = [candle.trades for candle in alike]
    return Candle(
        symbol=alike[0].symbol,
        timeframe=timeframe,
        ts_ms=ts_ms,
        open=alike[0].open,
        high=max(candle.high for candle in alike),
        low=min(candle.low for candle in alike),
        close=alike[-1].close,
        volume=sum(candle.volume for candle in alike),
        price_scale=price_scale,
        quantity_scale=quantity_scale,
        trades=sum(count for count in counts if count is not None) if None not in counts else None,
        quality=Quality(max(candle.quality for candle in alike)),
        source=_source({candle.source for candle in alike}),
    )


def _source(sources: set[Source]) -> Source:
    return sources.pop() if len(sources) == 1 else "merged"
