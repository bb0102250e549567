"""What the interactive charts draw: the buckets of chart.json, and every trade by the bucket it lies in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from spark_engine.report.page import rounded
from spark_engine.report.plot import bucket_span

MAX_TRADES = 5_000
Trades = Mapping[str, Sequence[Any]]


def interactive_document(chart: Mapping[str, Any], trades: Trades) -> dict[str, Any]:
    """Columns of one row a bucket, prices and money to seven digits. `low` and `high` keep every extreme.

    `trades` are the last 5,000: buckets of entry and exit, prices, side (1 long, -1 short), won (1 or 0).
    """
    price, equity, benchmark = chart["price"], chart["equity"], chart["benchmark"]
    return {
        "ts": list(price["ts"]),
        "span": bucket_span(price["ts"]),
        "bucketed": chart["bars"] > len(price["ts"]),
        "equity": rounded(equity["last"]),
        "equityLow": rounded(equity["low"]),
        "equityHigh": rounded(equity["high"]),
        "benchmark": rounded(benchmark["last"]),
        "drawdown": rounded(chart["drawdown"]["worst"]),
        "position": rounded(chart["position"]["last"]),
        **{name: rounded(price[name]) for name in ("open", "high", "low", "close")},
        **_optional(chart),
        "trades": _trades(price["ts"], trades),
        "openEntry": _open_entry(chart),
    }


def _optional(chart: Mapping[str, Any]) -> dict[str, Any]:
    """Series of the static charts, for the cross-hair."""
    found: dict[str, Any] = {}
    if chart.get("exposure"):
        found["long"], found["short"] = (_known(chart["exposure"][name]) for name in ("long", "short"))
    if chart.get("rollingSharpe"):
        found["sharpe"] = _known(chart["rollingSharpe"]["value"])
    return found


def _known(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else float(f"{value:.5g}") for value in values]


def _trades(ts: Sequence[int], trades: Trades) -> dict[str, Any]:
    first = max(0, len(trades["pnl"]) - MAX_TRADES)
    return {
        "first": first + 1,
        "total": len(trades["pnl"]),
        "entry": [bisect_right(ts, at) - 1 for at in trades["entry_ts"][first:]],
        "exit": [bisect_right(ts, at) - 1 for at in trades["exit_ts"][first:]],
        "entryPrice": rounded(trades["entry_price"][first:]),
        "exitPrice": rounded(trades["exit_price"][first:]),
        "side": [1 if side == "long" else -1 for side in trades["side"][first:]],
        "won": [int(pnl > 0) for pnl in trades["pnl"][first:]],
    }


def _open_entry(chart: Mapping[str, Any]) -> dict[str, Any] | None:
    """The last fill, where it left a position open."""
    position, fills = chart["position"]["last"][-1], chart["fills"]
    if position == 0 or not fills["ts"]:
        return None
    return {
        "bucket": bisect_right(chart["price"]["ts"], fills["ts"][-1]) - 1,
        "price": rounded(fills["price"][-1:])[0],
        "side": 1 if position > 0 else -1,
    }
