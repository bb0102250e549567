"""risk.json: what a run put at stake and what it could have lost, from its tables alone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import mul, truediv
from typing import Any

from spark_engine.statistics.figures import day_end
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
    ts, values = _plain(equity["ts"]), _plain(equity["equity"])
    cash, position = _plain(equity["cash"]), _plain(equity["position"])
    closes = list(_day_ends(ts) if days is None else _session_ends(days))
    sound = min(initial_cash, min(values)) > 0
    bars = returns_of(_ratios(values)) if sound else BANKRUPT
    daily = _ratios([values[bar] for bar in closes]) if sound else []
    stakes = list(map(mul, trades["quantity"], trades["entry_price"]))
    exits = [ts[bar] for bar in trades["exit_bar"]]
    return {
        "schema": SCHEMA,
        "bars": len(values),
        "days": len(closes),
        "tails": [_tails("bar", bars), _tails("day", returns_of(daily) if sound else BANKRUPT)],
        "drawdowns": drawdown_table(ts, values, initial_cash) if initial_cash > 0 else [],
        "worstDays": _worst_days(daily, [ts[bar] for bar in closes[1:]]) if sound else [],
        "exposure": exposure(ts, values, cash, position),
        "concentration": concentration(_plain(trades["pnl"]), exits),
        "kelly": kelly(bars, _plain(trades["pnl"]), stakes),
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


def _worst_days(ratios: Sequence[float], opens: Sequence[int]) -> list[dict[str, Any]]:
    """The lowest returns between last closes of days, the worst first; ts: open of the day's last bar."""
    order = sorted(range(len(ratios)), key=lambda day: (ratios[day], day))
    worst = [day for day in order[:WORST_DAYS] if ratios[day] < 1.0]
    return [{"ts": opens[day], "return": rounded(ratios[day] - 1.0)} for day in worst]


def _ratios(values: Sequence[float]) -> list[float]:
    return list(map(truediv, values[1:], values))


def _day_ends(ts: Sequence[int]) -> Iterator[int]:
    """The last bar of each UTC day."""
    bar = 0
    while bar < len(ts):
        bar = bisect_left(ts, day_end(ts[bar]), bar)
        yield bar - 1


def _session_ends(days: Sequence[int]) -> Iterator[int]:
    for bar, day in enumerate(days):
        if bar + 1 == len(days) or days[bar + 1] != day:
            yield bar


def _plain(column: Sequence[Any]) -> list[Any]:
    """As a list: indexing one is several times as fast as indexing a view."""
    return column if isinstance(column, list) else list(column)
