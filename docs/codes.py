"""Tables of the codes in orders, fills and events, from the enums of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any

from spark_engine.evidence import tables as columns
from spark_engine.simulation.ledger import Action, EventCode, OrderType, TimeInForce

from docs.tables import markdown

ACTIONS = {
    Action.ORDER: "an order",
    Action.TARGET: "a target, its weight in `quantity`",
    Action.CANCEL: "a cancel of the order that it names",
}
TYPES = {
    OrderType.MARKET: "at the next open, whatever it is",
    OrderType.LIMIT: "at `limit` or better",
    OrderType.STOP: "as market once the price has come to `stop`",
    OrderType.STOP_LIMIT: "as a limit once the price has come to `stop`",
    OrderType.TRAILING_STOP: "a stop that follows the best price at a distance",
    OrderType.TARGET: "a target of exposure, in -1 to 1",
}
TIMES_IN_FORCE = {
    TimeInForce.GTC: "good till cancelled",
    TimeInForce.GTD: "good till the time `expires`: takes part in bars that close by then",
    TimeInForce.DAY: "good till the end of the day or session of its first bar",
}
REASONS = {
    "signal": "a market order or a target",
    "limit": "a limit order",
    "stop": "a stop or stop-limit order",
    "take-profit": "the take-profit of a bracket",
    "stop-loss": "the stop-loss of a bracket",
    "trailing": "a trailing stop, of a bracket too",
    "liquidation": "isolated margin was used up",
    "gate": "a loss gate flattened the position",
    "closeAtEnd": "`execution.closeAtEnd`",
}
LIQUIDITY = {
    "taker": "took the market's price: market orders, stops, limits that were marketable",
    "maker": "rested in the book",
}
EVENTS = {
    EventCode.REJECTED_LOT_SIZE: "less than one lot",
    EventCode.REJECTED_SHORT_NOT_ALLOWED: "would open a short without `account.allowShort`",
    EventCode.REJECTED_INSUFFICIENT_FUNDS: "more than the account can pay",
    EventCode.REJECTED_MIN_NOTIONAL: "opens less than `market.minNotional`",
    EventCode.REJECTED_MAX_NOTIONAL: "gate; value: the notional it would have been",
    EventCode.REJECTED_MAX_LEVERAGE: "gate; value: the leverage it would have been",
    EventCode.REJECTED_MAX_OPEN_ORDERS: "gate; value: the number of orders it would have been",
    EventCode.REJECTED_GATE_CLOSED: "submitted while a gate was closed, or after a deficit",
    EventCode.REJECTED_MAX_POSITION: "gate; value: the position it would have been, in units",
    EventCode.CANCELLED_USER: "by the strategy",
    EventCode.CANCELLED_OCO: "another of its group filled",
    EventCode.CANCELLED_REDUCE_ONLY: "nothing to reduce",
    EventCode.CANCELLED_GATE: "a loss gate closed",
    EventCode.CANCELLED_DEFICIT: "a liquidation left a deficit",
    EventCode.EXPIRED_GTD: "its time was over",
    EventCode.EXPIRED_DAY: "its day or session was over",
    EventCode.BREACH_MAX_DRAWDOWN: "value: the drawdown, a fraction",
    EventCode.BREACH_MAX_DAILY_LOSS: "value: the loss of the day, a fraction",
    EventCode.HALTED_DEFICIT: "a liquidation left cash below 0",
}


def enumerated(meanings: Mapping[Any, str], codes: type[IntEnum]) -> str:
    """One row a member. Raises `ValueError` where a meaning is missing or too much."""
    if set(meanings) != set(codes):
        raise ValueError(f"docs/codes.py: {codes.__name__}: {sorted(set(meanings) ^ set(codes))}")
    return _table((str(code.value), f"`{code.name}`", meanings[code]) for code in codes)


def named(meanings: Mapping[str, str], names: Mapping[int, str]) -> str:
    """One row a code of a column. Raises `ValueError` where a meaning is missing or too much."""
    if set(meanings) != set(names.values()):
        raise ValueError(f"docs/codes.py: {sorted(set(meanings) ^ set(names.values()))}")
    return _table((str(code), f"`{name}`", meanings[name]) for code, name in names.items())


def _table(rows: Iterable[Sequence[str]]) -> str:
    return markdown(("code", "name", "meaning"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "actions": lambda: enumerated(ACTIONS, Action),
    "order types": lambda: enumerated(TYPES, OrderType),
    "times in force": lambda: enumerated(TIMES_IN_FORCE, TimeInForce),
    "reasons of a fill": lambda: named(REASONS, columns.REASONS),
    "liquidity": lambda: named(LIQUIDITY, columns.LIQUIDITY),
    "events": lambda: enumerated(EVENTS, EventCode),
}
