"""events.jsonl: what happened to orders besides fills, and to gates; in and out."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Mapping
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidData, first_line
from spark_engine.simulation.ledger import EventCode, Events

EVENTS: dict[int, tuple[str, str]] = {
    EventCode.REJECTED_LOT_SIZE: ("Rejected", "LotSize"),
    EventCode.REJECTED_SHORT_NOT_ALLOWED: ("Rejected", "ShortNotAllowed"),
    EventCode.REJECTED_INSUFFICIENT_FUNDS: ("Rejected", "InsufficientFunds"),
    EventCode.REJECTED_MIN_NOTIONAL: ("Rejected", "MinNotional"),
    EventCode.REJECTED_MAX_NOTIONAL: ("Rejected", "MaxNotional"),
    EventCode.REJECTED_MAX_LEVERAGE: ("Rejected", "MaxLeverage"),
    EventCode.REJECTED_MAX_OPEN_ORDERS: ("Rejected", "MaxOpenOrders"),
    EventCode.REJECTED_GATE_CLOSED: ("Rejected", "GateClosed"),
    EventCode.REJECTED_MAX_POSITION: ("Rejected", "MaxPosition"),
    EventCode.CANCELLED_USER: ("Cancelled", "User"),
    EventCode.CANCELLED_OCO: ("Cancelled", "Oco"),
    EventCode.CANCELLED_REDUCE_ONLY: ("Cancelled", "ReduceOnly"),
    EventCode.CANCELLED_GATE: ("Cancelled", "Gate"),
    EventCode.CANCELLED_DEFICIT: ("Cancelled", "Deficit"),
    EventCode.EXPIRED_GTD: ("Expired", "GTD"),
    EventCode.EXPIRED_DAY: ("Expired", "Day"),
    EventCode.BREACH_MAX_DRAWDOWN: ("Breach", "maxDrawdown"),
    EventCode.BREACH_MAX_DAILY_LOSS: ("Breach", "maxDailyLoss"),
    EventCode.HALTED_DEFICIT: ("Halted", "Deficit"),
}
LIMITS: dict[int, str] = {
    EventCode.BREACH_MAX_DRAWDOWN: "maxDrawdown",
    EventCode.BREACH_MAX_DAILY_LOSS: "maxDailyLoss",
}


def event_lines(events: Events, candles: Candles) -> bytes:
    """events.jsonl: one JSON object a line, in the order of events."""
    ts, first = candles.ts, candles.warmup
    lines = []
    for bar, code, order, value in zip(events.bar, events.code, events.order, events.value, strict=True):
        kind, detail = EVENTS[code]
        when = {"bar": bar, "ts": ts[first + bar]}
        lines.append(when | {"kind": kind, "detail": detail, "order": order, "value": value})
    text = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
    return "".join([text(line) + "\n" for line in lines]).encode()


def decode_events(content: bytes, name: str) -> Events:
    """The events of an events.jsonl. Raises `InvalidData`."""
    codes = {names: code for code, names in EVENTS.items()}
    try:
        lines = [json.loads(line) for line in content.splitlines()]
        return Events(
            bar=memoryview(array("q", (line["bar"] for line in lines))),
            code=memoryview(array("b", (codes[line["kind"], line["detail"]] for line in lines))),
            order=memoryview(array("q", (line["order"] for line in lines))),
            value=memoryview(array("d", (line["value"] for line in lines))),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidData(f"{name} cannot be read: {type(error).__name__}: {first_line(error)}") from None


def event_counts(events: Events) -> dict[str, int]:
    """Number of events by kind and detail, "Rejected/LotSize"."""
    counted = Counter(events.code)
    return {"/".join(names): counted[code] for code, names in EVENTS.items() if counted[code]}


def breaches(events: Events, candles: Candles, limits: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The breaches of a gate that flatten: bar, ts, limit and the measured loss."""
    ts, first = candles.ts, candles.warmup
    return [
        {
            "bar": bar,
            "ts": ts[first + bar],
            "gate": LIMITS[code],
            "limit": limits[LIMITS[code]],
            "value": value,
        }
        for bar, code, value in zip(events.bar, events.code, events.value, strict=True)
        if code in LIMITS
    ]
