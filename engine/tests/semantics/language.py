"""The short writing of a worked rule: bars, script and outcome as lines that a person reads.

bars      `100 / 50 53 48 49`: one number a flat bar, four open, high, low, close; `-` is a missing bar
script    `0: buy 40 limit 95 Day`: what is submitted at the close of bar 0
outcome   `1: #1 buy 40 at 95 maker limit`: a fill of bar 1, then events, `1: #2 Cancelled Oco`, then facts
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

START = 1_704_067_200_000  # 2024-01-01T00:00:00Z, open of bar 0
STEPS = {"15m": 900_000, "1h": 3_600_000, "6h": 21_600_000, "1d": 86_400_000}
TYPES = ("market", "limit", "stop", "stop-limit", "trailing-stop")

Document = dict[str, Any]


def document_of(bars: str, script: str, settings: Mapping[str, Any]) -> Document:
    """A case of the oracle's form. Settings with times (funding, expires) count hours from bar 0's open."""
    config = dict(settings)
    step = STEPS[config.get("timeframe", "1h")]
    if "funding" in config:
        config["funding"] = [[START + int(hour) * STEPS["1h"], rate] for hour, rate in config["funding"]]
    if "finer" in config:
        config["resolveWith"] = {"timeframe": "15m", "candles": columns(config.pop("finer"), STEPS["15m"])}
    candles = columns(bars, step)
    if "sessionHours" in config:
        hours = config.pop("sessionHours")
        candles["close_ts"] = [ts + step for ts in candles["ts"]]
        candles["day"] = [(ts - START) // (hours * STEPS["1h"]) for ts in candles["ts"]]
    return {
        "candles": candles,
        "config": config,
        "script": [entry_of(line) for line in script.split("; ") if line],
    }


def columns(text: str, step: int) -> Document:
    rows = []
    for index, bar in enumerate(text.split(" / ")):
        if bar.strip() == "-":
            continue
        prices = [float(number) for number in bar.split()]
        rows.append((START + index * step, *(prices * 4 if len(prices) == 1 else prices)))
    return dict(zip(("ts", "open", "high", "low", "close"), map(list, zip(*rows, strict=True)), strict=True))


def entry_of(line: str) -> Document:
    bar, _, words = line.partition(": ")
    what, *rest = words.split()
    entry: Document = {"bar": int(bar)}
    if what == "target":
        return entry | {"target": float(rest[0])}
    if what == "cancel":
        return entry | {"cancel": int(rest[0].lstrip("#"))}
    quantity, kind, *more = rest
    assert kind in TYPES, line
    order: Document = {"side": what, "type": kind, "quantity": float(quantity)}
    words_left = iter(more)
    prices = {"limit": ("limit",), "stop": ("stop",), "stop-limit": ("stop", "limit")}
    for name in prices.get(kind, ()):
        order[name] = float(next(words_left))
    if kind == "trailing-stop":
        order |= trail_of(next(words_left))
    return entry | {"order": order | options_of(words_left)}


def options_of(words: Iterator[str]) -> Document:
    found: Document = {}
    for word in words:
        if word == "Day":
            found["tif"] = "Day"
        elif word == "GTD":
            found |= {"tif": "GTD", "expires": START + int(next(words).removesuffix("h")) * STEPS["1h"]}
        elif word == "reduce-only":
            found["reduceOnly"] = True
        elif word == "oco":
            found["ocoGroup"] = next(words)
        elif word == "take-profit":
            found["takeProfit"] = float(next(words))
        elif word == "stop-loss":
            level = next(words)
            found["stopLoss"] = trail_of(next(words)) if level == "trailing" else float(level)
        else:
            raise ValueError(f"no such word: {word}")
    return found


def trail_of(text: str) -> Document:
    return {"trailBps": text.removesuffix("bps")} if text.endswith("bps") else {"trail": float(text)}


# outcome


def number(value: float) -> str:
    return format(value + 0.0, ".12g")


def happenings(outcome: Mapping[str, Any]) -> list[str]:
    """Every fill and event, by bar; the fills of a bar first."""
    fills = [(fill["bar"], 0, fill_told(fill)) for fill in outcome["fills"]]
    events = [(event["bar"], 1, event_told(event)) for event in outcome["events"]]
    return [text for _, _, text in sorted([*fills, *events], key=lambda one: one[:2])]


def who(order: int) -> str:
    return f"#{order}" if order else "engine"


def fill_told(fill: Mapping[str, Any]) -> str:
    fee = f" fee {number(fill['fee'])}" if fill["fee"] else ""
    what = f"{fill['side']} {number(fill['quantity'])} at {number(fill['price'])}{fee}"
    return f"{fill['bar']}: {who(fill['order'])} {what} {fill['liquidity']} {fill['reason']}"


def event_told(event: Mapping[str, Any]) -> str:
    value = f" {number(event['value'])}" if event["value"] else ""
    return f"{event['bar']}: {who(event['order'])} {event['kind']} {event['detail']}{value}"


def listed(values: Any) -> str:
    return ", ".join("none" if value is None else number(value) for value in values) or "none"


FACTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "cash": lambda outcome: listed([outcome["finalCash"]]),
    "position": lambda outcome: listed([outcome["finalPosition"]]),
    "positions": lambda outcome: listed(outcome["positions"]),
    "equity": lambda outcome: listed(outcome["equity"]),
    "liquidated": lambda outcome: listed([outcome["finalEquityLiquidated"]]),
    "pnl": lambda outcome: listed([trade["pnl"] for trade in outcome["trades"]]),
    "entry bars": lambda outcome: listed([trade["entryBar"] for trade in outcome["trades"]]),
    "exit bars": lambda outcome: listed([trade["exitBar"] for trade in outcome["trades"]]),
    "fees": lambda outcome: listed([outcome["totalFees"]]),
    "funding": lambda outcome: listed([outcome["totalFunding"]]),
    "borrow": lambda outcome: listed([outcome["totalBorrow"]]),
    "resting orders": lambda outcome: listed(outcome["openOrders"]),
    "unfilled at end": lambda outcome: listed([outcome["unfilledAtEnd"]]),
    "ambiguous bars": lambda outcome: listed([outcome["ambiguousBars"]]),
    "unresolved bars": lambda outcome: listed([outcome["unresolvedBars"]]),
    "short targets clamped": lambda outcome: listed([outcome["shortTargetsClamped"]]),
    "bankrupt bar": lambda outcome: listed([outcome["bankruptBar"]]),
    "stopped bar": lambda outcome: listed([outcome["stoppedBar"]]),
}


def fact(outcome: Mapping[str, Any], line: str) -> str:
    """The line `name = value` as the outcome has it."""
    name = line.partition(" = ")[0]
    return f"{name} = {FACTS[name](outcome)}"


def is_happening(line: str) -> bool:
    return line[0].isdigit()
