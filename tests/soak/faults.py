"""What each fault may excuse, and for how long after its end. What is not named excuses nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Fault = dict[str, Any]
SECOND_NS = 1_000_000_000

# Connections and trades: seconds after the end of the fault within which the feed may still end a
# connection because of it, or have no trades. Trades that are not told are seen by REST, which comes round to
# each symbol within a minute; a join in vain is tried three times.
ENDS_CONNECTIONS = {
    "CutMidFrame": 5.0,
    "CleanClose": 5.0,
    "DropWithoutClose": 5.0,
    "InvalidUtf8": 5.0,
    "GiantFrame": 5.0,
    "Maintenance": 5.0,
    "Refused": 5.0,
    "HandshakeTooMany": 5.0,
    "HandshakeUnavailable": 5.0,
    "Silence": 75.0,
    "SlowDrip": 10.0,
    "HalfOpen": 5.0,
    "StopsReading": 60.0,
    "DeadTradeChannel": 75.0,
    "MissingTrades": 75.0,
    "SubscriptionIgnored": 60.0,
    "SubscriptionRefused": 60.0,
}

# Lag: these hold bytes or trades back on purpose, or lie about the time of either. All others, those that
# only end connections among them, must not make anything late that comes over an open one.
DELAYS = frozenset(
    (
        "Silence",
        "HalfOpen",
        "SlowDrip",
        "StopsReading",
        "DeadTradeChannel",
        "MissingTrades",
        "ReorderedTrades",
        "ReorderedTimes",
        "FutureTrades",
        "WrongServerTime",
        "SubscriptionIgnored",
        "SubscriptionRefused",
    )
)
DELAYED_SECONDS = 10.0


def spans(faults: Iterable[Fault], names: Iterable[str], seconds: float) -> list[tuple[int, int]]:
    """[from, to] in ns of the host's clock of each fault of `names`, and so many seconds on."""
    chosen = set(names)
    return [
        (fault["began_ns"], _end(fault) + round(seconds * SECOND_NS))
        for fault in faults
        if fault["fault"] in chosen
    ]


def _end(fault: Fault) -> int:
    return int(fault["ended_ns"] or 2**62)
