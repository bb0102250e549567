"""What the tests append: the n-th piece is the same whenever it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick, Quality

VENUE = "btcturk-spot"
SYMBOLS = ("BTCTRY", "ETHTRY", "USDTTRY")
FIRST_MS = 1_700_006_400_000  # 2023-11-15T00:00Z
STEP_MS = 20 * 60_000  # so that days go by
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Piece:
    instrument: Instrument
    ticks: tuple[MarketTick, ...] = ()
    candles: tuple[Candle, ...] = ()
    covered: tuple[Interval, ...] = ()
    covered_ticks: tuple[Interval, ...] = ()


def instrument(symbol: str, price_scale: int = 2) -> Instrument:
    return Instrument(
        symbol=symbol,
        venue_symbol=symbol,
        base=symbol[:3],
        quote="TRY",
        price_scale=price_scale,
        quantity_scale=8,
    )


def tick(symbol: str, n: int, ts_ms: int, *, price: int = 0) -> MarketTick:
    return MarketTick(symbol, f"t{n}", ts_ms, price or 1_000_000 + n, 10 + n, 1 if n % 2 else -1)


def candle(symbol: str, ts_ms: int, close: int, *, revision: int = 0, timeframe: str = "1m") -> Candle:
    return Candle(
        symbol=symbol,
        timeframe=timeframe,
        ts_ms=ts_ms,
        open=100,
        high=100 + close,
        low=99,
        close=close,
        volume=12_345,
        price_scale=2,
        quantity_scale=8,
        trades=3 if close % 3 else None,
        quality=Quality.COMPLETE,
        revision=revision,
    )


def time_of(n: int) -> int:
    return FIRST_MS + n * STEP_MS


def piece(n: int) -> Piece:
    """Three ticks, one of them now and then of the day before, a bar, and now and then an amended bar."""
    symbol = SYMBOLS[n % len(SYMBOLS)]
    ts = time_of(n)
    late = DAY_MS if n % 7 == 0 else 0
    bars = [candle(symbol, ts, 100 + n % 50)]
    if n % 5 == 0 and n >= len(SYMBOLS):
        bars.append(candle(symbol, time_of(n - len(SYMBOLS)), 170 + n % 20, revision=1))
    seen = (Interval(ts, ts + STEP_MS),)
    return Piece(
        instrument(symbol),
        ticks=(
            tick(symbol, 10 * n, ts - late),
            tick(symbol, 10 * n + 1, ts + 5),
            tick(symbol, 10 * n + 2, ts + 5),
        ),
        candles=tuple(bars),
        covered=seen,
        covered_ticks=seen,
    )
