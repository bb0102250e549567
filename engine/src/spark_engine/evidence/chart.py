"""chart.json: the window in at most 1,500 buckets whose extremes are exact, for pages and the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.data.rows import zeros
from spark_engine.evidence.buckets import highest, lasts, lowest
from spark_engine.evidence.chart_series import exposure_series, monthly_returns, rolling_sharpe
from spark_engine.evidence.tables import REASONS, SIDES
from spark_engine.simulation.ledger import Ledger
from spark_engine.statistics import passes
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
    first, bars = candles.warmup, len(ledger.equity)
    size = -(-bars // MAX_BUCKETS) or 1
    opens, close = candles.ts[first : first + bars], candles.close[first : first + bars]
    equity, held = ledger.equity, benchmark.equity[:bars]
    per_year = annual_periods(candles.timeframe_ms, periods_per_year, candles.sessions)
    ts = opens[::size].tolist()
    return {
        "schema": SCHEMA,
        "symbol": symbol,
        "timeframe": timeframe,
        "bars": bars,
        "initialCash": initial_cash,
        "price": {
            "ts": ts,
            "open": candles.open[first : first + bars : size].tolist(),
            "high": highest(candles.high[first : first + bars], size),
            "low": lowest(candles.low[first : first + bars], size),
            "close": lasts(close, size),
        },
        "equity": {"ts": ts, **_envelope(equity, size)},
        "benchmark": {"ts": ts, **_envelope(held, size)},
        "drawdown": {"ts": ts, "worst": _drawdowns(equity, size, initial_cash)},
        "position": {"ts": ts, "last": lasts(ledger.position, size)},
        "exposure": {"ts": ts, **exposure_series(size, ledger.position, close, equity)},
        "rollingSharpe": rolling_sharpe(opens, size, equity, per_year),
        "monthly": monthly_returns(opens, equity, held, initial_cash),
        "fills": _fills(candles, ledger),
    }


def _envelope(column: memoryview, size: int) -> dict[str, Sequence[float]]:
    return {"low": lowest(column, size), "high": highest(column, size), "last": lasts(column, size)}


def _drawdowns(equity: memoryview, size: int, initial_cash: float) -> Sequence[float]:
    """Worst `1 - E/peak` of each bucket; the peak starts at `initial_cash` (SEMANTICS section 8)."""
    drawdown = zeros("d", len(equity))
    passes.drawdowns(equity, initial_cash, drawdown)
    return highest(drawdown, size)


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
