"""chart.json: the window in at most 1,500 buckets whose extremes are exact, for pages and the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.evidence.chart_series import exposure_series, monthly_returns, rolling_sharpe
from spark_engine.evidence.tables import REASONS, SIDES
from spark_engine.simulation.ledger import Ledger
from spark_engine.statistics.metrics import annual_periods

SCHEMA = "spark.trading/chart/v1"
MAX_BUCKETS = 1_500
MAX_FILLS = 4_000


def chart_document(
    *,
    symbol: str,
    timeframe: str,
    candles: Candles,
    ledger: Ledger,
    benchmark: Ledger,
    initial_cash: float,
    periods_per_year: float | None = None,
) -> dict[str, Any]:
    """The document of docs/evidence.md, `spark.trading/chart/v1`.

    Rows are those of the window: candles [warmup:] and the benchmark up to the bar where the ledger ends,
    n >= 1. `periods_per_year` as in `settings.periods_per_year`.
    A bucket is `ceil(n / 1500)` consecutive bars, the last one maybe fewer; its `ts` is the open of its first
    bar in ms UTC. `low`, `high` and `worst` are the extremes over the bucket's bars, not samples.
    """
    first = candles.warmup
    bars = len(ledger.equity)
    buckets = list(_buckets(bars))
    opens = candles.ts[first : first + bars].tolist()
    equity, close = ledger.equity.tolist(), candles.close[first : first + bars].tolist()
    per_year = annual_periods(candles.timeframe_ms, periods_per_year, candles.sessions)
    ts = [opens[start] for start, _ in buckets]
    return {
        "schema": SCHEMA,
        "symbol": symbol,
        "timeframe": timeframe,
        "bars": bars,
        "initialCash": initial_cash,
        "price": {"ts": ts, **_prices(candles, buckets)},
        "equity": {"ts": ts, **_envelope(ledger.equity, buckets)},
        "benchmark": {"ts": ts, **_envelope(benchmark.equity, buckets)},
        "drawdown": {"ts": ts, "worst": _drawdowns(ledger.equity, buckets, initial_cash)},
        "position": {"ts": ts, "last": [ledger.position[stop - 1] for _, stop in buckets]},
        "exposure": {"ts": ts, **exposure_series(buckets, ledger.position.tolist(), close, equity)},
        "rollingSharpe": rolling_sharpe(opens, buckets, equity, per_year),
        "monthly": monthly_returns(opens, equity, benchmark.equity, initial_cash),
        "fills": _fills(candles, ledger),
    }


def _buckets(bars: int) -> Iterator[tuple[int, int]]:
    size = -(-bars // MAX_BUCKETS) or 1
    for start in range(0, bars, size):
        yield start, min(start + size, bars)


def _prices(candles: Candles, buckets: list[tuple[int, int]]) -> dict[str, Sequence[float]]:
    opens, highs, lows, closes = (
        column[candles.warmup :] for column in (candles.open, candles.high, candles.low, candles.close)
    )
    return {
        "open": [opens[start] for start, _ in buckets],
        "high": [max(highs[start:stop].tolist()) for start, stop in buckets],
        "low": [min(lows[start:stop].tolist()) for start, stop in buckets],
        "close": [closes[stop - 1] for _, stop in buckets],
    }


def _envelope(column: memoryview, buckets: list[tuple[int, int]]) -> dict[str, Sequence[float]]:
    low, high, last = [], [], []
    for start, stop in buckets:
        values = column[start:stop].tolist()
        low.append(min(values))
        high.append(max(values))
        last.append(values[-1])
    return {"low": low, "high": high, "last": last}


def _drawdowns(equity: memoryview, buckets: list[tuple[int, int]], initial_cash: float) -> list[float]:
    """Worst `1 - E/peak` of each bucket; the peak starts at `initial_cash` (SEMANTICS section 8)."""
    peak = initial_cash
    worst = []
    for start, stop in buckets:
        values = equity[start:stop].tolist()
        if max(values) <= peak:  # one peak for the whole bucket: its minimum is its worst
            worst.append(max(0.0, 1.0 - min(values) / peak))
            continue
        deepest = 0.0
        for value in values:
            if value > peak:
                peak = value
            else:
                deepest = max(deepest, 1.0 - value / peak)
        worst.append(deepest)
    return worst


def _fills(candles: Candles, ledger: Ledger) -> dict[str, Any]:
    fills = ledger.fills
    total = len(fills)
    bars = fills.bar[max(0, total - MAX_FILLS) :].tolist()
    shown = len(bars)
    return {
        "shown": shown,
        "total": total,
        "ts": [candles.ts[candles.warmup + bar] for bar in bars],
        "bar": bars,
        "side": [SIDES[side] for side in fills.side[total - shown :].tolist()],
        "price": fills.price[total - shown :].tolist(),
        "quantity": fills.quantity[total - shown :].tolist(),
        "reason": [REASONS[code] for code in fills.reason[total - shown :].tolist()],
    }
