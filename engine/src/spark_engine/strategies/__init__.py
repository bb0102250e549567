"""Built-in strategies, one module each; and what user strategies are written with.

    from spark_engine.strategies import EMA, Order

The names below are imported when they are used: a run of a built-in strategy needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spark_engine.strategies.context import Bar, Context, Fill, OpenOrder
    from spark_engine.strategies.indicators import ATR, EMA, RSI, SMA, Highest, Lowest, StandardDeviation
    from spark_engine.strategies.order import Order, OrderError, Trail
    from spark_engine.strategies.vector import CandleArrays

__all__ = [
    "ATR",
    "EMA",
    "RSI",
    "SMA",
    "Bar",
    "CandleArrays",
    "Context",
    "Fill",
    "Highest",
    "Lowest",
    "OpenOrder",
    "Order",
    "OrderError",
    "StandardDeviation",
    "Trail",
]

HOMES = {
    "context": ("Bar", "Context", "Fill", "OpenOrder"),
    "indicators": ("ATR", "EMA", "RSI", "SMA", "Highest", "Lowest", "StandardDeviation"),
    "order": ("Order", "OrderError", "Trail"),
    "vector": ("CandleArrays",),
}


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(f"spark_engine.strategies.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
