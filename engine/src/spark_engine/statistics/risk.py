"""risk.json: what a run put at stake and what it could have lost, from its tables alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import mul
from typing import Any

from spark_engine.data.rows import zeros
from spark_engine.statistics import passes
from spark_engine.statistics.figures import DAY_MS
from spark_engine.statistics.risk_columns import column, least, least_rows
from spark_engine.statistics.risk_concentration import concentration
from spark_engine.statistics.risk_drawdowns import drawdown_table
from spark_engine.statistics.risk_exposure import exposure
from spark_engine.statistics.risk_figure import rounded
from spark_engine.statistics.risk_kelly import kelly
from spark_engine.statistics.risk_tails import (
    BANKRUPT,
    NORMAL_QUANTILES,
    Returns,
    returns_of,
    tail_ratio,
    tail_risk,
)

SCHEMA = "spark.trading/risk/v1"
FEE_FACTORS = (0, 1, 2, 5)
WORST_DAYS = 10

Table = Mapping[str, Sequence[Any]]
Rerun = Callable[[float], Mapping[str, float | int | None]]


def risk_document(
    equity: Table,
    trades: Table,
    *,
    initial_cash: float,
    days: Sequence[int] | None = None,
    rerun: Rerun | None = None,
) -> dict[str, Any]:
    """The document of docs/risk.md, `spark.trading/risk/v1`.

    `equity`: ts (int64 ms UTC), equity, cash, position, n >= 1 rows. `trades`: exit_bar (window index), pnl,
    quantity, entry_price. `days`: number of the session of each bar, never falling; None: UTC days of ts.
    `rerun` simulates again with every fee rate times a factor, and gives metrics by id; without it there is
    no cost sensitivity.
    """
    ts, values = column("q", equity["ts"]), column("d", equity["equity"])
    cash, position = column("d", equity["cash"]), column("d", equity["position"])
    pnl = column("d", trades["pnl"]).tolist()
    closes = _day_ends(ts, DAY_MS) if days is None else _day_ends(column("q", days), 1)
    sound = min(initial_cash, least(values)) > 0
    bars = returns_of(_ratios(values)) if sound else BANKRUPT
    daily = _ratios(_taken(values, closes)) if sound else zeros("d", 0)
    stakes = list(map(mul, trades["quantity"], trades["entry_price"]))
    exits = [ts[bar] for bar in trades["exit_bar"]]
    return {
        "schema": SCHEMA,
        "bars": len(values),
        "days": len(closes),
        "tails": [_tails("bar", bars), _tails("day", returns_of(daily) if sound else BANKRUPT)],
        "drawdowns": drawdown_table(ts, values, initial_cash) if initial_cash > 0 else [],
        "worstDays": _worst_days(daily, ts, closes),
        "exposure": exposure(ts, values, cash, position),
        "concentration": concentration(pnl, exits),
        "kelly": kelly(bars, pnl, stakes),
        "costSensitivity": cost_sensitivity(rerun) if rerun else None,
    }


def cost_sensitivity(rerun: Rerun) -> list[dict[str, Any]]:
    """The whole simulation again, with maker and taker fees times 0, 1, 2 and 5; slippage stays."""
    return [{"feeFactor": factor, **rerun(float(factor))} for factor in FEE_FACTORS]


def _tails(period: str, returns: Returns) -> dict[str, Any]:
    return {
        "period": period,
        "returns": len(returns),
        "tailRatio": tail_ratio(returns),
        "levels": [tail_risk(returns, confidence) for confidence in NORMAL_QUANTILES],
    }


def _worst_days(ratios: memoryview, ts: memoryview, closes: memoryview) -> list[dict[str, Any]]:
    """The lowest returns between last closes of days, the worst first; ts: open of the day's last bar."""
    worst = [day for day in least_rows(ratios, WORST_DAYS) if ratios[day] < 1.0]
    return [{"ts": ts[closes[day + 1]], "return": rounded(ratios[day] - 1.0)} for day in worst]


def _ratios(values: memoryview) -> memoryview:
    growth = zeros("d", max(0, len(values) - 1))
    passes.ratios(values, growth)
    return growth


def _day_ends(times: memoryview, day_length: int) -> memoryview:
    """The last bar of each day: of UTC for times in ms, of a session for its number and a length of 1."""
    rows = zeros("q", len(times))
    first_end = (times[0] // day_length + 1) * day_length
    return rows[: passes.day_ends(times, first_end, day_length, rows)]


def _taken(values: memoryview, rows: memoryview) -> memoryview:
    taken = zeros("d", len(rows))
    passes.take(values, rows, taken)
    return taken
